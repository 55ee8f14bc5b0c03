"""Logs of real containers: every line once, whatever happens to the containers."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import Interrupted, UsageError
from invoke_devstack.events import LogBlock, Notice
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.running.logs import show as logs
from invoke_devstack.running.options import LogOptions
from invoke_devstack.running.stack import lifecycle
from tests.engine.conftest import until
from tests.engine.stacks import Stack


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    yield Stack(engine, tmp_path, project, busybox)


COUNTING = """
services:
  a:
    image: IMAGE
    init: true
    command: sh -c 'i=0; while :; do i=$$((i+1)); echo a-{tag}-$$i; sleep 0.01; done'
    stop_grace_period: 1s
"""

ENDED = """
services:
  a: {image: IMAGE, command: sh -c 'for i in 1 3 5; do echo a$$i; echo e$$i >&2; sleep 0.2; done'}
  b: {image: IMAGE, command: sh -c 'sleep 0.1; for i in 2 4 6; do echo b$$i; sleep 0.2; done'}
"""


def finished(stack: Stack, *services: str) -> None:
    """Starts the stack and waits until these services have ended."""
    stack.up()
    for service in services:
        stack.engine.wait(stack.container(service), timeout=60)


def shown(stack: Stack, **options: Any) -> bytes:
    logs.show(stack.session(), LogOptions(**options))
    return stack.log()


@contextmanager
def following(stack: Stack, **options: Any) -> Iterator[None]:
    """Follows in a thread; what is shown is in `stack.events`."""
    session = stack.session()
    ended: list[BaseException] = []

    def follow() -> None:
        try:
            logs.show(session, LogOptions(follow=True, **options))
        except Interrupted as error:
            ended.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        session.interrupt.deliver(signal.SIGINT)
        thread.join(60)
    assert not thread.is_alive()


def other(stack: Stack) -> Stack:
    """The same stack as another terminal has it."""
    return Stack(stack.engine, stack.folder, stack.project, stack.image)


def assert_each_once(text: bytes, tag: str) -> int:
    """All lines of a tag from 1 on, in order, none twice. Returns how many."""
    numbers = [int(found) for found in re.findall(rb"^a-%s-(\d+)$" % tag.encode(), text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    return len(numbers)


def assert_in_order(stamps: list[bytes]) -> None:
    """The engine itself may write a line of stderr after one of stdout that is a moment younger."""
    times = [seconds_of(stamp.decode()) for stamp in stamps]
    assert all(after > before - 0.09 for before, after in pairwise(times))


def test_the_history_of_several_services_is_in_order_of_time(stack: Stack) -> None:
    stack.write(ENDED)
    finished(stack, "a", "b")
    stamped = shown(stack, timestamps=True)
    lines = [re.fullmatch(rb"(\S{30}) (.*)", line) for line in stamped.splitlines()]
    assert_in_order([line[1] for line in lines if line])
    assert {line[2][:1] for line in lines if line} == {b"a", b"b", b"e"}
    assert shown(stack) == re.sub(rb"(?m)^\S{30} ", b"", stamped)
    assert {event.stream for event in stack.of(LogBlock)} == {"stdout", "stderr"}


def test_one_service_is_shown_alone_with_its_bytes_as_they_are(stack: Stack) -> None:
    (stack.folder / "say").write_bytes(b"\x00\x01\x1b[31m\xe2\x82\xac\r\n" + b"y" * 40000 + b"\n")
    stack.write("""
    services:
      a: {image: IMAGE, command: cat /say, volumes: ["./say:/say"]}
      b: {image: IMAGE, command: echo other}
    """)
    finished(stack, "a", "b")
    said = (stack.folder / "say").read_bytes()
    assert shown(stack, services=("a",)) == said
    assert said == shown(stack).replace(b"other\n", b"")  # b may have written between its two lines


def test_a_tail_is_of_each_service(stack: Stack) -> None:
    stack.write(ENDED)
    finished(stack, "a", "b")
    lines = shown(stack, tail=2).splitlines()
    assert [line for line in lines if line.startswith(b"b")] == [b"b4", b"b6"]
    assert lines[0][1:] in (b"4", b"5")
    assert len(lines) == 4


def test_timestamps_stand_before_each_line(stack: Stack) -> None:
    stack.write(ENDED)
    finished(stack, "a", "b")
    lines = shown(stack, timestamps=True).splitlines()
    assert len(lines) == 9
    assert all(re.match(rb"\d{4}-\d\d-\d\dT[\d:.]+Z ", line) for line in lines)
    assert_in_order([line.partition(b" ")[0] for line in lines])


def test_a_pattern_leaves_the_lines_that_match(stack: Stack) -> None:
    stack.write(ENDED)
    finished(stack, "a", "b")
    assert shown(stack, grep="^a[13]$") == b"a1\na3\n"


def test_since_and_until_bound_the_history(stack: Stack) -> None:
    stack.write(ENDED)
    finished(stack, "a", "b")
    stamps = {line[31:]: line[:30].decode() for line in shown(stack, timestamps=True).splitlines()}
    assert shown(stack, since=stamps[b"b4"], services=("b",)) == b"b4\nb6\n"
    assert b"b6" not in shown(stack, until=stamps[b"b4"])
    assert shown(stack, since="1h").count(b"\n") == 9
    assert shown(stack, since="0s") == b""


def test_a_service_that_does_not_exist_is_refused_with_the_nearest_name(stack: Stack) -> None:
    stack.write("services:\n  database: {image: IMAGE}\n")
    with pytest.raises(UsageError) as caught:
        shown(stack, services=("databse",))
    assert "`database`" in caught.value.hint


def test_a_bad_pattern_is_refused(stack: Stack) -> None:
    stack.write("services:\n  a: {image: IMAGE}\n")
    with pytest.raises(UsageError, match="invalid --grep"):
        shown(stack, grep="[")


def test_a_service_without_a_readable_log_is_named_and_the_others_are_shown(stack: Stack) -> None:
    stack.write("""
    services:
      a: {image: IMAGE, command: echo here}
      b: {image: IMAGE, command: echo gone, logging: {driver: none}}
    """)
    finished(stack, "a", "b")
    assert shown(stack) == b"here\n"
    assert any("cannot read the log of" in event.text for event in stack.of(Notice))


def test_a_stack_that_was_never_started_has_no_log(stack: Stack) -> None:
    stack.write(ENDED)
    assert shown(stack) == b""


@pytest.mark.parametrize("act", ["restart", "stop and start", "kill and start"])
def test_following_goes_on_over_a_restart_with_each_line_once(stack: Stack, act: str) -> None:
    stack.write(COUNTING.replace("{tag}", "$${HOSTNAME}"))
    stack.up()
    acts: dict[str, tuple[Callable[..., object], ...]] = {
        "restart": (lifecycle.restart,),
        "stop and start": (lifecycle.stop, lifecycle.start),
        "kill and start": (lifecycle.kill, lifecycle.start),
    }
    with following(stack):
        stack.wait_for_log(b"-30\n")
        for step in acts[act]:
            step(other(stack).session(), ("a",))
            if step is lifecycle.kill:
                stack.engine.wait(stack.container("a"), timeout=60)
        until(lambda: stack.log().count(b"-1\n") == 2)  # it counts anew
        before = len(stack.log())
        until(lambda: len(stack.log()) > before)
    check_lines(stack)


def check_lines(stack: Stack) -> None:
    """What was shown is what the containers have, from the first line on."""
    own = stack.log()
    whole = other(stack)
    logs.show(whole.session(), LogOptions())
    assert whole.log().startswith(own)


def test_following_goes_over_to_a_container_that_is_recreated(stack: Stack) -> None:
    stack.write(COUNTING.replace("{tag}", "one"))
    stack.up()
    with following(stack):
        stack.wait_for_log(b"a-one-20\n")
        second = other(stack)
        second.write(COUNTING.replace("{tag}", "two"))
        second.up()
        text = stack.wait_for_log(b"a-two-20\n")
    assert assert_each_once(text, "one") > 20
    assert assert_each_once(text, "two") >= 20
    names = {event.container for event in stack.of(LogBlock)}
    assert names == {stack.container("a")} or len(names) == 2


def test_following_shows_what_was_and_what_comes(stack: Stack) -> None:
    stack.write(COUNTING.replace("{tag}", "x"))
    stack.up()
    with following(stack):
        text = stack.wait_for_log(b"a-x-150\n")
    assert_each_once(text, "x")


def test_following_with_a_tail_begins_near_the_end(stack: Stack) -> None:
    stack.write(COUNTING.replace("{tag}", "x"))
    stack.up()
    second = other(stack)
    with following(second):
        second.wait_for_log(b"a-x-50\n")
    with following(stack, tail=5):
        stack.wait_for_log(b"\n")
        first = int(re.findall(rb"a-x-(\d+)", stack.log())[0])
        stack.wait_for_log(b"a-x-%d\n" % (first + 40))
    numbers = [int(item) for item in re.findall(rb"a-x-(\d+)", stack.log())]
    assert first > 40
    assert numbers == list(range(first, first + len(numbers)))


def test_following_with_a_tail_of_0_shows_only_what_comes(stack: Stack) -> None:
    stack.write(COUNTING.replace("{tag}", "x"))
    stack.up()
    second = other(stack)
    with following(second):
        second.wait_for_log(b"a-x-50\n")
    with following(stack, tail=0):
        stack.wait_for_log(b"\n")
    numbers = [int(item) for item in re.findall(rb"a-x-(\d+)", stack.log())]
    assert numbers[0] > 50
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_following_shows_a_service_that_is_started_later(stack: Stack) -> None:
    stack.write("services:\n  a: {image: IMAGE, command: sleep 1000, init: true}\n")
    stack.up()
    with following(stack):
        second = other(stack)
        second.write(
            "services:\n  a: {image: IMAGE, command: sleep 1000, init: true}\n"
            "  b: {image: IMAGE, command: echo quick}\n"
        )
        second.up()
        stack.wait_for_log(b"quick\n")
    assert stack.log() == b"quick\n"


def test_following_ends_when_the_stack_is_taken_down(stack: Stack) -> None:
    stack.write(COUNTING.replace("{tag}", "x"))
    stack.up()
    session = stack.session()
    thread = threading.Thread(target=logs.show, args=(session, LogOptions(follow=True)))
    thread.start()
    stack.wait_for_log(b"a-x-5\n")
    other(stack).down()
    thread.join(60)
    assert not thread.is_alive()
    assert_each_once(stack.log(), "x")

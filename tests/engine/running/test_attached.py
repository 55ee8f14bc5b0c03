"""An attached `up`: logs and watch until a signal, which stops the services and removes nothing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import BuildError, DevstackError, Interrupted, UsageError
from invoke_devstack.events import Notice, ServiceReady, UpFinished
from invoke_devstack.running.attached import attach
from invoke_devstack.running.images import build
from invoke_devstack.running.options import BuildOptions, UpOptions
from invoke_devstack.running.session import Session
from tests.engine.stacks import Stack


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    yield Stack(engine, tmp_path, project, busybox)
    for reference in (f"{project}-web", f"{project}-web:extra"):
        if engine.find_image(reference):
            engine.remove_image(reference, force=True)


@contextmanager
def attached(stack: Stack) -> Iterator[tuple[Session, Callable[[], BaseException | None]]]:
    """The session of an attached up in a thread, and how it ended (waits for it)."""
    session = stack.session()
    ended: list[BaseException] = []

    def run() -> None:
        try:
            attach.run_attached(session, UpOptions())
        except DevstackError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def outcome() -> BaseException | None:
        thread.join(60)
        assert not thread.is_alive()
        return ended[0] if ended else None

    try:
        yield session, outcome
    finally:
        session.interrupt.deliver(signal.SIGINT)
        thread.join(60)


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


TALKING = """
services:
  web:
    image: IMAGE
    init: true
    command: sh -c "trap 'echo goodbye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"
  quiet: {image: IMAGE, init: true, command: sh -c 'echo unheard; sleep 1000', attach: false}
"""


def test_a_signal_stops_the_services_and_their_last_words_are_shown(stack: Stack) -> None:
    stack.write(TALKING)
    with attached(stack) as (session, outcome):
        stack.wait_for_log(b"hello\n")
        session.interrupt.deliver(signal.SIGINT)
        error = outcome()
    assert isinstance(error, Interrupted)
    assert error.exit_code == 130
    assert stack.log() == b"hello\ngoodbye\n"
    assert (stack.state("web"), stack.state("quiet")) == ("exited", "exited")
    assert set(stack.stopped()) == {"web", "quiet"}


def test_a_signal_during_the_start_stops_what_was_started(stack: Stack) -> None:
    stack.write("""
    services:
      ok: {image: IMAGE, command: sleep 1000, init: true}
      slow: {image: IMAGE, command: sleep 1000, init: true, healthcheck: {test: "false"}}
    """)
    with attached(stack) as (session, outcome):
        wait_until(lambda: stack.of(ServiceReady))
        session.interrupt.deliver(signal.SIGTERM)
        error = outcome()
    assert isinstance(error, Interrupted)
    assert error.exit_code == 143
    assert (stack.state("ok"), stack.state("slow")) == ("exited", "exited")


def test_it_ends_when_all_services_have_ended(stack: Stack) -> None:
    stack.write("services:\n  once: {image: IMAGE, command: sh -c 'echo one; sleep 1; echo two'}\n")
    with attached(stack) as (_, outcome):
        assert outcome() is None
    assert stack.log() == b"one\ntwo\n"
    assert any("exited" in event.text for event in stack.of(Notice))


def test_services_that_ran_before_are_shown_from_now_on(stack: Stack) -> None:
    stack.write("""
    services:
      web:
        image: IMAGE
        init: true
        command: sh -c 'echo old; while ! test -f /go; do sleep 0.1; done; echo new; sleep 1000'
    """)
    stack.up()
    with attached(stack):
        wait_until(lambda: stack.of(UpFinished))
        stack.engine.exec(stack.container("web"), ("touch", "/go"))
        stack.wait_for_log(b"new\n")
    assert stack.log() == b"new\n"


def test_an_up_that_fails_raises_what_failed(stack: Stack) -> None:
    stack.write("""
    services:
      job: {image: IMAGE, command: sh -c 'exit 3'}
      web: {image: IMAGE, depends_on: {job: {condition: service_completed_successfully}}}
    """)
    with attached(stack) as (_, outcome):
        assert "exited with code 3" in str(outcome())


def built(stack: Stack, dockerfile: str) -> None:
    (stack.folder / "Dockerfile").write_text(dockerfile.replace("IMAGE", stack.image))
    stack.write("services:\n  web: {build: .}\n  other: {image: IMAGE}\n")


def test_a_build_tells_the_image_and_what_came_from_the_cache(stack: Stack, project: str) -> None:
    built(stack, "FROM IMAGE\nARG WHO=nobody\nRUN echo $WHO > /who\n")
    (first,) = build.build_images(stack.session(), BuildOptions(args={"WHO": "ann"}))
    assert (first.service, first.tag) == ("web", f"{project}-web")
    assert first.size > 0
    assert first.layers >= 2
    (again,) = build.build_images(stack.session(), BuildOptions(args={"WHO": "ann"}))
    assert again.image_id == first.image_id
    assert again.cached_steps > 0
    (tagged,) = build.build_images(stack.session(), BuildOptions(tag=f"{project}-web:extra"))
    assert stack.engine.find_image(f"{project}-web:extra") is not None
    assert tagged.image_id != first.image_id


def test_a_build_that_fails_shows_its_step(stack: Stack) -> None:
    built(stack, "FROM IMAGE\nRUN echo almost && false\n")
    with pytest.raises(BuildError) as caught:
        build.build_images(stack.session(), BuildOptions())
    assert "almost" in " ".join((caught.value.message, *caught.value.details))


def test_a_service_without_a_build_is_not_built(stack: Stack) -> None:
    built(stack, "FROM IMAGE\n")
    with pytest.raises(UsageError, match="`other` has no `build`"):
        build.build_images(stack.session(), BuildOptions(services=("other",)))


def test_what_cannot_be_pushed_is_refused_when_it_is_asked_for(stack: Stack) -> None:
    built(stack, "FROM IMAGE\n")
    assert build.push(stack.session()) == ()
    with pytest.raises(UsageError, match="no `image`"):
        build.push(stack.session(), ("web",))
    with pytest.raises(UsageError, match="comes from a registry"):
        build.push(stack.session(), ("other",))

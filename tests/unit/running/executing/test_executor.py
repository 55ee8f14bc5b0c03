"""A plan is carried out: at once where it can be, in order where it must be, and ended well when it fails."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from invoke_devstack.errors import EngineError, HookError, Interrupted
from invoke_devstack.events import ActionFailed, ActionFinished, ActionStarted, Notice
from invoke_devstack.planning.plan import PullImage, RemoveContainer, RunHook, StopContainer
from invoke_devstack.running.executing import executor
from tests.fakes import Behaviour
from tests.unit.running.executing.conftest import CAUSE, Bench, create, up


def test_an_action_runs_after_what_it_needs(bench: Bench) -> None:
    order: list[str] = []
    bench.run(
        bench.step("last", lambda: order.append("last"), "first", "second"),
        bench.step("second", lambda: order.append("second"), "first"),
        bench.step("first", lambda: order.append("first")),
    )
    assert order == ["first", "second", "last"]


def test_what_needs_nothing_of_each_other_runs_at_once(bench: Bench) -> None:
    meeting = threading.Barrier(3)
    bench.run(*(bench.step(str(number), lambda: meeting.wait(30)) for number in range(3)))
    assert bench.of(ActionFinished) == ["do 0", "do 1", "do 2"] or len(bench.of(ActionFinished)) == 3


def test_no_more_actions_run_at_once_than_the_setting_says() -> None:
    bench = Bench(parallel=2)
    running: list[int] = []
    most: list[int] = []

    def act() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.1)
        running.pop()

    bench.run(*(bench.step(str(number), act) for number in range(6)))
    assert max(most) == 2


def test_after_a_failure_nothing_new_begins_and_what_failed_is_raised(bench: Bench) -> None:
    begun: list[str] = []

    def fail() -> None:
        raise EngineError("no")

    with pytest.raises(HookError):
        bench.run(bench.step("a", fail), bench.step("b", lambda: begun.append("b"), "a"))
    assert begun == []
    assert bench.of(ActionFailed) == ["do a"]


def test_what_is_made_in_the_middle_of_a_failure_is_let_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()
    made = bench.engine.create_container

    def slowly(name: str, body: Mapping[str, Any], **options: Any) -> str:
        began.set()
        time.sleep(0.1)
        return made(name, body, **options)

    monkeypatch.setattr(bench.engine, "create_container", slowly)

    def fail() -> None:
        began.wait(30)
        raise EngineError("no")

    with pytest.raises(HookError):
        bench.run(create(), bench.step("a", fail))
    assert bench.engine.named("p-web-1").state == "created"


def test_a_wait_ends_at_once_when_another_action_fails(bench: Bench) -> None:
    bench.engine.behaviour["p-web-1"] = Behaviour(health="starting")

    def fail() -> None:
        time.sleep(0.1)
        raise EngineError("no")

    began = time.monotonic()
    with pytest.raises(HookError):
        bench.run(*up(condition="service_completed_successfully", timeout=60.0), bench.step("a", fail))
    assert time.monotonic() - began < 30


def test_a_signal_ends_the_waits_and_is_raised(bench: Bench) -> None:
    started = threading.Event()

    def interrupt() -> None:
        started.wait(30)
        bench.session.interrupt.deliver(signal.SIGTERM)

    bench.hooks.add("do", "tell", lambda context: started.set())
    tell = RunHook(target="do tell", cause=CAUSE, when="do", needs=frozenset({"start p-web-1"}))
    threading.Thread(target=interrupt).start()
    began = time.monotonic()
    with pytest.raises(Interrupted) as caught:
        bench.run(*up(condition="service_completed_successfully", timeout=60.0), tell)
    assert caught.value.exit_code == 143
    assert time.monotonic() - began < 30
    assert bench.engine.named("p-web-1").state == "running"


def test_a_shutdown_goes_on_after_a_first_signal(bench: Bench) -> None:
    bench.run(*up())
    bench.session.interrupt.deliver(signal.SIGINT)
    with pytest.raises(Interrupted):
        bench.run(
            StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web"),
            RemoveContainer(target="p-web-1", name="p-web-1", cause=CAUSE, needs=frozenset({"stop p-web-1"})),
            through_interrupt=True,
        )
    assert bench.engine.containers == {}
    assert any("once more" in event.text for event in bench.events if isinstance(event, Notice))


def test_a_pull_that_is_cancelled_stops_at_its_next_word(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()

    def pull(reference: str, *, on_progress: Callable[[object], None], **others: object) -> None:
        from invoke_devstack.engine.protocol import Progress

        for _ in range(1000):
            on_progress(Progress("layer", "Downloading"))
            time.sleep(0.01)
        told.set()

    monkeypatch.setattr(bench.engine, "pull", pull)
    threading.Timer(0.1, bench.session.interrupt.deliver, args=(signal.SIGINT,)).start()
    with pytest.raises(Interrupted):
        bench.run(PullImage(target="redis:8", cause=CAUSE))
    assert not told.wait(0.1)


def test_an_engine_that_hangs_is_said_to(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_SLOW", 0.05)
    made = bench.engine.create_container

    def slowly(name: str, body: Mapping[str, Any], **options: Any) -> str:
        time.sleep(0.3)
        return made(name, body, **options)

    monkeypatch.setattr(bench.engine, "create_container", slowly)
    bench.run(create())
    told = [event.text for event in bench.events if isinstance(event, Notice)]
    assert len(told) == 1
    assert "has not answered" in told[0]
    assert "create p-web-1" in told[0]


def test_each_action_is_told_when_it_begins_and_ends(bench: Bench) -> None:
    bench.run(bench.step("a", lambda: None))
    assert bench.of(ActionStarted) == bench.of(ActionFinished) == ["do a"]


def test_a_hook_that_starts_is_told_with_the_function_that_is_called(bench: Bench) -> None:
    def migrate(context: object) -> None: ...

    bench.hooks.add("after", "db", migrate)
    bench.run(RunHook(target="after db", cause=CAUSE, when="after"))
    (started,) = (event for event in bench.events if isinstance(event, ActionStarted))
    assert started.cause.endswith(f".migrate, {CAUSE.text}")


def test_a_hook_that_runs_long_is_told_again_and_again_with_what_ends_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_LONG", 0.05)
    monkeypatch.setattr(executor, "_LONG_AGAIN", 0.05)

    def told() -> list[str]:
        return [event.text for event in bench.events if isinstance(event, Notice)]

    def migrate(context: object) -> None:
        while len(told()) < 2:
            time.sleep(0.01)

    bench.hooks.add("after", "db", migrate)
    bench.run(RunHook(target="after db", cause=CAUSE, when="after"))
    name = f"the hook `after db` ({migrate.__qualname__}) has run for 0 s"
    end = "which `--wait-timeout` does not limit; interrupt the command to end it (Ctrl-C)"
    assert told()[:2] == [f"{name}, {end}"] * 2

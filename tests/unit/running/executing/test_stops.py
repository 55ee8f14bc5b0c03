"""Containers are stopped: how each ended is told, and none waits for another without need."""

from __future__ import annotations

import signal
import threading

import pytest

from invoke_devstack.errors import EngineError, Interrupted
from invoke_devstack.events import ServiceStopped
from invoke_devstack.planning.plan import Action, RemoveContainer, StopContainer
from invoke_devstack.running import interrupt as interrupts
from invoke_devstack.running.executing import executor
from tests.fakes import FakeEngine
from tests.unit.running.executing.conftest import CAUSE, Bench, create, start, up


def test_how_a_service_ended_is_told(bench: Bench) -> None:
    bench.run(*up())
    bench.run(StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web", grace=3))
    (stopped,) = [event for event in bench.events if isinstance(event, ServiceStopped)]
    assert (stopped.service, stopped.exit_code, stopped.killed) == ("web", 0, False)


def test_how_a_service_ended_needs_no_request_after_the_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the engine is far away, each answer that is waited for counts."""
    bench.run(*up())
    asked: list[str] = []
    monkeypatch.setattr(FakeEngine, "inspect_container", lambda engine, container: asked.append(container))
    bench.run(StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web", grace=3))
    (stopped,) = [event for event in bench.events if isinstance(event, ServiceStopped)]
    assert (stopped.exit_code, asked) == (0, [])


def test_how_a_service_ended_is_asked_for_where_the_engine_does_not_tell(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(engine: FakeEngine, container: str, *, timeout: float | None = None) -> int:
        raise EngineError("broken off")

    bench.run(*up())
    monkeypatch.setattr(FakeEngine, "wait", fail)
    bench.run(StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web", grace=3))
    (stopped,) = [event for event in bench.events if isinstance(event, ServiceStopped)]
    assert stopped.exit_code == 0


def test_a_second_signal_ends_a_stop_whose_answer_is_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(*up())
    interrupt, lost = bench.session.interrupt, threading.Event()
    monkeypatch.setattr(interrupts, "_ECHO", 0.0)

    def lose_answer(engine: FakeEngine, container: str, **options: object) -> None:
        interrupt.deliver(signal.SIGINT)
        interrupt.deliver(signal.SIGINT)
        lost.wait()

    monkeypatch.setattr(FakeEngine, "stop", lose_answer)
    stop = StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web", grace=3)
    try:
        with pytest.raises(Interrupted):
            bench.run(stop, through_interrupt=True)
        assert not lost.is_set()
    finally:
        lost.set()
    (stopped,) = [event for event in bench.events if isinstance(event, ServiceStopped)]
    assert (stopped.exit_code, stopped.killed) == (137, True)


class Attached:
    """What is attached to a container: ends when `ended` is set, or is closed."""

    def __init__(self, ended: threading.Event) -> None:
        self.ended = ended

    def read(self, size: int = 65536) -> tuple[str, bytes]:
        self.ended.wait(5)
        return "stdout", b""

    def close(self) -> None:
        self.ended.set()


def two_stops(bench: Bench) -> tuple[Action, ...]:
    """Of a running web and of the db that it depends on, with both removals."""
    bench.run(*up(), create("p-db-1"), start("p-db-1", "create p-db-1"))
    bench.engine.calls.clear()
    return (
        StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web"),
        RemoveContainer(target="p-web-1", name="p-web-1", cause=CAUSE, needs=frozenset({"stop p-web-1"})),
        StopContainer(
            target="p-db-1", name="p-db-1", cause=CAUSE, service="db", needs=frozenset({"end of p-web-1"})
        ),
    )


def test_what_a_container_depends_on_is_stopped_while_the_engine_tidies_up_behind_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = two_stops(bench)
    ended, both = threading.Event(), threading.Event()
    stop = bench.engine.stop

    def slow_stop(container: str, **options: object) -> None:
        if container == "p-db-1":
            both.set()
        else:
            ended.set()  # its process has ended; the answer to the stop comes later
            assert both.wait(30)
            assert ("remove", "p-web-1") not in bench.engine.calls
        stop(container)

    monkeypatch.setattr(bench.engine, "lets_go_at_end", True)
    monkeypatch.setattr(bench.engine, "attach", lambda *args, **options: Attached(ended))
    monkeypatch.setattr(bench.engine, "stop", slow_stop)
    bench.run(*plan)
    assert [call for call, _ in bench.engine.calls].count("stop") == 2
    assert ("remove", "p-web-1") in bench.engine.calls


def test_a_stop_that_fails_lets_nothing_else_be_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = two_stops(bench)
    monkeypatch.setattr(bench.engine, "lets_go_at_end", True)
    monkeypatch.setattr(bench.engine, "attach", lambda *args, **options: Attached(threading.Event()))
    bench.engine.failures["stop", "p-web-1"] = EngineError("no", status=500)
    with pytest.raises(EngineError):
        bench.run(*plan)
    assert bench.engine.named("p-db-1").state == "running"


def test_a_container_that_ends_slowly_keeps_no_other_from_being_asked_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executor, "_PATIENT", 0.1)
    bench = Bench(parallel=2)
    names = [f"p-web-{number}" for number in range(1, 6)]
    bench.run(*(step for name in names for step in (create(name), start(name, f"create {name}"))))
    all_asked = threading.Barrier(len(names))
    monkeypatch.setattr(bench.engine, "stop", lambda *args, **options: all_asked.wait(30))
    bench.run(*(StopContainer(target=name, name=name, cause=CAUSE, service="web") for name in names))
    assert not all_asked.broken

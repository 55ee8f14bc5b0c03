"""The limit of a wait is kept, also when a healthcheck or the engine hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.engine.protocol import ExecResult
from invoke_devstack.engine.transport.cancelling import within
from invoke_devstack.errors import ServiceError
from invoke_devstack.events import Event, Notice, ServiceReady, ServiceWaiting
from invoke_devstack.planning.causes import by_command
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.plan import AwaitReady, Plan, Probe
from invoke_devstack.running.executing.executor import execute
from invoke_devstack.running.session import Session
from tests.fakes import Behaviour, FakeEngine

LABELS = {"com.docker.compose.project": "p", "com.docker.compose.service": "web"}
HEALTHCHECK = Probe(ProbeKind.HEALTHCHECK, command=("CMD", "check"), timeout=600.0)


class HangingEngine(FakeEngine):
    """Answers no question about a container until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.hangs = False

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        if self.hangs:
            self.released.wait()
        return super().inspect_container(container)


@pytest.fixture
def engine() -> Iterator[HangingEngine]:
    made = HangingEngine()
    made.add_image("image")
    yield made
    made.released.set()


def running(engine: HangingEngine, execs: Callable[[Any], ExecResult]) -> None:
    engine.behaviour["p-web-1"] = Behaviour(execs=execs)
    engine.start(engine.create_container("p-web-1", {"Image": "image", "Labels": LABELS}))


def wait(engine: HangingEngine, timeout: float, *, optional: bool = False) -> tuple[list[Event], float]:
    """(events, seconds)."""
    events: list[Event] = []
    session = Session(Definition(name="p", working_dir=Path("/p")), engine, events.append)
    action = AwaitReady(
        target="p-web-1",
        cause=by_command("test"),
        service="web",
        condition="service_healthy",
        probe=HEALTHCHECK,
        timeout=timeout,
        optional=optional,
    )
    began = time.monotonic()
    try:
        execute(Plan((action,), project="p"), session)
    except ServiceError as error:
        events.append(Notice(text=error.message))
    return events, time.monotonic() - began


def test_a_healthcheck_that_hangs_does_not_prolong_the_wait(engine: HangingEngine) -> None:
    def hang(command: Any) -> ExecResult:
        engine.released.wait()
        return ExecResult(0, b"")

    running(engine, hang)
    events, seconds = wait(engine, 1.0)
    assert 1.0 <= seconds < 30  # the check would hang for ever
    assert any(isinstance(event, ServiceWaiting) for event in events)
    assert "within 1 s" in str(events[-1])


def test_a_slow_healthcheck_is_not_asked_twice_and_counts_in_the_end(engine: HangingEngine) -> None:
    asked: list[object] = []

    def check(command: Any) -> ExecResult:
        asked.append(command)
        time.sleep(1.2)
        return ExecResult(0, b"")

    running(engine, check)
    events, _ = wait(engine, 30.0)
    assert len(asked) == 1
    assert any(isinstance(event, ServiceReady) for event in events)


def test_an_engine_that_hangs_does_not_prolong_the_wait(engine: HangingEngine) -> None:
    running(engine, lambda command: ExecResult(0, b""))
    engine.hangs = True
    events, seconds = wait(engine, 0.5)
    assert 0.5 <= seconds < 30
    assert "the engine does not answer" in str(events[-1])


def test_a_service_that_nothing_requires_is_given_up_with_a_notice(engine: HangingEngine) -> None:
    running(engine, lambda command: ExecResult(0, b""))
    engine.hangs = True
    events, _ = wait(engine, 0.2, optional=True)
    assert any(isinstance(event, Notice) and "no service requires it" in event.text for event in events)


def test_within_returns_raises_and_gives_up() -> None:
    def fail() -> None:
        raise ValueError("its own")

    assert within(5, lambda: 7) == 7
    with pytest.raises(ValueError, match="its own"):
        within(5, fail)
    with pytest.raises(TimeoutError):
        within(0.05, threading.Event().wait)

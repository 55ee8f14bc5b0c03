"""What the tests of the executor carry out: actions on a fake engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.events import Event
from invoke_devstack.planning.causes import by_command
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    Condition,
    CreateContainer,
    Plan,
    Probe,
    RunHook,
    StartContainer,
)
from invoke_devstack.running.executing.executor import execute
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.running.session import Session
from invoke_devstack.settings import Settings
from tests.fakes import FakeEngine

CAUSE = by_command("test")
LABELS = {"com.docker.compose.project": "p", "com.docker.compose.service": "web"}


class Bench:
    """A session on a fake engine, whose hooks are what a test lets a plan do."""

    def __init__(self, parallel: int = 32) -> None:
        self.engine = FakeEngine()
        self.engine.add_image("image")
        self.events: list[Event] = []
        self.hooks = Hooks()
        self.session = Session(
            Definition(name="p", working_dir=Path("/p")),
            self.engine,
            self.events.append,
            settings=Settings(parallel=parallel),
            hooks=self.hooks,
        )

    def step(self, name: str, act: Callable[[], object], *needs: str) -> RunHook:
        """An action that does `act`."""
        self.hooks.add("do", name, lambda context: act())
        return RunHook(
            target=f"do {name}", cause=CAUSE, when="do", needs=frozenset(f"hook do {n}" for n in needs)
        )

    def run(self, *actions: Action, through_interrupt: bool = False) -> None:
        execute(Plan(actions, project="p"), self.session, through_interrupt=through_interrupt)

    def of(self, kind: type[Event]) -> list[str]:
        return [getattr(event, "target", "") for event in self.events if isinstance(event, kind)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def create(name: str = "p-web-1") -> CreateContainer:
    return CreateContainer(target=name, cause=CAUSE, service="web", body={"Image": "image", "Labels": LABELS})


def start(name: str = "p-web-1", *needs: str) -> StartContainer:
    return StartContainer(target=name, cause=CAUSE, service="web", needs=frozenset(needs))


def ready(
    name: str = "p-web-1",
    *needs: str,
    condition: Condition = "service_healthy",
    probe: Probe | None = None,
    timeout: float = 5.0,
    optional: bool = False,
) -> AwaitReady:
    return AwaitReady(
        target=name,
        cause=CAUSE,
        service="web",
        condition=condition,
        probe=probe or Probe(ProbeKind.RUNNING),
        timeout=timeout,
        needs=frozenset(needs),
        waited_for_by=("api",),
        optional=optional,
    )


def up(**waiting: Any) -> tuple[Action, ...]:
    name = "p-web-1"
    return create(), start(name, f"create {name}"), ready(name, f"start {name}", **waiting)


HEALTHCHECK = Probe(ProbeKind.HEALTHCHECK, command=("CMD", "check"))

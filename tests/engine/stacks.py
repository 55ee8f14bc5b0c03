"""Stacks for the tests of the running room: a Compose file in a folder of its own, on a real engine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

from invoke_devstack.definition import load
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.events import Event, LogBlock, LogSpan, ServiceReady, ServiceStopped
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.running.options import DownOptions, DownResult, UpOptions, UpResult
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import down, up
from invoke_devstack.settings import Settings

EventType = TypeVar("EventType", bound=Event)


@dataclass
class Stack:
    """A project whose file a test may write again; `events` are those of the last command."""

    engine: DockerEngine
    folder: Path
    project: str
    image: str
    hooks: Hooks = field(default_factory=Hooks)
    events: list[Event] = field(default_factory=list)

    def write(self, text: str) -> None:
        """`text` are the services and the rest; IMAGE stands for the tests' image."""
        content = dedent(text).replace("IMAGE", f'"{self.image}"')
        (self.folder / "compose.yaml").write_text(f"name: {self.project}\n{content}", encoding="utf-8")

    def session(self, **settings: Any) -> Session:
        self.events.clear()
        return Session(
            load(self.folder, environment={}),
            self.engine,
            self.record,
            settings=Settings(**settings),
            hooks=self.hooks,
        )

    def record(self, event: Event) -> None:
        """Keeps the event; of a span of log lines, its blocks in order, as `--json` prints them."""
        self.events += event.in_order() if isinstance(event, LogSpan) else [event]

    def up(self, **options: Any) -> UpResult:
        return up.bring_up(self.session(), UpOptions(**options))

    def down(self, **options: Any) -> DownResult:
        return down.take_down(self.session(), DownOptions(**options))

    def of(self, kind: type[EventType]) -> list[EventType]:
        return [event for event in self.events if isinstance(event, kind)]

    def ready(self) -> dict[str, ServiceReady]:
        return {event.service: event for event in self.of(ServiceReady)}

    def stopped(self) -> dict[str, ServiceStopped]:
        return {event.service: event for event in self.of(ServiceStopped)}

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def state(self, service: str) -> str:
        return str(self.engine.inspect_container(self.container(service))["State"]["Status"])

    def log(self) -> bytes:
        return b"".join(event.data for event in self.of(LogBlock))

    def wait_for_log(self, text: bytes, seconds: float = 60) -> bytes:
        """What was shown, once it holds `text`."""
        until = time.monotonic() + seconds
        while text not in (shown := self.log()):
            assert time.monotonic() < until, f"{text!r} did not come; there is {shown[-500:]!r}"
            time.sleep(0.02)
        return shown

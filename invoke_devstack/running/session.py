"""What every entry point of `running` takes: the stack, the engine, and where events go."""

from __future__ import annotations

import threading
import time
from dataclasses import field
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.events import Emit, container_label
from invoke_devstack.records import record
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.secrets import SecretValues
from invoke_devstack.settings import Settings

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


@record
class Session:
    """One command on one stack. `began`: when, by `time.monotonic()`; seconds in events count from it.
    `explain`: emit for each action the `docker` command that does the same. `dry`: print the plan instead.
    `stopping`: the names of containers that this command itself stops, so that their end is no news.
    `superseded`: set when something newer makes it pointless to wait until services are ready."""

    definition: Definition
    engine: Engine
    emit: Emit
    settings: Settings = field(default_factory=Settings)
    hooks: Hooks = field(default_factory=Hooks)
    interrupt: Interrupt = field(default_factory=Interrupt)
    explain: bool = False
    dry: bool = False
    secrets: SecretValues = field(default_factory=SecretValues)
    began: float = field(default_factory=time.monotonic)
    stopping: set[str] = field(default_factory=set)
    superseded: threading.Event | None = None

    @property
    def project(self) -> str:
        return self.definition.name

    def label(self, service: str, container: str) -> str:
        """The service for people, with the number of its container if it has several: `web-2`."""
        defined = self.definition.all_services.get(service)
        several = defined is not None and defined.scale_count() > 1
        return container_label(service, container, several=several)

    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began

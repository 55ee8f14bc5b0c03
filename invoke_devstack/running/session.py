"""What every entry of this room is given: the stack, the engine, and where its events go."""

from __future__ import annotations

import time
from dataclasses import field
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.events import Emit
from invoke_devstack.records import record
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.settings import Settings

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


@record
class Session:
    """One command on one stack. `began` is a reading of `time.monotonic()`: seconds in events count
    from it. With `explain` each step is accompanied by the `docker` command that does the same."""

    definition: Definition
    engine: Engine
    emit: Emit
    settings: Settings = field(default_factory=Settings)
    hooks: Hooks = field(default_factory=Hooks)
    interrupt: Interrupt = field(default_factory=Interrupt)
    explain: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def project(self) -> str:
        return self.definition.name

    def seconds(self) -> float:
        """How long the command has been running."""
        return time.monotonic() - self.began

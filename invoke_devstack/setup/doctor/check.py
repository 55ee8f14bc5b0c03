"""What the doctor says of one thing, and what it knows when it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from invoke_devstack.settings import Settings
from invoke_devstack.setup.machine import Machine

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.docker_engine import DockerEngine

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """`found` is what is there; `matters` says what comes of it and `mend` is the one command that
    changes it, both "" when all is well."""

    name: str
    state: State
    found: str
    matters: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """All that the checks look at. `engine` and `definition` are None where there is none; `info` is the
    engine's `GET /info`."""

    machine: Machine
    directory: Path
    settings: Settings
    definition: Definition | None = None
    engine: DockerEngine | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """The engine shares this machine's kernel and files; Docker Desktop's, in a VM, does not."""
        root = self.info.get("DockerRootDir")
        return bool(
            self.engine is not None and self.engine.endpoint.is_local and root and Path(str(root)).is_dir()
        )

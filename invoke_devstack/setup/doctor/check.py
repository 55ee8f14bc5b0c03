"""The result of one check, and what the checks look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from invoke_devstack.settings import Settings
from invoke_devstack.setup.machine import Machine

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.docker_engine import DockerEngine
    from invoke_devstack.planning.ports import WantedPort

State = Literal["ok", "warning", "failed"]
ChoosePorts = Callable[["Definition", "DockerEngine"], Mapping["WantedPort", int]]


def no_others(definition: Definition, engine: DockerEngine) -> Mapping[WantedPort, int]:
    """For ports that stay as they are."""
    return {}


@dataclass(frozen=True, slots=True)
class Check:
    """`found` is the state of things, `matters` what it affects, and `fix` the command (or the sentence) that
    fixes it. The last two are "" if the check passed."""

    name: str
    state: State
    found: str
    matters: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at. `engine` and `definition` are None if there is none; `info` is the engine's
    `GET /info`. `choose_ports` gives the host ports that `up` would use in place of wanted ones."""

    machine: Machine
    directory: Path
    settings: Settings
    definition: Definition | None = None
    engine: DockerEngine | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    choose_ports: ChoosePorts = no_others

    @property
    def is_local(self) -> bool:
        """Whether the engine shares this machine's kernel and files. Docker Desktop's, in a VM, does not."""
        root = self.info.get("DockerRootDir")
        return bool(
            self.engine is not None and self.engine.endpoint.is_local and root and Path(str(root)).is_dir()
        )

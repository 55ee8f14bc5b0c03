"""Which process owns a copy of the stack: a label says so, and the next run removes what dead processes
left."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import ConflictError, EngineError, NotFoundError
from invoke_devstack.planning.labels import HOOK_DUE_PROJECT, LOCK, PROJECT

LABEL = "dev.invoke-devstack.testing"
_ROUNDS = 20
_PAUSE = 0.25  # seconds between two rounds; the last request of a dead process may still be running


@dataclass(frozen=True, slots=True)
class Owner:
    """A process. `started` is its start time, seconds since the epoch, as text."""

    host: str
    pid: int
    started: str

    @classmethod
    def of_this_process(cls) -> Owner:
        import psutil

        process = psutil.Process()
        return cls(socket.gethostname(), process.pid, f"{process.create_time():.2f}")

    @classmethod
    def read(cls, text: str) -> Owner | None:
        """From a label's value; None if it is invalid."""
        host, _, rest = text.partition(" ")
        pid, _, started = rest.partition(" ")
        return cls(host, int(pid), started) if pid.isdecimal() and started else None

    def labels(self) -> dict[str, str]:
        return {LABEL: f"{self.host} {self.pid} {self.started}"}

    def is_dead(self) -> bool:
        """Whether the process is known to have ended. That of another machine never is."""
        import psutil

        if self.host != socket.gethostname():
            return False
        try:
            return f"{psutil.Process(self.pid).create_time():.2f}" != self.started
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False


def remove_leftovers(engine: Engine) -> tuple[str, ...]:
    """Removes copies whose owner is dead. Returns their project names."""
    filters = {"label": [LABEL]}
    projects: set[str] = set()
    for found in (
        engine.list_containers(filters),
        engine.list_networks(filters),
        engine.list_volumes(filters),
    ):
        projects |= {*_projects_of_the_dead(found)}
    for project in projects:
        remove_project(engine, project)
    return tuple(sorted(projects))


def _projects_of_the_dead(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for item in found:
        labels: Mapping[str, str] = item.get("Labels") or {}
        owner = Owner.read(labels.get(LABEL, ""))
        if owner and owner.is_dead() and labels.get(PROJECT):
            yield labels[PROJECT]


def remove_project(engine: Engine, project: str) -> None:
    """Removes a copy, its data, and what its commands noted on the engine: due hooks, a lock. Touches only
    what has the label of a copy, or names this one. Raises EngineError."""
    filters = {"label": [f"{PROJECT}={project}", LABEL]}
    for turn in range(_ROUNDS):
        containers = [str(item["Id"]) for item in engine.list_containers(filters)]
        networks = [str(item["Id"]) for item in engine.list_networks(filters)]
        volumes = [str(item["Name"]) for item in _volumes(engine, filters, project)]
        if not (containers or networks or volumes):
            return
        if turn:
            time.sleep(_PAUSE)
        for container in containers:
            _try(engine.remove_container, container, force=True)
        for network in networks:
            _try(engine.remove_network, network)
        for volume in volumes:
            _try(engine.remove_volume, volume)
    raise EngineError(
        f"could not remove the copy {project} of the stack",
        hint=f"See what is left: `docker ps --all --filter label={LABEL}`.",
    )


def _volumes(
    engine: Engine, filters: Mapping[str, Sequence[str]], project: str
) -> Iterator[Mapping[str, Any]]:
    yield from engine.list_volumes(filters)
    for key in (HOOK_DUE_PROJECT, LOCK):
        yield from engine.list_volumes({"label": [f"{key}={project}"]})


def _try(remove: Callable[..., object], name: str, **options: bool) -> None:
    """Ignores what is already gone. What is still in use is tried again in the next round."""
    try:
        remove(name, **options)
    except (NotFoundError, ConflictError):
        return
    except EngineError as error:
        if error.status is None or error.status >= 500:
            return
        raise

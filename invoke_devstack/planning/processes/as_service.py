"""A process of this machine as a service whose container the engine room keeps itself (`engine.processes`).

So a process has causes, hooks, logs and a state like every service. Its container differs in its image alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.model import Develop, Healthcheck, Service, WatchRule
from invoke_devstack.planning.connections import EXTENSION
from invoke_devstack.planning.labels import PROCESS_PORTS
from invoke_devstack.planning.processes.image import LOG_LINE, PROCESS_IMAGE, ports_text

if TYPE_CHECKING:
    from invoke_devstack.definition.processes.process import Process, Ready

_INTERVAL = 0.2  # seconds between two questions whether it is ready


def process_service(
    process: Process,
    *,
    environment: Mapping[str, str | None] | None = None,
    ports: Mapping[int, int] | None = None,
) -> Service:
    """The service for a process. `environment` replaces that of the process; `ports` are port of the
    container -> port of this machine, for a process in the place of a container."""
    shown = dict(ports or {})
    if process.ready and process.ready.port and process.ready.port not in shown.values():
        shown.setdefault(process.ready.port, process.ready.port)
    values: dict[str, Any] = {
        "name": process.name,
        "image": PROCESS_IMAGE,
        "command": process.command,
        "working_dir": process.working_dir,
        "environment": process.environment if environment is None else environment,
        "depends_on": process.depends_on,
        "restart": process.restart,
        "stop_signal": process.stop_signal,
        "stop_grace_period": process.stop_grace_period,
        "network_mode": "host",
        "pull_policy": "never",
        "labels": {PROCESS_PORTS: ports_text(shown.items())} if shown else {},
        "develop": Develop().copy_with({"watch": tuple(_rules(process))}),
        "extensions": _readiness(process.ready),
        "healthcheck": _healthcheck(process.ready),
    }
    return Service().copy_with(values)


def _rules(process: Process) -> Iterable[WatchRule]:
    for watched in process.watch:
        yield WatchRule().copy_with(
            {"path": watched.path, "action": "restart", "include": watched.include, "ignore": watched.ignore}
        )


def _readiness(ready: Ready | None) -> dict[str, Any]:
    if ready is None:
        return {EXTENSION: {"ready": "running"}}
    if ready.port is None:
        return {}
    return {EXTENSION: {"ready": {"port": ready.port, "path": ready.path} if ready.path else ready.port}}


def _healthcheck(ready: Ready | None) -> Healthcheck | None:
    if ready is None or not (ready.log or ready.exec):
        return None
    test = ("CMD", LOG_LINE, ready.log) if ready.log else ("CMD", *(ready.exec or ()))
    limits = {"interval": _INTERVAL, "retries": 1_000_000, "timeout": 30.0}
    return Healthcheck().copy_with({"test": test, **limits})

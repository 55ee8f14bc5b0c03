"""Makes a swarm of engines, or joins one: `invoke deploy.init`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Emit, Notice

_PORT = 2377


def make_swarm(
    engine: DockerEngine,
    workers: Sequence[tuple[str, DockerEngine]],
    *,
    address: str,
    confirm: Callable[[str], None],
    emit: Emit,
) -> None:
    """Makes `engine` the manager of a swarm, unless it is one, and has `workers` (name, engine) join it. Asks
    before each step. `address` is the manager's, for the others. Raises DevstackError."""
    swarm = engine.swarm
    state = swarm.state()
    if not state.get("ControlAvailable"):
        if state.get("LocalNodeState") == "active":
            raise DevstackError(
                f"the engine at {engine.endpoint.url} is a worker of another swarm",
                hint="Let it leave first: docker swarm leave",
            )
        at = f" at {address}" if address else ""
        confirm(f"Make the engine at {engine.endpoint.url} the manager of a new swarm{at}?")
        body = {"ListenAddr": f"0.0.0.0:{_PORT}", **({"AdvertiseAddr": address} if address else {})}
        swarm.begin(body)
        emit(Notice(text=f"The engine at {engine.endpoint.url} is the manager of a new swarm."))
        emit(_way_back(engine))
    elif not workers:
        emit(Notice(text=f"The engine at {engine.endpoint.url} is the manager of a swarm already."))
    for name, worker in workers:
        _join(engine, name, worker, confirm, emit)


def _join(
    manager: DockerEngine, name: str, worker: DockerEngine, confirm: Callable[[str], None], emit: Emit
) -> None:
    if worker.swarm.state().get("LocalNodeState") == "active":
        emit(Notice(text=f"{name} is in a swarm already."))
        return
    address = str(manager.swarm.state().get("NodeAddr") or "")
    confirm(f"Have {name} ({worker.endpoint.url}) join the swarm of {address}?")
    token = manager.swarm.inspect()["JoinTokens"]["Worker"]
    worker.swarm.join(
        {"ListenAddr": f"0.0.0.0:{_PORT}", "RemoteAddrs": [f"{address}:{_PORT}"], "JoinToken": token}
    )
    emit(Notice(text=f"{name} has joined the swarm."))
    emit(_way_back(worker))


def _way_back(engine: DockerEngine) -> Notice:
    """Only Docker's own client takes an engine out of a swarm."""
    host = shlex.quote(engine.endpoint.url)
    return Notice(text=f"To undo that: docker --host {host} swarm leave --force")

"""The cluster that a command works on, through one of its managers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.endpoints import context_names, endpoint_of_context
from invoke_devstack.engine.swarm.swarm import Swarm
from invoke_devstack.errors import DevstackError, EngineError
from invoke_devstack.planning.deploys.observed import ObservedStack, observed_stack, with_ids
from invoke_devstack.planning.plan import Body

_PATIENCE = 5.0  # seconds for the engine of a context to answer


class NoManagerError(DevstackError):
    """The engine is in no swarm, or is a worker of one."""

    reason = "no-manager"


class NoContextError(DevstackError):
    """A node that a command needs is out of reach."""

    reason = "no-context"


class Cluster:
    """The swarm behind `engine`, for one stack. `flags` are those with which a person named the two."""

    def __init__(self, engine: DockerEngine, stack: str, flags: Sequence[str] = ()) -> None:
        self.engine = engine
        self.stack = stack
        self._flags = flags

    def command(self, task: str = "deploy") -> str:
        """A task about the same stack, to paste."""
        return f"`{shlex.join(('invoke', task, *self._flags))}`"

    @property
    def swarm(self) -> Swarm:
        return self.engine.swarm

    def check_manager(self) -> None:
        """Raises NoManagerError."""
        state = self.swarm.state()
        where = f"the engine at {self.engine.endpoint.url}"
        if state.get("ControlAvailable"):
            return
        if state.get("LocalNodeState") != "active":
            raise NoManagerError(f"{where} is in no swarm", hint="Make one: `invoke deploy.init`")
        managers = [str(item.get("Addr")) for item in state.get("RemoteManagers") or ()]
        raise NoManagerError(
            f"{where} is a worker of its swarm, and only a manager can deploy",
            hint=f"Use the context of a manager (at {', '.join(managers)}): `invoke deploy --to CONTEXT`",
        )

    def engine_at(self, node: str, host: str) -> DockerEngine:
        """The engine of a node, by its id: the manager itself, or one that a Docker context reaches. `host`
        is the node's name, for messages. Raises NoContextError."""
        if self.swarm.state().get("NodeID") == node:
            return self.engine
        contexts = context_names()
        with ThreadPoolExecutor(len(contexts)) as pool:
            found = next((engine for engine in pool.map(partial(_reached, node), contexts) if engine), None)
        if found is None:
            raise NoContextError(
                f"no Docker context reaches {host}, where the task runs",
                hint=f"Make one: docker context create {host} --docker host=ssh://{host}",
            )
        return found

    def observe(self) -> ObservedStack:
        """The stack as it is, with what else the swarm has."""
        pool = self.engine.pool
        kinds = ("services", "configs", "secrets", "nodes")
        lists = {kind: pool.submit(self.swarm.objects, kind) for kind in kinds}
        networks = pool.submit(self.swarm.networks)
        tasks = self.swarm.objects("tasks")
        return observed_stack(
            self.stack,
            tasks=tasks,
            # Where a node's own network has the same name, the swarm's counts: it is the last.
            networks=sorted(networks.result(), key=lambda item: item.get("Scope") == "swarm"),
            **{kind: future.result() for kind, future in lists.items()},
        )

    def resolved(self, spec: Body, observed: ObservedStack) -> dict[str, Any]:
        """The spec with ids for the names in it."""
        networks = {name: str(item["Id"]) for name, item in observed.networks.items()}
        files: Mapping[str, Mapping[str, str]] = {
            kind: {name: str(item["ID"]) for name, item in found.items()}
            for kind, found in observed.files.items()
        }
        return with_ids(spec, networks, files)


def _reached(node: str, context: str) -> DockerEngine | None:
    """The engine of a context, if it is that of the node."""
    try:
        engine = connect(_PATIENCE, endpoint=endpoint_of_context(context))
        return engine if engine.swarm.state().get("NodeID") == node else None
    except EngineError:
        return None

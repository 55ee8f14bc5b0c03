"""The cluster that a command works on, through one of its managers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.endpoints import context_names, endpoint_of_context
from invoke_devstack.engine.swarm.swarm import Swarm
from invoke_devstack.errors import DevstackError, EngineError
from invoke_devstack.planning.deploys.observed import ObservedStack, observed_stack, with_ids
from invoke_devstack.planning.plan import Body
from invoke_devstack.records import record

_PATIENCE = 5.0  # seconds for the engine of a context to answer


class NoManagerError(DevstackError):
    """The engine is in no swarm, or is a worker of one."""

    reason = "no-manager"


class NoContextError(DevstackError):
    """A node that a command needs is out of reach."""

    reason = "no-context"


@record
class Reached:
    """A node whose engine a Docker context reaches."""

    node: str
    context: str
    engine: DockerEngine


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
        if self.node_id() == node:
            return self.engine
        found = self.other_nodes().get(node)
        if found is None:
            raise NoContextError(
                f"no Docker context reaches {host}, where the task runs",
                hint=f"Make one: docker context create {host} --docker host=ssh://{host}",
            )
        return found.engine

    def node_id(self) -> str:
        """That of the manager that is spoken to."""
        return str(self.swarm.state().get("NodeID") or "")

    def other_nodes(self) -> Mapping[str, Reached]:
        """The nodes that Docker contexts of this machine reach, by their ids, without the manager itself. No
        manager passes requests on to another node."""
        contexts, own = context_names(), self.node_id()
        with ThreadPoolExecutor(len(contexts)) as pool:
            found = [item for item in pool.map(_reached, contexts) if item]
        return {item.node: item for item in reversed(found) if item.node != own}

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


def _reached(context: str) -> Reached | None:
    """The node behind a context; None where no node of a swarm answers."""
    try:
        engine = connect(_PATIENCE, endpoint=endpoint_of_context(context))
        node = str(engine.swarm.state().get("NodeID") or "")
    except EngineError:
        return None
    return Reached(node, context, engine) if node else None

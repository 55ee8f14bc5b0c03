"""Removes a stack from the cluster. Volumes stay on their nodes."""

from __future__ import annotations

from collections.abc import Callable

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.deploying.lock import stack_lock
from invoke_devstack.deploying.rollout import Rollout
from invoke_devstack.events import DownFinished
from invoke_devstack.planning.deploys.plan import RemoveService, plan_removal
from invoke_devstack.planning.deploys.target import Target
from invoke_devstack.planning.plan import Plan
from invoke_devstack.running.session import Session


def take_down(cluster: Cluster, session: Session, confirm: Callable[[Plan], None]) -> None:
    """Removes services, networks, configs, secrets and the history of the stack."""
    plan = plan_removal(cluster.observe())
    if len(plan):
        confirm(plan)
        with stack_lock(cluster, session):
            plan = plan_removal(cluster.observe())
            Rollout(cluster, session, Target(cluster.stack, {}), plan, timeout=300, settles=False).run()
    volumes = _volumes(cluster)
    removed = tuple(action.service for action in plan if isinstance(action, RemoveService))
    session.emit(
        DownFinished(project=cluster.stack, seconds=session.seconds(), removed=removed, kept_volumes=volumes)
    )


def _volumes(cluster: Cluster) -> tuple[str, ...]:
    """Those on the manager; nobody tells what the other nodes have."""
    from invoke_devstack.planning.deploys.names import STACK

    found = cluster.engine.list_volumes({"label": [f"{STACK}={cluster.stack}"]})
    return tuple(sorted(str(item["Name"]) for item in found))

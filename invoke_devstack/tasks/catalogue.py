"""All tasks but `menu`, in the modules that declare them. The namespace, the menu and completion read it."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from invoke_devstack.tasks.agents import copies, explain_failure, mcp
from invoke_devstack.tasks.agents import init as agents_init
from invoke_devstack.tasks.containers import inside, inspection, lifecycle, whole
from invoke_devstack.tasks.data import snapshot, snapshots
from invoke_devstack.tasks.declare import Declaration
from invoke_devstack.tasks.deploying import cluster as deploy_cluster
from invoke_devstack.tasks.deploying import deploy
from invoke_devstack.tasks.deploying import export as deploy_export
from invoke_devstack.tasks.deploying import inside as deploy_inside
from invoke_devstack.tasks.machine import dashboard, init, machine, version
from invoke_devstack.tasks.reach import env, graph, ready, urls
from invoke_devstack.tasks.stack import (
    build,
    config,
    create,
    down,
    images,
    logs,
    ps,
    publish,
    stacks,
    status,
    traces,
    up,
    volumes,
    watch,
)

_MODULES: tuple[ModuleType, ...] = (
    up,
    down,
    ps,
    status,
    logs,
    watch,
    config,
    build,
    create,
    publish,
    stacks,
    volumes,
    lifecycle,
    inside,
    whole,
    inspection,
    urls,
    ready,
    explain_failure,
    graph,
    traces,
    env,
    snapshot,
    dashboard,
    mcp,
    machine,
    init,
    version,
)
COLLECTIONS: dict[str, tuple[ModuleType, ...]] = {
    "copies": (copies,),
    "agents": (agents_init,),
    "images": (images,),
    "snapshots": (snapshots,),
    "deploy": (deploy, deploy_cluster, deploy_inside, deploy_export),
}
"""Name -> the modules whose tasks are below it (`images.rm`); the first has the collection's docstring."""


def top_level() -> Iterator[Declaration]:
    """The tasks at the top of the namespace."""
    for module in _MODULES:
        yield from tasks_in(module)


def tasks_in(*modules: ModuleType) -> Iterator[Declaration]:
    """The tasks that modules declare."""
    return (item for module in modules for item in vars(module).values() if isinstance(item, Declaration))


def every() -> dict[str, Declaration]:
    """Full name -> task. The name of a collection (`images`) is that of its default task."""
    found = {declared.name: declared for declared in top_level()}
    for name, modules in COLLECTIONS.items():
        for declared in tasks_in(*modules):
            found[name if declared.default else f"{name}.{declared.name}"] = declared
    return found


def name_of(declared: Declaration) -> str:
    """What the task is called in a stack: `images.prune`, where the declaration has `prune`."""
    return next((name for name, item in every().items() if item is declared), declared.name)

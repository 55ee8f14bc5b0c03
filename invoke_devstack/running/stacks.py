"""Every stack on an engine: where it lives, what it uses, and how one of them is stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.lifecycle import plan_stop
from invoke_devstack.planning.plan import Body
from invoke_devstack.running.executor import carry_out
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session


@dataclass
class FoundStack:
    """`directory` is "" where only volumes are left of a stack that Compose made; `ports` are host ports."""

    name: str
    directory: str = ""
    running: int = 0
    containers: int = 0
    ports: set[int] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)


def all_stacks(engine: Engine) -> tuple[FoundStack, ...]:
    """Those with containers and those of which only volumes are left, by name. Two requests, however many
    stacks there are."""
    found: dict[str, FoundStack] = {}
    wanted = {"label": [labels.PROJECT]}
    for entry in engine.list_containers(wanted):
        _add_container(found.setdefault(_project(entry), FoundStack(_project(entry))), entry)
    for entry in engine.list_volumes(wanted):
        stack = found.setdefault(_project(entry), FoundStack(_project(entry)))
        stack.volumes.add(entry["Name"])
        stack.directory = stack.directory or entry["Labels"].get(labels.DIRECTORY, "")
    return tuple(found[name] for name in sorted(found))


def _project(entry: Body) -> str:
    return str(entry["Labels"][labels.PROJECT])


def _add_container(stack: FoundStack, entry: Body) -> None:
    stack.containers += 1
    stack.running += entry["State"] == "running"
    stack.directory = stack.directory or entry["Labels"].get(labels.WORKING_DIR, "")
    stack.ports |= {port["PublicPort"] for port in entry.get("Ports") or () if port.get("PublicPort")}
    stack.images.add(entry.get("Image", ""))


def rows(stacks: Iterable[FoundStack]) -> list[dict[str, object]]:
    """For a table. `there`: whether the directory is still on this machine."""
    return [
        {
            "stack": item.name,
            "running": item.running,
            "containers": item.containers,
            "ports": sorted(item.ports),
            "volumes": sorted(item.volumes),
            "images": sorted(item.images),
            "directory": item.directory,
            "there": bool(item.directory) and Path(item.directory).is_dir(),
        }
        for item in stacks
    ]


def find_stack(engine: Engine, name: str) -> FoundStack:
    """The stack of that name. Raises UsageError with the nearest one."""
    known = {item.name: item for item in all_stacks(engine)}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "`invoke stacks` lists those that there are."
        raise UsageError(f"there is no stack `{name}` on this engine", hint=hint)
    return known[name]


def stop(session: Session) -> int:
    """Stops the session's stack gracefully, from its containers' labels alone: its files need not be there.
    Containers and volumes stay. Returns how many containers were stopped."""
    with project_lock(session):
        observed = session.engine.observe(session.project, inspect=True)
        plan = plan_stop(None, observed, ())
        carry_out(session, plan, through_interrupt=True)
    return len(plan)

"""Lists the stacks of an engine, and the containers of one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.planning import labels
from invoke_devstack.planning.names import natural
from invoke_devstack.planning.observed import ENDED, ObservedContainer

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.plan import Body


class FoundStack:
    """`directory` is "" if only volumes are left of a stack that Compose created. `ports` are host ports.
    `copy`: which copy of a stack it is, "" if it is none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.directory = ""
        self.running = 0
        self.containers = 0
        self.ports: set[int] = set()
        self.volumes: set[str] = set()
        self.images: set[str] = set()
        self.copy = ""


def all_stacks(engine: Engine) -> tuple[FoundStack, ...]:
    """Stacks that have containers or volumes, by name. Takes two requests, for any number of stacks."""
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
    stack.copy = entry["Labels"].get(labels.COPY, stack.copy)
    stack.running += entry["State"] == "running"
    stack.directory = stack.directory or entry["Labels"].get(labels.WORKING_DIR, "")
    stack.ports |= {port["PublicPort"] for port in entry.get("Ports") or () if port.get("PublicPort")}
    stack.images.add(entry.get("Image", ""))


def rows(stacks: Iterable[FoundStack]) -> list[dict[str, object]]:
    """Rows for a table. `there`: whether the directory exists on this machine."""
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
    """The stack called `name`. Raises UsageError, which suggests a similar one."""
    known = {item.name: item for item in all_stacks(engine)}
    if name not in known:
        hint = did_you_mean(name, known, "List them: `invoke stacks`")
        raise UsageError(f"unknown stack `{name}`", hint=hint)
    return known[name]


def stack_started_in(engine: Engine, directory: Path, copy: str = "") -> FoundStack | None:
    """The only stack that was started in this directory and still has containers; with `copy`, that copy
    of it."""
    here = [item for item in all_stacks(engine) if item.containers and item.directory == str(directory)]
    found = [item for item in here if item.copy == copy]
    return found[0] if len(found) == 1 else None


def containers(
    engine: Engine, project: str, services: tuple[str, ...] = (), *, all_: bool = False
) -> tuple[dict[str, object], ...]:
    """A row for each container, by service and number: service, container, id, image, state, health,
    exit_code (None while it runs), ports (host_ip, host_port, container_port, protocol), started_at (RFC
    3339, "" if it never started), restarts, note. `all_`: also stopped and one-off containers."""
    return listing(engine, project, services, all_=all_)[0]


def listing(
    engine: Engine,
    project: str,
    services: tuple[str, ...],
    *,
    all_: bool,
    states: tuple[str, ...] = (),
) -> tuple[tuple[dict[str, object], ...], int]:
    """The rows, and how many containers have ended and have none. `states`: only containers in one of these,
    also stopped ones."""
    every = engine.observe(project, inspect=True).containers
    own = [item for item in every if not services or item.service in services]
    if states:
        found = [item for item in own if item.state in states and (all_ or not item.oneoff)]
    else:
        found = [item for item in own if all_ or (item.is_active and not item.oneoff)]
    ended = sum(item.state in ENDED and not item.oneoff for item in own if item not in found)
    ordered = sorted(found, key=lambda item: (natural(item.service), item.oneoff, item.number, item.name))
    return tuple(row(item) for item in ordered), ended


def row(container: ObservedContainer) -> dict[str, object]:
    return {
        "service": container.service,
        "container": container.name,
        "id": container.id,
        "image": container.image,
        "state": container.state,
        "health": container.health,
        "exit_code": container.exit_code,
        "ports": [dict(vars(port)) for port in container.ports],
        "started_at": container.started_at,
        "restarts": container.restarts,
        "note": _note(container),
    }


def _note(container: ObservedContainer) -> str:
    """What is to be known of the container's lives, "" if nothing is."""
    parts: list[str] = []
    if container.memory_limit is not None:
        limit = f" (limit {container.memory_limit / 1024**2:g} MiB)" if container.memory_limit else ""
        parts.append(f"killed by the kernel for memory{limit}")
    if container.restarts:
        parts.append(f"restarted {container.restarts} time{'s' if container.restarts != 1 else ''}")
    return ", ".join(parts)

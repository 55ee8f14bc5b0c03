"""Everything about one service: where its values come from, how it is reached, what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from invoke_devstack.dashboard.watching.entries import is_web, probe_log
from invoke_devstack.dashboard.watching.stack import Stack
from invoke_devstack.definition.output.trace import trace
from invoke_devstack.errors import DevstackError, EngineError, UsageError
from invoke_devstack.planning import connections
from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.observed import PublishedPort
from invoke_devstack.planning.plan import AwaitReady, Plan
from invoke_devstack.planning.plans import lifecycle as planning
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.ports.addresses import to_open
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.up import plan as plan_up
from invoke_devstack.secrets import MASK, masked

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

_MOST_CHANGES = 500
_CHANGES = {0: "changed", 1: "added", 2: "deleted"}
Part = dict[str, Any]


def detail(stack: Stack, name: str, parts: frozenset[str]) -> Part | None:
    """`GET services/NAME`; None if there is no such service. `parts` are slow ones that are wanted:
    processes, changes, commands."""
    session = stack.session
    service = session.definition.all_services.get(name)
    own = [item for item in stack.services() if item["service"] == name]
    if service is None and not own:
        return None
    body = next((stack.body_named(item["container"]) for item in own if item["container"]), {})
    found = {
        "service": name,
        "environment": list(_environment(session, name, service, body)),
        "ports": list(_ports(own)),
        "mounts": [_mount(item) for item in body.get("Mounts") or ()],
        "networks": list(_networks(body)),
        "probes": probe_log(body),
        "connections": list(_connections(session, service, own)) if service else [],
        "waits_for": own[0]["waits_for"] if own else {},
        "waited_for_by": own[0]["waited_for_by"] if own else [],
        "image": _image(session, own, body),
        "command": _words(body),
        "hostname": (body.get("Config") or {}).get("Hostname", ""),
        "build": _build(service),
        "processes": None,
        "changes": None,
        "changes_total": None,
        "commands": list(_commands(session, name)) if "commands" in parts or not parts else None,
    }
    if "processes" in parts:
        with suppress(EngineError):
            found["processes"] = _processes(session, body)
    if "changes" in parts:
        found |= _changes(session, body)
    hidden: Part = session.secrets.hide_in(found)
    return {**hidden, "containers": own}  # the containers are masked already


def _environment(
    session: Session, name: str, service: Service | None, body: Mapping[str, Any]
) -> Iterator[Part]:
    """What the container has, with the place that says so; of the image's own there is none."""
    pairs = (text.partition("=") for text in (body.get("Config") or {}).get("Env") or ())
    actual = {key: value for key, _, value in pairs}
    defined = {key: value or "" for key, value in service.environment.items()} if service else {}
    for key in sorted({*actual, *defined}):
        value = actual.get(key, defined.get(key, ""))
        shown = masked(key, value)
        position = _place(session, name, key) if key in defined else ""
        yield {
            "name": key,
            "value": shown,
            "masked": shown != value,
            "position": position,
            "source": "definition" if key in defined else "image",
            "pending": bool(body) and key in defined and defined[key] != actual.get(key),
        }


def _place(session: Session, service: str, key: str) -> str:
    try:
        found = trace(session.definition, f"services.{service}.environment.{key}")[0]
    except (UsageError, IndexError):
        return ""
    position = found.position
    return f"{position.file}:{position.line}" if position and position.line else ""


def _ports(own: list[Part]) -> Iterator[Part]:
    for item in own:
        for port in item["ports"]:
            address = to_open([PublishedPort(**port)], web=any("://" in text for text in item["addresses"]))
            yield {**port, "container": item["container"], "address": address[0] if address else ""}


def _mount(item: Mapping[str, Any]) -> Part:
    return {
        "type": item.get("Type", ""),
        "source": item.get("Source", ""),
        "target": item.get("Destination", ""),
        "name": item.get("Name", ""),
        "read_only": not item.get("RW", True),
    }


def _networks(body: Mapping[str, Any]) -> Iterator[Part]:
    for name, joined in ((body.get("NetworkSettings") or {}).get("Networks") or {}).items():
        aliases = sorted({*(joined.get("Aliases") or ()), *(joined.get("DNSNames") or ())})
        yield {"name": name, "address": joined.get("IPAddress", ""), "aliases": aliases}


def _connections(session: Session, service: Service, own: list[Part]) -> Iterator[Part]:
    inside = connections.inside(session.definition, service)
    if inside is not None:
        yield from _shown("container", inside)
    outside = _outside(session, service, own)
    if outside is not None:
        yield from _shown("host", outside)


def _outside(session: Session, service: Service, own: list[Part]) -> connections.Connection | None:
    """From this machine, by the port that the running container has."""
    image = connections.image_of(session.definition, service)
    ports = [PublishedPort(**port) for item in own for port in item["ports"]]
    usable = [port for port in ports if port.host_port and port.protocol == "tcp"]
    chosen = [port for port in usable if image and port.container_port == image.port] or usable
    if not chosen:
        return None
    login = connections.service_login(session.definition, service)
    page = next((text for text in to_open(chosen[:1], web=is_web(session.definition, service))), "")
    host = session.engine.endpoint.host
    return connections.Connection(service.name, host, chosen[0].host_port, image, login, page)


def _shown(place: str, connection: connections.Connection) -> Iterator[Part]:
    for name, value in connection.variables().items():
        shown = masked(name, value)
        if connection.login.password:
            shown = shown.replace(connection.login.password, MASK)
        yield {"from": place, "name": name, "value": shown, "masked": shown != value}


def _image(session: Session, own: list[Part], body: Mapping[str, Any]) -> Part:
    reference = own[0]["image"] if own else ""
    found: Mapping[str, Any] = {}
    with suppress(EngineError):
        found = session.engine.inspect_image(str(body.get("Image") or reference))
    return {
        "reference": reference,
        "id": found.get("Id", ""),
        "created": found.get("Created", ""),
        "size": found.get("Size", 0),
        "stand_in": bool(own and own[0]["stand_in"]),
        "note": own[0]["image_note"] if own else "",
    }


def _words(body: Mapping[str, Any]) -> str:
    import shlex

    config = body.get("Config") or {}
    return shlex.join([*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())])


def _build(service: Service | None) -> Part | None:
    build = service.build if service else None
    if build is None:
        return None
    return {
        "context": build.context or "",
        "dockerfile": build.dockerfile or "",
        "target": build.target or "",
    }


def _processes(session: Session, body: Mapping[str, Any]) -> Part | None:
    if not (body.get("State") or {}).get("Running"):
        return None
    found = session.engine.top(str(body["Id"]))
    return command_first(found["Titles"], found["Processes"] or ())


def command_first(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Part:
    """The processes as a table, the command before the other columns: they may be wider than the page."""
    order = sorted(range(len(titles)), key=lambda place: titles[place] not in ("CMD", "COMMAND"))
    return {
        "columns": [titles[place] for place in order],
        "rows": [[row[place] for place in order] for row in rows],
    }


def _changes(session: Session, body: Mapping[str, Any]) -> Part:
    if not body:
        return {}
    try:
        found = session.engine.changes(str(body["Id"])) or []
    except EngineError:
        return {}
    rows = [
        {"change": _CHANGES.get(item["Kind"], str(item["Kind"])), "path": item["Path"]}
        for item in found[:_MOST_CHANGES]
    ]
    return {"changes": rows, "changes_total": len(found)}


def _commands(session: Session, name: str) -> Iterator[Part]:
    """Beside each action, the docker commands that do the same now."""
    observed = observe(session.definition, session.engine, inspect=True)
    patience = session.settings.wait_timeout
    plans: dict[str, Callable[[], Plan]] = {
        "up": lambda: plan_up(session, UpOptions(services=(name,))),
        "rebuild": lambda: plan_up(session, UpOptions(services=(name,), build=True)),
        "start": lambda: planning.plan_start(session.definition, observed, (name,), wait_timeout=patience),
        "stop": lambda: planning.plan_stop(session.definition, observed, (name,), timeout=None),
        "restart": lambda: planning.plan_restart(
            session.definition, observed, (name,), timeout=None, wait_timeout=patience
        ),
        "pause": lambda: planning.plan_pause(observed, (name,)),
        "unpause": lambda: planning.plan_unpause(observed, (name,)),
        "kill": lambda: planning.plan_kill(observed, (name,), signal="SIGKILL"),
    }
    for task, make in plans.items():
        try:
            actions = [action for action in make() if not isinstance(action, AwaitReady)]
            commands = [step.command for action in actions for step in docker_commands(action)]
        except DevstackError:
            continue
        if commands:
            yield {"task": task, "label": task, "commands": commands}

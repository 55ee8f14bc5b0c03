"""What containers are and do: port, top, stats, events, inspect, wait, diff."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import at_most_one, choice, count, not_empty, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke_devstack.planning.observed import ObservedContainer
    from invoke_devstack.tasks.work import Work

_CHANGES = {0: "changed", 1: "added", 2: "deleted"}  # Engine API, GET /containers/{id}/changes


@task(
    "port",
    json="answer",
    words="private_port",
    flags={
        "private_port": "Only this port of the container, as `port web 80` says it too.",
        "protocol": "Only ports of this protocol: `tcp` or `udp`.",
        "index": "Of the container with this number, as `web.2` says it too.",
    },
)
def port(
    work: Work, service: str, private_port: tuple[str, ...] = (), protocol: str = "", index: str = ""
) -> None:
    """List the published ports of a service.

    `invoke port web 80` prints only the address of port 80.
    """
    from invoke_devstack.tasks.lookup import container

    not_empty("port", *private_port)
    numbers = (count("private-port", text) for text in private_port)
    asked = {number for number in numbers if number is not None}
    kind = choice("protocol", protocol, ("tcp", "udp")) if protocol else ""
    found = container(work, numbered(service, index))
    rows: list[dict[str, object]] = [
        dict(vars(item))
        for item in found.ports
        if item.host_port and kind in ("", item.protocol) and (not asked or item.container_port in asked)
    ]
    if asked:
        _show_addresses(work, found.service, asked, rows)
        return
    columns = ("container_port", "protocol", "host_ip", "host_port")
    work.table("ports", columns, rows, f"`{service}` publishes no ports")


def _show_addresses(work: Work, service: str, asked: set[int], rows: list[dict[str, object]]) -> None:
    from invoke_devstack.errors import ServiceError

    missing = asked - {int(str(row["container_port"])) for row in rows}
    if missing:
        text = f"`{service}` does not publish port {min(missing)}"
        raise ServiceError(text, service=service, hint=f"List what it publishes: `invoke port {service}`.")
    work.answer("\n".join(f"{_host(str(row['host_ip']))}:{row['host_port']}" for row in rows), rows)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@task("top", json="answer")
def top(work: Work, service: tuple[str, ...] = ()) -> None:
    """List the processes in each container."""
    from invoke_devstack.running.watch.delivery.unpack_shell import SYNC_SHELL
    from invoke_devstack.tasks.lookup import containers

    rows: list[dict[str, object]] = []
    for item in containers(work, service, running=True):
        found = work.engine.top(item.id)
        titles = [str(title).lower() for title in found["Titles"]]
        for process in found["Processes"] or ():
            row = {"service": item.service, "container": item.name, **dict(zip(titles, process, strict=True))}
            if SYNC_SHELL not in str(row.get("cmd", row.get("command", ""))):
                rows.append(row)
    work.learn_secrets(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    shown = [name for name in columns if name not in ("container", "c", "ppid", "tty", "stime")]
    work.table("processes", shown, rows, "no container is running")


@task(
    "stats",
    json="answer",
    shorts={"follow": "f", "all_": "a"},
    flags={
        "follow": "Refresh until Ctrl-C. Default on a terminal.",
        "no_stream": "Measure once. Default without a terminal.",
        "all_": "Containers that do not run too.",
    },
)
def stats(
    work: Work,
    service: tuple[str, ...] = (),
    follow: bool = False,
    no_stream: bool = False,
    all_: bool = False,
    json: bool = False,
) -> None:
    """Show CPU, memory and I/O of each container."""
    from invoke_devstack.console import is_watched
    from invoke_devstack.events import Table
    from invoke_devstack.running.stack.stats import COLUMNS, Meters, idle_row
    from invoke_devstack.tasks.lookup import containers

    at_most_one(follow=follow, no_stream=no_stream)
    live = follow or not (no_stream or json or not is_watched())
    found = containers(work, service, running=not all_)
    meters = Meters(work.engine, [item for item in found if item.is_running])
    idle = [idle_row(item) for item in found if not item.is_running]
    rows = (*meters.read(), *idle)
    work.tell(Table(title="use", columns=COLUMNS, rows=rows, empty="no container is running", live=live))
    while live and (measured := meters.read()):
        work.tell(Table(title="use", columns=COLUMNS, rows=(*measured, *idle), live=True))


@task(
    "events",
    json="events",
    prints=True,
    flags={
        "since": "Only events since then: `10m`, or a time such as 2026-01-31T12:00:00Z.",
        "until": "Stop at this time; `0s` is now.",
        "all_": "Also those of healthchecks, which come every few seconds.",
    },
    shorts={"all_": "a"},
)
def events(work: Work, since: str = "", until: str = "", all_: bool = False) -> None:
    """Print engine events of the stack until Ctrl-C."""
    from invoke_devstack.running.logs.sources import moment
    from invoke_devstack.running.stack.happening import happening

    work.learn_secrets()
    span = {"since": moment(since, "since"), "until": moment(until, "until")}
    for event in happening(work.engine, work.project, healthchecks=all_, **span):
        work.tell(event)


@task("inspect", json="answer")
def inspect(work: Work, service: str) -> None:
    """Show details of a service's container."""
    from invoke_devstack.tasks.lookup import container

    found = work.engine.inspect_container(container(work, service, running=False).id)
    work.learn_secrets(found)
    from invoke_devstack.secrets import masked

    config = dict(found.get("Config") or {})
    pairs = (text.partition("=") for text in config.get("Env") or ())
    config["Env"] = [f"{name}{equals}{masked(name, value)}" for name, equals, value in pairs]
    data = {**found, "Config": config}
    work.answer(json_module.dumps(data, indent=2, ensure_ascii=False), data)


@task("wait", json="answer", flags={"down_project": "Then take the whole stack down. Volumes stay."})
def wait(work: Work, service: tuple[str, ...] = (), down_project: bool = False) -> None:
    """Wait until services exit.

    The exit code is that of the first service that failed.
    """
    from invoke_devstack.errors import CommandExited
    from invoke_devstack.tasks.lookup import containers

    found = containers(work, service)
    _check_started(work, service, found)
    _say_why_it_waits(work, found)
    codes = [work.engine.wait(item.id) for item in found]
    rows: list[dict[str, object]] = [
        {"service": item.service, "container": item.name, "exit_code": code}
        for item, code in zip(found, codes, strict=True)
    ]
    work.table("ended", ("service", "container", "exit_code"), rows, "")
    if down_project:
        from invoke_devstack.running.options import DownOptions
        from invoke_devstack.running.stack.down import take_down

        with work.session() as session:
            take_down(session, DownOptions())
    failed = next((code for code in codes if code), 0)
    if failed:
        raise CommandExited(failed)


def _check_started(work: Work, services: Sequence[str], found: tuple[ObservedContainer, ...]) -> None:
    """Raises ServiceError for what cannot exit, because it never started: its exit code would be 0."""
    from invoke_devstack.errors import DevstackError, ServiceError

    started = {item.service for item in found if item.state != "created"}
    for name in work.services(services) or sorted({item.service for item in found}):
        if name not in started:
            raise ServiceError(
                f"`{name}` never started, so there is nothing to wait for",
                service=name,
                hint=f"Start it: `invoke up -s {name}`.",
            )
    if not found:
        raise DevstackError(f"{work.project} has no containers to wait for", hint="Start it: `invoke up`.")


def _say_why_it_waits(work: Work, found: tuple[ObservedContainer, ...]) -> None:
    from invoke_devstack.events import Notice
    from invoke_devstack.planning.verdicts.one_shots import restarts

    names = tuple(dict.fromkeys(item.service for item in found if item.is_active))
    if names:
        work.tell(Notice(text=f"waiting for {', '.join(names)} to exit"))
    known = work.definition.all_services
    for name in names:
        if name in known and restarts(known[name]):
            text = "the engine restarts it when it exits (`restart:`): this waits for its next exit"
            work.tell(Notice(text=text, service=name))


@task("diff", json="answer")
def diff(work: Work, service: str) -> None:
    """List files that a service changed in its container."""
    from invoke_devstack.tasks.lookup import container

    found = container(work, service, running=False)
    rows: list[dict[str, object]] = [
        {"change": _CHANGES.get(item["Kind"], str(item["Kind"])), "path": item["Path"]}
        for item in work.engine.changes(found.id) or ()
    ]
    work.table("changes", ("change", "path"), rows, f"`{service}` changed no files")

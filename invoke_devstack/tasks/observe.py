"""What the stack's containers are and do: port, top, stats, events, inspect, wait, diff."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING, Any

from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke_devstack.tasks.context import Work

_CHANGES = {0: "changed", 1: "added", 2: "deleted"}  # Engine API, GET /containers/{id}/changes


@command("port", json="answer")
def port(work: Work, service: str, json: bool = False) -> None:
    """Show where each port of a service is reached."""
    from invoke_devstack.tasks.targets import container

    found = container(work, service)
    rows: list[dict[str, object]] = [
        {
            "container_port": item.container_port,
            "protocol": item.protocol,
            "host_ip": item.host_ip,
            "host_port": item.host_port,
        }
        for item in found.ports
        if item.host_port
    ]
    columns = ("container_port", "protocol", "host_ip", "host_port")
    work.table("ports", columns, rows, f"`{service}` publishes no port")


@command("top", json="answer")
def top(work: Work, service: tuple[str, ...] = (), json: bool = False) -> None:
    """List the processes that run in each service."""
    from invoke_devstack.tasks.targets import containers

    rows: list[dict[str, object]] = []
    for item in containers(work, service, running=True):
        found = work.engine.top(item.id)
        titles = [str(title).lower() for title in found["Titles"]]
        for process in found["Processes"] or ():
            rows.append({"service": item.service, **dict(zip(titles, process, strict=True))})
    columns = list(dict.fromkeys(key for row in rows for key in row))
    shown = [name for name in columns if name not in ("c", "ppid", "tty", "stime")]
    work.table("processes", shown, rows, "no service runs")


@command(
    "stats",
    json="answer",
    shorts={"follow": "f"},
    flags={
        "follow": "Go on until Ctrl-C. The default on a terminal.",
        "no_stream": "Measure once. The default where there is no terminal.",
    },
)
def stats(
    work: Work,
    service: tuple[str, ...] = (),
    follow: bool = False,
    no_stream: bool = False,
    json: bool = False,
) -> None:
    """Show the processor, memory and disk use of each."""
    from invoke_devstack.events import Table
    from invoke_devstack.running.measuring import COLUMNS, Meters
    from invoke_devstack.tasks.targets import containers

    values.at_most_one(follow=follow, no_stream=no_stream)
    goes_on = follow or not (no_stream or json or not sys.stdout.isatty())
    meters = Meters(work.engine, containers(work, service, running=True))
    rows = meters.read()
    work.tell(Table(title="use", columns=COLUMNS, rows=tuple(rows), empty="no service runs", live=goes_on))
    while goes_on and (rows := meters.read()):
        work.tell(Table(title="use", columns=COLUMNS, rows=tuple(rows), live=True))


@command(
    "events",
    json="events",
    tells=True,
    flags={
        "since": "Begin with what happened since then: `10m`, or a time such as 2026-01-31T12:00:00Z.",
        "until": "End with what happened until then; `0s` is now.",
    },
)
def events(work: Work, since: str = "", until: str = "", json: bool = False) -> None:
    """Tell what happens on the engine, until Ctrl-C."""
    from invoke_devstack.events import Happened
    from invoke_devstack.planning.labels import PROJECT, SERVICE
    from invoke_devstack.running.log_sources import moment

    label = f"{PROJECT}={work.project}"
    span = {"since": moment(since, "since"), "until": moment(until, "until")}
    for event in work.engine.events({"label": [label]}, **span):
        work.tell(
            Happened(
                kind=event.type,
                action=event.action,
                service=event.attributes.get(SERVICE, ""),
                name=event.attributes.get("name", event.id[:12]),
                time=event.time,
            )
        )


@command("inspect", json="answer")
def inspect(work: Work, service: str, json: bool = False) -> None:
    """Show all that is known of a service's container."""
    from invoke_devstack.tasks.targets import container

    found = work.engine.inspect_container(container(work, service, running=False).id)
    data = without_secrets(found)
    work.answer(json_module.dumps(data, indent=2, ensure_ascii=False), data)


@command("wait", json="answer")
def wait(work: Work, service: tuple[str, ...] = (), json: bool = False) -> None:
    """Wait until services have ended.

    The exit code is that of the first that failed.
    """
    from invoke_devstack.errors import CommandExited
    from invoke_devstack.tasks.targets import containers

    found = containers(work, service)
    codes = [work.engine.wait(item.id) for item in found]
    rows: list[dict[str, object]] = [
        {"service": item.service, "container": item.name, "exit_code": code}
        for item, code in zip(found, codes, strict=True)
    ]
    work.table("ended", ("service", "container", "exit_code"), rows, "there is no container to wait for")
    failed = next((code for code in codes if code), 0)
    if failed:
        raise CommandExited(failed)


@command("diff", json="answer")
def diff(work: Work, service: str, json: bool = False) -> None:
    """List the files that a service's container changed."""
    from invoke_devstack.tasks.targets import container

    found = container(work, service, running=False)
    rows: list[dict[str, object]] = [
        {"change": _CHANGES.get(item["Kind"], str(item["Kind"])), "path": item["Path"]}
        for item in work.engine.changes(found.id) or ()
    ]
    work.table("changes", ("change", "path"), rows, f"`{service}` has changed no file")


def without_secrets(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """The container as the engine describes it, the values of variables that look like a secret masked."""
    from invoke_devstack.secrets import masked

    config = dict(inspected.get("Config") or {})
    pairs = (text.partition("=") for text in config.get("Env") or ())
    config["Env"] = [f"{name}{equals}{masked(name, value)}" for name, equals, value in pairs]
    return {**inspected, "Config": config}

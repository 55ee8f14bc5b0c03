"""Where the stack is and whether it is ready: urls, open, graph, is-ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work


@command("urls", json="answer")
def urls(work: Work, service: tuple[str, ...] = (), json: bool = False) -> None:
    """List the addresses to open or connect to."""
    from invoke_devstack.running.endpoints import to_open
    from invoke_devstack.tasks.targets import containers

    rows: list[dict[str, object]] = [
        {"service": item.service, "address": address}
        for item in containers(work, service, running=True)
        for address in to_open(item.ports)
    ]
    work.table("addresses", ("service", "address"), rows, "no service that runs publishes a port")


@command("open", json="answer")
def open_(work: Work, service: str, json: bool = False) -> None:
    """Open a service's page in the browser."""
    import webbrowser

    from invoke_devstack.errors import ServiceError
    from invoke_devstack.running.endpoints import to_open
    from invoke_devstack.tasks.targets import container

    found = container(work, service)
    pages = [address for address in to_open(found.ports, web=True) if "://" in address]
    if not pages:
        raise ServiceError(
            f"`{service}` publishes no port that a browser could open",
            service=service,
            hint="`invoke urls` lists the addresses that there are.",
        )
    work.answer(pages[0], pages[0])
    if not webbrowser.open(pages[0]):
        raise ServiceError(
            "there is no browser here", service=service, hint=f"Open {pages[0]} where there is one."
        )


@command(
    "is-ready",
    json="answer",
    shorts={"wait": "w"},
    flags={
        "wait": "Wait until it is, at most as long as `up` would.",
        "timeout": "Seconds to wait, in place of `devstack.wait_timeout`.",
    },
)
def is_ready(
    work: Work, service: tuple[str, ...] = (), wait: bool = False, timeout: str = "", json: bool = False
) -> None:
    """End with 0 if all is ready, else with 1."""
    import time

    from invoke_devstack.errors import CommandExited

    limit = values.seconds("timeout", timeout)
    deadline = time.monotonic() + (work.settings.wait_timeout if limit is None else limit)
    while True:
        rows = _readiness(work, service)
        ready = all(row["ready"] for row in rows)
        if ready or not wait or time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    work.table("readiness", ("service", "state", "ready"), rows, "the stack has no service")
    if not ready:
        raise CommandExited(1)


def _readiness(work: Work, names: tuple[str, ...]) -> list[dict[str, object]]:
    from invoke_devstack.running.observing import observe
    from invoke_devstack.running.ready_now import ready_now

    wanted = work.services(names)
    definition = work.bound_definition
    observed = observe(definition, work.engine)
    rows: list[dict[str, object]] = []
    for name in wanted or tuple(definition.services):
        found = [ready_now(work.engine, definition, item, observed) for item in observed.of_service(name)]
        state = ", ".join(dict.fromkeys(state for state, _ in found)) or "not there"
        ready = bool(found) and all(ready for _, ready in found)
        rows.append({"service": name, "state": state, "ready": ready})
    return rows


@command(
    "graph",
    json="answer",
    flags={"format": "`text` (default), `mermaid` for Markdown, or `svg`."},
)
def graph(work: Work, format: str = "text", json: bool = False) -> None:  # noqa: A002 - the flag's name
    """Draw the services and what they wait for."""
    from invoke_devstack.tasks import drawing

    style = values.choice("format", format, ("text", "mermaid", "svg"))
    states = _states(work)
    picture = drawing.Picture.of(work.definition.services, states)
    work.answer(picture.draw(style), picture.data())


def _states(work: Work) -> dict[str, str]:
    """Service -> how it is; without an engine nothing is known, and the picture has no states."""
    from invoke_devstack.errors import EngineUnavailableError
    from invoke_devstack.running.observing import observe
    from invoke_devstack.running.ready_now import state_now

    try:
        definition = work.bound_definition
        observed = observe(definition, work.engine)
    except EngineUnavailableError:
        return {}
    found = (item for item in observed.containers if not item.oneoff)
    return {item.service: state_now(definition, item, observed) for item in found}

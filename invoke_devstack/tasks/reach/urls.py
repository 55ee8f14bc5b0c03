"""Addresses of services: urls, open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from invoke_devstack.planning.observed import PublishedPort
    from invoke_devstack.tasks.work import Work


@task("urls", json="answer")
def urls(work: Work, service: tuple[str, ...] = ()) -> None:
    """List addresses to open or connect to."""
    from invoke_devstack.running.ports.reach import reach_of

    reach = reach_of(work.engine.endpoint, work.project)
    rows = addresses(work, service)
    empty = "no running service publishes a port"
    if reach.host:
        empty += f" that is reachable from here; for those on {reach.host} alone: `invoke up --tunnel`"
    work.table("addresses", ("service", "address"), rows, empty)


def addresses(work: Work, service: tuple[str, ...] = ()) -> list[dict[str, object]]:
    """`service` and `address` of each published port of a running service."""
    from invoke_devstack.running.ports.addresses import to_open
    from invoke_devstack.running.ports.reach import reach_of
    from invoke_devstack.tasks.lookup import containers

    reach = reach_of(work.engine.endpoint, work.project)
    return [
        {"service": item.service, "address": address}
        for item in containers(work, service, running=True)
        for address in to_open(item.ports, reach=reach)
    ]


@task("open", json="answer")
def open_(work: Work, service: str) -> None:
    """Open a service in the browser."""
    import webbrowser

    from invoke_devstack.errors import ServiceError
    from invoke_devstack.planning.connections import image_of
    from invoke_devstack.running.ports.addresses import to_open
    from invoke_devstack.running.ports.reach import reach_of
    from invoke_devstack.tasks.lookup import container

    found = container(work, service)
    known = image_of(work.definition, work.definition.all_services[found.service])
    reach = reach_of(work.engine.endpoint, work.project)
    links = to_open(_of_pages(found.ports), web=known is None, reach=reach)
    pages = [address for address in links if "://" in address]
    if not pages:
        raise ServiceError(
            f"`{service}` has no page for a browser",
            service=service,
            hint=f"Open its client: `invoke connect {service}`."
            if known and known.client
            else "List all addresses with `invoke urls`.",
        )
    work.answer(pages[0], pages[0])
    if not webbrowser.open(pages[0]):
        raise ServiceError(
            "no browser found", service=service, hint=f"Open {pages[0]} on a machine that has one."
        )


def _of_pages(ports: Iterable[PublishedPort]) -> list[PublishedPort]:
    """Without those on which servers of another protocol usually listen, such as 3306."""
    from invoke_devstack.planning.probe_choice import is_server_port

    return [port for port in ports if not is_server_port(port.container_port)]

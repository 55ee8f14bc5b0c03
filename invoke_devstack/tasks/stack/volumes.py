"""`invoke volumes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "volumes",
    json="answer",
    shorts={"quiet": "q"},
    flags={"quiet": "Only the names of the volumes."},
)
def volumes(work: Work, service: tuple[str, ...] = (), quiet: bool = False, json: bool = False) -> None:
    """List the stack's volumes: size, and who uses them."""
    from invoke_devstack.running.stack.volumes import listing

    names = work.services(service)
    rows = listing(work.engine, work.bound_definition, names, sizes=not quiet)
    if quiet:
        work.names((str(row["volume"]) for row in rows), json=json)
        return
    places = ("place",) if any(row["place"] for row in rows) else ()
    columns = ("volume", "size", "kind", "used_by", *places)
    work.table("volumes", columns, rows, f"{work.project} has no volumes")

"""Saved copies of data: list, move and delete them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.tasks.data.snapshot import row_of
from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task("list", json="answer")
def list_(work: Work, service: tuple[str, ...] = ()) -> None:
    """List snapshots of this stack, oldest first."""
    from invoke_devstack.running.snapshots import common

    wanted = work.services(service)
    found = common.list_snapshots(work.engine, work.project)
    rows = [row_of(item) for item in found if not wanted or item.service in wanted]
    columns = ("name", "service", "size", "created_at", "volumes")
    work.table("snapshots", columns, rows, "no snapshots; take one with `invoke snapshot SERVICE`")


@task(
    "export",
    json="answer",
    flags={
        "name": "The snapshot; see `invoke snapshots`.",
        "file": "The file to write.",
        "service": "The service, if several have a snapshot of that name.",
    },
)
def export(work: Work, name: str, file: str, service: str = "") -> None:
    """Write a snapshot to a file.

    Only you can read the file. A name that ends in `.tgz` compresses it.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.running.snapshots import files

    path = Path(file).absolute()
    wanted = work.service(service) if service else ""
    with work.session() as session:
        amount = files.export(session, name, path, wanted)
    work.answer(f"wrote {path}: {size(amount)}", {"name": name, "file": str(path), "size": amount})


@task(
    "import",
    json="answer",
    shorts={"name": "n"},
    flags={
        "file": "A file that `invoke snapshots.export` wrote.",
        "name": "Import it under this name.",
        "service": "Import it for this service.",
    },
)
def import_(work: Work, file: str, name: str = "", service: str = "") -> None:
    """Read a snapshot from a file.

    The file was written by `invoke snapshots.export`. `invoke restore` then puts the data in place.
    """
    from invoke_devstack.running.snapshots import files

    wanted = work.service(service) if service else ""
    with work.session() as session:
        made = files.import_(session, Path(file).absolute(), name, wanted)
    back = f"invoke restore {made.service} --name {made.name}"
    work.answer(f"imported {made.name} of {made.service}; restore it with `{back}`", row_of(made))


@task(
    "rm",
    json="events",
    flags={
        "name": "The snapshot; see `invoke snapshots`.",
        "service": "The service, if several have a snapshot of that name.",
    },
)
def rm(work: Work, name: str, service: str = "", yes: bool = False) -> None:
    """Delete a snapshot. Asks first."""
    from invoke_devstack.planning.plans.snapshots import find_snapshot
    from invoke_devstack.running.snapshots import common, taking

    wanted = work.service(service) if service else ""
    found = find_snapshot(common.list_snapshots(work.engine, work.project), name, wanted)
    text = f"the snapshot {found.name} of {found.service}"
    work.confirm(f"Delete {text}?", yes=yes, loses=text)
    with work.session() as session:
        taking.remove(session, found.name, found.service)
    work.answer(f"deleted {text}")

"""The snapshots that there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.tasks.command import command
from invoke_devstack.tasks.data import row_of

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work


@command("list", json="answer", default=True)
def list_(work: Work, service: tuple[str, ...] = (), json: bool = False) -> None:
    """List the snapshots of this stack, the oldest first."""
    from invoke_devstack.running.snapshots import common

    wanted = work.services(service)
    found = common.every(work.engine, work.project)
    rows = [row_of(item) for item in found if not wanted or item.service in wanted]
    columns = ("name", "service", "size", "created_at", "volumes")
    work.table("snapshots", columns, rows, "there is no snapshot: `invoke snapshot SERVICE` makes one")


@command("export", json="answer", flags={"service": "Of this service, where several have one of that name."})
def export(work: Work, name: str, file: str, service: str = "", json: bool = False) -> None:
    """Write a snapshot to a file, to move it elsewhere.

    Only you can read the file. `.tgz` compresses it.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.running.snapshots import files

    path = Path(file).absolute()
    wanted = work.service(service) if service else ""
    with work.session() as session:
        amount = files.export(session, name, path, wanted)
    work.answer(f"wrote {path}: {size(amount)}", {"name": name, "file": str(path), "size": amount})


@command(
    "import",
    json="answer",
    shorts={"name": "n"},
    flags={"name": "Another name for it.", "service": "Another service to keep it for."},
)
def import_(work: Work, file: str, name: str = "", service: str = "", json: bool = False) -> None:
    """Read a snapshot from a file.

    `invoke snapshots.export` wrote it; `invoke restore` puts it in place.
    """
    from invoke_devstack.running.snapshots import files

    wanted = work.service(service) if service else ""
    with work.session() as session:
        made = files.import_(session, Path(file).absolute(), name, wanted)
    back = f"invoke restore {made.service} --name {made.name}"
    work.answer(f"imported {made.name} of {made.service}; `{back}` puts it in place", row_of(made))


@command("rm", json="events", flags={"service": "Of this service, where several have one of that name."})
def rm(work: Work, name: str, service: str = "", yes: bool = False, json: bool = False) -> None:
    """Remove a snapshot. Asks first."""
    from invoke_devstack.planning.snapshots import find_snapshot
    from invoke_devstack.running.snapshots import common, taking

    wanted = work.service(service) if service else ""
    found = find_snapshot(common.every(work.engine, work.project), name, wanted)
    text = f"the snapshot {found.name} of {found.service}"
    work.confirm(f"Remove {text}?", yes=yes, loses=text)
    with work.session() as session:
        taking.remove(session, found.name, found.service)
    work.answer(f"removed {text}")

"""The data of the stack: snapshot, restore, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.planning.snapshots import Snapshot
    from invoke_devstack.tasks.context import Work


@command(
    "snapshot",
    json="answer",
    shorts={"name": "n"},
    flags={"name": "What to call it. By default the time: 20260131-120000."},
)
def snapshot(work: Work, service: str, name: str = "", explain: bool = False, json: bool = False) -> None:
    """Keep a copy of a service's data.

    The copy is inside the engine; the service is stopped while it is made.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.running.snapshots import taking

    wanted = work.service(service)
    with work.session(explain=explain) as session:
        made = taking.take(session, wanted, name)
    work.answer(f"snapshot {made.name} of {made.service}: {size(made.size)}", row_of(made))


@command(
    "restore",
    json="events",
    shorts={"name": "n"},
    flags={"name": "The snapshot to put back; see `invoke snapshots`."},
)
def restore(
    work: Work, service: str, name: str, yes: bool = False, explain: bool = False, json: bool = False
) -> None:
    """Put a snapshot back. Asks first.

    It takes the place of the service's data, which are lost.
    """
    from invoke_devstack.planning.snapshots import find_snapshot
    from invoke_devstack.running.snapshots import common, restoring

    found = find_snapshot(common.every(work.engine, work.project), name, work.service(service))
    volumes = ", ".join(found.volumes)
    work.confirm(
        f"Replace the data of {service} ({volumes}) by {name} of {found.created_at[:19]}?",
        yes=yes,
        loses=f"the data that {service} has now ({volumes})",
    )
    with work.session(explain=explain) as session:
        restoring.restore(session, service, name)
    work.answer(f"{service} has the data of {name} again")


@command("reset", json="events")
def reset(
    work: Work,
    service: tuple[str, ...] = (),
    yes: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Empty services and fill them with the team's seed.

    Takes a snapshot of each first, and asks.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.running.snapshots import resetting

    names = work.services(service)
    with work.session() as session:
        doomed = resetting.resettable(session, names)
    if not doomed:
        work.answer("nothing to do: there are no data yet")
        return
    listed = ", ".join(doomed)
    work.confirm(
        f"Empty the data of {listed}? A snapshot is taken first.", yes=yes, loses=f"data of {listed}"
    )
    with work.session(explain=explain) as session:
        taken = resetting.reset(session, doomed)
    for item in taken:
        back = f"invoke restore {item.service} --name {item.name}"
        work.answer(f"{item.service} is empty; `{back}` brings back the {size(item.size)} that it had")


def row_of(item: Snapshot) -> dict[str, object]:
    """A snapshot as a row of the answer: size in bytes, created_at in RFC 3339."""
    return {
        "name": item.name,
        "service": item.service,
        "size": item.size,
        "created_at": item.created_at,
        "volumes": list(item.volumes),
    }

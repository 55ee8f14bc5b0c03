"""Tasks that save, restore and reset data: snapshot, restore, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.tracing import as_it_traces

if TYPE_CHECKING:
    from invoke_devstack.planning.plans.snapshots import Snapshot
    from invoke_devstack.tasks.work import Work


@task(
    "snapshot",
    json="answer",
    shorts={"name": "n"},
    flags={"name": "Name of the snapshot. Default: the time, such as 20260131-120000."},
    explains=True,
)
def snapshot(work: Work, service: str, name: str = "") -> None:
    """Save a copy of a service's data.

    The service is stopped while its volumes are copied. The copy stays on the engine.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.running.snapshots.taking import take

    checked = work.service(service)
    with work.session() as session:
        taken = take(session, checked, name)
    work.answer(f"snapshot {taken.name} of {taken.service}: {size(taken.size)}", row_of(taken))


@task(
    "restore",
    json="events",
    shorts={"name": "n"},
    flags={"name": "The snapshot to restore; see `invoke snapshots`."},
    explains=True,
)
def restore(work: Work, service: str, name: str, yes: bool = False) -> None:
    """Replace data with a snapshot. Asks first.

    The current data of the service is lost.
    """
    from invoke_devstack.planning.plans.snapshots import find_snapshot
    from invoke_devstack.running.snapshots import common, restoring

    found = find_snapshot(common.list_snapshots(work.engine, work.project), name, work.service(service))
    volumes = ", ".join(found.volumes)
    work.confirm(
        f"Replace the data of {service} ({volumes}) with {name} from {found.created_at[:19]}?",
        yes=yes,
        loses=f"the current data of {service} ({volumes})",
    )
    with work.session(as_it_traces(work).applied(None)) as session:
        restoring.restore(session, service, name)
    work.answer(f"restored the data of {service} from {name}")


@task("reset", json="events", explains=True)
def reset(work: Work, service: tuple[str, ...] = (), yes: bool = False) -> None:
    """Reset data to the team's seed. Asks first.

    Takes a snapshot of each service before it empties it.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.running.snapshots import resetting

    names = work.services(service)
    with work.session() as session:
        found = resetting.resettable(session, names)
    if not found:
        work.answer("nothing to do: no named volume of the stack has data yet")
        return
    listed = ", ".join(found)
    work.confirm(
        f"Delete the data of {listed}? A snapshot is taken first.", yes=yes, loses=f"the data of {listed}"
    )
    with work.session(as_it_traces(work).applied(None)) as session:
        taken = resetting.reset(session, found)
    for item in taken:
        back = f"invoke restore {item.service} --name {item.name}"
        work.answer(f"{item.service} is reset; to get its data ({size(item.size)}) back: `{back}`")


def row_of(item: Snapshot) -> dict[str, object]:
    """A snapshot as a row of the answer: `size` in bytes, `created_at` in RFC 3339."""
    return {
        "name": item.name,
        "service": item.service,
        "size": item.size,
        "created_at": item.created_at,
        "volumes": list(item.volumes),
    }

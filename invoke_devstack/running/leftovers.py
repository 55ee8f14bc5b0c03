"""What a killed command left behind that must be ended before the next one changes anything."""

from __future__ import annotations

from invoke_devstack.errors import HalfStartedError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed
from invoke_devstack.running.races import remove_container
from invoke_devstack.running.session import Session


def settle_leftovers(session: Session, observed: Observed) -> bool:
    """Ends snapshots and restores that were cut off: nothing may start on half the data. Returns whether
    there were any, so that `observed` no longer holds. Costs nothing where there were none."""
    left = [item for item in observed.containers if labels.HELPER in item.labels]
    if left:
        from invoke_devstack.running.snapshots.helper import settle

        settle(session, left)
    return bool(left)


def remove_half_started(session: Session, error: HalfStartedError) -> None:
    """Removes the container that `error` is about, so that it can be made anew: one that never ran has
    nothing to lose. Raises `error` for one that has run before, or that took over the volumes of another."""
    found = session.engine.inspect_container(error.container)
    never_ran = (found.get("State") or {}).get("Status") == "created"
    if not never_ran or labels.REPLACE in ((found.get("Config") or {}).get("Labels") or {}):
        raise error
    remove_container(session.engine, found["Id"], volumes=True, force=True)
    text = f"{error.message}; it never ran, and is made anew"
    session.emit(Notice(text=text, level="warning"))

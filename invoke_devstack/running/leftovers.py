"""What a killed command left behind that must be ended before the next one changes anything."""

from __future__ import annotations

from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed
from invoke_devstack.running.session import Session


def settle_leftovers(session: Session, observed: Observed) -> bool:
    """Ends snapshots and restores that were cut off: nothing may start on half the data. Returns whether
    there were any, so that `observed` no longer holds. Costs nothing where there were none."""
    left = [item for item in observed.containers if labels.HELPER in item.labels]
    if left:
        from invoke_devstack.running.snapshots.helper import settle

        settle(session, left)
    return bool(left)

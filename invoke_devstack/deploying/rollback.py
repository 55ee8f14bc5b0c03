"""Back to an earlier deploy."""

from __future__ import annotations

from invoke_devstack.deploying import revisions
from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.deploying.deploy import DeployOptions, carry_out
from invoke_devstack.deploying.lock import stack_lock
from invoke_devstack.deploying.revisions import Outcome, Revision
from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.planning.deploys.target import Target
from invoke_devstack.running.session import Session


def roll_back(cluster: Cluster, session: Session, options: DeployOptions, number: int | None) -> None:
    """Brings the stack to what deploy `number` made of it; None: to what was there before the last deploy, or
    before one that was killed. Raises UsageError for one that is not kept."""
    with stack_lock(cluster, session, patience=options.lock_patience):
        known = revisions.revisions(cluster.observe())
        target, about = _wanted(cluster, known, number)
        carry_out(cluster, session, options, lambda: target, about)


def _wanted(cluster: Cluster, known: tuple[Revision, ...], number: int | None) -> tuple[Target, str]:
    if not known:
        raise DevstackError(
            f"there is no earlier deploy of {cluster.stack}", hint=f"Deploy it: {cluster.command()}"
        )
    if number is None:
        return _last(cluster, known)
    chosen = next((item for item in known if item.number == number), None)
    kept = [str(item.number) for item in revisions.to_come_back_to(known)]
    if chosen is None or str(chosen.number) not in kept:
        raise UsageError(
            f"deploy {number} of {cluster.stack} is not kept", hint=f"Kept: {', '.join(kept) or 'none'}."
        )
    return chosen.target(cluster.stack), f"rollback to {number}"


def _last(cluster: Cluster, known: tuple[Revision, ...]) -> tuple[Target, str]:
    unfinished = known[0].outcome in (Outcome.PENDING, Outcome.FAILED)
    before = known[0].before(cluster.stack) if unfinished else None
    if before is not None:
        return before, f"rollback of {known[0].number}"
    done = revisions.to_come_back_to(known)
    earlier = done if unfinished else done[1:]
    if not earlier:
        raise DevstackError(
            f"there is no earlier deploy of {cluster.stack} to go back to",
            hint=f"See all: {cluster.command('deploy.history')}. "
            f"To remove the stack: {cluster.command('deploy.down')}",
        )
    return earlier[0].target(cluster.stack), f"rollback to {earlier[0].number}"

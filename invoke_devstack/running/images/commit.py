"""Makes an image of a container as it is now."""

from __future__ import annotations

from invoke_devstack.planning.options import CommitFlags
from invoke_devstack.planning.plans.images import plan_commit
from invoke_devstack.running.executing.executor import announce_and_execute
from invoke_devstack.running.observing import observe
from invoke_devstack.running.selection import find_service, hint_for, split_number
from invoke_devstack.running.session import Session


def commit(session: Session, service: str, flags: CommitFlags) -> str:
    """Makes the image and returns its id. `service` may be `web.2`. Volumes are not part of it. Raises
    UsageError for an unknown service and one without a container, EngineError for a process of this
    machine."""
    name, number = split_number(session.definition, service)
    find_service(session.definition, name)
    hint = hint_for(session.definition, service, f"Create it: `invoke create {name}`.")
    plan = plan_commit(observe(session.definition, session.engine), name, number, flags, hint=hint)
    return next(iter(announce_and_execute(session, plan).made.values()))

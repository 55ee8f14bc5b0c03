"""Gets the images of services from a registry, and brings them there."""

from __future__ import annotations

from invoke_devstack.events import Notice
from invoke_devstack.planning.plan import Plan
from invoke_devstack.planning.transfers import plan_pull, plan_push
from invoke_devstack.running.executor import carry_out
from invoke_devstack.running.session import Session


def pull(session: Session, services: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Carries out `plan_pull` and returns the images. Raises ImageUnavailableError."""
    plan = plan_pull(session.definition, services)
    return _transfer(session, plan, "nothing to pull: every image is built here")


def push(session: Session, services: tuple[str, ...] = (), *, tag: str = "") -> tuple[str, ...]:
    """Carries out `plan_push` and returns the images. Raises ImageUnavailableError, and what the plan
    raises."""
    plan = plan_push(session.definition, services, tag=tag)
    nothing = "nothing to push: no service has an `image` beside its `build`, which would say where to"
    return _transfer(session, plan, nothing)


def _transfer(session: Session, plan: Plan, nothing: str) -> tuple[str, ...]:
    actions = tuple(plan)
    if not actions:
        session.emit(Notice(text=nothing))
        return ()
    carry_out(session, plan)
    return tuple(action.target for action in actions)

"""Takes a stack down gracefully: dependents first, and volumes are kept unless requested otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from invoke_devstack.events import DownFinished
from invoke_devstack.planning.bodies.anonymous_volumes import needs_inspection
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plan import Plan, RemoveContainer, RemoveImage, RemoveNetwork, RemoveVolume
from invoke_devstack.planning.plans import down as planning
from invoke_devstack.running.executing.executor import announce_and_execute
from invoke_devstack.running.executing.leftovers import end_leftovers
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import DownOptions, DownResult
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def plan(session: Session, options: DownOptions) -> Plan:
    """What `take_down` would do now, including the volumes that it would delete. Changes nothing."""
    return _plan(session, options)[0]


def take_down(session: Session, options: DownOptions) -> DownResult:
    """Stops and removes the project's containers and networks, and if requested its volumes.

    Emits PlanMade, ServiceStopped for each running container, and DownFinished. A first signal does not
    stop it, a second one kills what still runs; then it raises Interrupted at the end.
    """
    if session.engine.endpoint.scheme == "ssh":
        from invoke_devstack.running.ports import tunnel

        tunnel.close(session)
    with project_lock(session):
        made, observed = _plan(session, options)
        if end_leftovers(session, observed, starts=False):
            made, observed = _plan(session, options)
        left = announce_and_execute(session, made, through_interrupt=True).left
    named = planning.own_volumes(observed, session.definition)
    anonymous = planning.own_anonymous_volumes(session.definition, observed)
    deleted = {name for name in (*named, *anonymous) if options.volumes and name not in left}
    result = DownResult(
        removed=tuple(name for name in _removals(made) if name not in left),
        kept_volumes=tuple(name for name in named if name not in deleted),
        deleted_volumes=tuple(name for name in named if name in deleted),
        kept_anonymous=_places(anonymous, anonymous.keys() - deleted),
        deleted_anonymous=_places(anonymous, deleted),
        seconds=session.seconds(),
    )
    session.emit(DownFinished(project=session.project, **vars(result)))
    return result


def _places(anonymous: Mapping[str, str], names: Set[str]) -> tuple[str, ...]:
    return tuple(sorted({place for name, place in anonymous.items() if place and name in names}))


def _removals(made: Plan) -> tuple[str, ...]:
    """The names of what the plan removes."""
    return tuple(
        action.name if isinstance(action, RemoveContainer) else action.target
        for action in made
        if isinstance(action, RemoveContainer | RemoveNetwork | RemoveVolume | RemoveImage)
        and not (isinstance(action, RemoveVolume) and action.record)
    )


def _must_inspect(definition: Definition, observed: Observed) -> bool:
    """For the grace period of services without a definition, and for the anonymous volumes of Compose."""
    unknown = any(item.service not in definition.services for item in observed.containers)
    return unknown or needs_inspection(definition, observed, observed.containers)


def _plan(session: Session, options: DownOptions) -> tuple[Plan, Observed]:
    observed = observe(session.definition, session.engine)
    if _must_inspect(session.definition, observed):
        observed = observe(session.definition, session.engine, inspect=True)
    made = planning.plan_down(
        session.definition,
        observed,
        volumes=options.volumes,
        timeout=options.timeout,
        images=options.images,
        hooks=session.hooks.names(always=False),
        always_hooks=session.hooks.names(always=True),
    )
    return made, observed

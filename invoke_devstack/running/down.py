"""Ends a stack gracefully, with nothing lost: dependents first, volumes kept unless asked."""

from __future__ import annotations

from invoke_devstack.events import DownFinished
from invoke_devstack.planning import down as planning
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plan import Plan, RemoveContainer, RemoveNetwork, RemoveVolume
from invoke_devstack.running.executor import carry_out
from invoke_devstack.running.leftovers import settle_leftovers
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import DownOptions, DownResult
from invoke_devstack.running.session import Session


def plan(session: Session, options: DownOptions) -> Plan:
    """What `take_down` would do now: also which volumes `volumes` would lose. Changes nothing."""
    return _plan(session, options)[0]


def take_down(session: Session, options: DownOptions) -> DownResult:
    """Stops and removes all containers of the project, and its networks; its volumes if asked.

    Emits PlanMade, ServiceStopped for each container that ran, and DownFinished. A first signal lets
    it go on, a second one kills what still runs; Interrupted is raised at the end.
    """
    with project_lock(session):
        made, observed = _plan(session, options)
        if settle_leftovers(session, observed):
            made, observed = _plan(session, options)
        left = carry_out(session, made, through_interrupt=True).left
    volumes = planning.own_volumes(observed)
    deleted = tuple(name for name in volumes if options.volumes and name not in left)
    result = DownResult(
        removed=tuple(name for name in _removals(made) if name not in left),
        kept_volumes=tuple(name for name in volumes if name not in deleted),
        deleted_volumes=deleted,
        seconds=session.seconds(),
    )
    session.emit(
        DownFinished(
            project=session.project,
            seconds=result.seconds,
            removed=result.removed,
            kept_volumes=result.kept_volumes,
            deleted_volumes=result.deleted_volumes,
        )
    )
    return result


def _removals(made: Plan) -> tuple[str, ...]:
    """What the plan removes, by kind: `container app-web-1` and so on would say too much for a list."""
    return tuple(
        action.name if isinstance(action, RemoveContainer) else action.target
        for action in made
        if isinstance(action, RemoveContainer | RemoveNetwork | RemoveVolume)
    )


def _plan(session: Session, options: DownOptions) -> tuple[Plan, Observed]:
    observed = observe(session.definition, session.engine)
    if any(item.service not in session.definition.services for item in observed.containers):
        observed = observe(session.definition, session.engine, inspect=True)  # they know their grace period
    wanted = planning.DownOptions(
        volumes=options.volumes,
        timeout=options.timeout,
        hooks=session.hooks.names(always=False),
        always_hooks=session.hooks.names(always=True),
    )
    return planning.plan_down(session.definition, observed, wanted), observed

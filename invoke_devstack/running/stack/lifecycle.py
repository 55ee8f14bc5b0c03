"""Acts on existing containers: start, stop, restart, pause, unpause, kill, remove.

Without `services`, acts on every service that has containers. Raises UsageError for a service that is
unknown or has no container.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from invoke_devstack.errors import UsageError
from invoke_devstack.events import Notice
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plan import Plan, RestartContainer, StartContainer
from invoke_devstack.planning.plans import lifecycle as planning
from invoke_devstack.planning.plans.hooks import due_hooks
from invoke_devstack.planning.selection import is_wanted
from invoke_devstack.running.executing.executor import announce_and_execute
from invoke_devstack.running.executing.leftovers import end_leftovers
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.beforehand import refuse_what_blocks_start

Services = tuple[str, ...]


def start(session: Session, services: Services = (), *, wait_timeout: float | None = None) -> Plan:
    """Starts stopped containers and waits until they are ready: `wait_timeout` seconds, else as set. Runs the
    team's hooks that are due."""
    wait = _patience(session, wait_timeout)
    return _do(
        session,
        lambda observed: _startable(
            session,
            observed,
            planning.plan_start(
                session.definition,
                observed,
                services,
                wait_timeout=wait,
                hooks=session.hooks.names(always=False),
            ),
        ),
        missing="started" if not services else "",
    )


def _startable(session: Session, observed: Observed, made: Plan) -> Plan:
    """The plan. Raises all that is known to prevent it, at once."""
    names = [action.service for action in made if isinstance(action, StartContainer | RestartContainer)]
    refuse_what_blocks_start(session, observed, names)
    return made


def stop(session: Session, services: Services = (), *, timeout: float | None = None) -> Plan:
    """Stops running containers gracefully. `timeout` (seconds) replaces every `stop_grace_period`."""
    return _do(
        session,
        lambda observed: planning.plan_stop(session.definition, observed, services, timeout=timeout),
        starts=False,
        through_interrupt=True,
    )


def stop_without_files(session: Session) -> int:
    """Stops the session's stack gracefully, by its containers' labels: its files are not needed. Keeps
    containers and volumes. Returns how many containers were stopped."""
    with project_lock(session):
        observed = session.engine.observe(session.project, inspect=True)
        plan = planning.plan_stop(None, observed, ())
        announce_and_execute(session, plan, through_interrupt=True)
    return len(plan)


def restart(
    session: Session,
    services: Services = (),
    *,
    timeout: float | None = None,
    wait_timeout: float | None = None,
    alone: bool = False,
) -> Plan:
    """Restarts containers and waits until they are ready again. `alone`: not those that follow them. Runs the
    team's hooks that are due."""
    wait = _patience(session, wait_timeout)
    return _do(
        session,
        lambda observed: _startable(
            session,
            observed,
            planning.plan_restart(
                session.definition,
                observed,
                services,
                timeout=timeout,
                wait_timeout=wait,
                alone=alone,
                hooks=session.hooks.names(always=False),
            ),
        ),
        missing="restarted" if not services else "",
    )


def pause(session: Session, services: Services = ()) -> Plan:
    """Pauses running containers."""
    return _do(session, lambda observed: planning.plan_pause(observed, services), starts=False)


def unpause(session: Session, services: Services = ()) -> Plan:
    """Resumes paused containers. Waits for nothing, so it only tells which hooks are due."""

    def made(observed: Observed) -> Plan:
        plan = planning.plan_unpause(observed, services)
        _tell_due_hooks(session, observed, {action.service for action in plan})
        return plan

    return _do(session, made)


def _tell_due_hooks(session: Session, observed: Observed, services: Collection[str]) -> None:
    due = due_hooks(observed)
    for service in sorted(services):
        started = (f"post_start {item.name}" for item in observed.of_service(service))
        own = {f"after {service}"} & session.hooks.names(always=False)
        for hook in sorted(due & {*own, *started}):
            text = f"the hook `{hook}` is due: it has not succeeded yet; run it with `invoke up -s {service}`"
            session.emit(Notice(text=text, level="warning"))


def kill(session: Session, services: Services = (), *, signal: str = "SIGKILL") -> Plan:
    """Sends `signal` to running containers."""
    return _do(session, lambda observed: planning.plan_kill(observed, services, signal=signal), starts=False)


def removal(session: Session, services: Services = (), *, stop: bool = False, volumes: bool = False) -> Plan:
    """What `remove` would remove. Changes nothing."""
    observed = observe(session.definition, session.engine, inspect=True)
    return planning.plan_remove(session.definition, observed, services, stop=stop, volumes=volumes)


def remove(session: Session, services: Services = (), *, stop: bool = False, volumes: bool = False) -> Plan:
    """Removes stopped containers; with `stop` also running ones, with `volumes` also anonymous volumes."""
    return _do(
        session,
        lambda observed: planning.plan_remove(
            session.definition, observed, services, stop=stop, volumes=volumes
        ),
        starts=False,
        through_interrupt=stop,
    )


def _patience(session: Session, wait_timeout: float | None) -> float:
    return session.settings.wait_timeout if wait_timeout is None else wait_timeout


def _do(
    session: Session,
    make_plan: Callable[[Observed], Plan],
    *,
    starts: bool = True,
    through_interrupt: bool = False,
    missing: str = "",
) -> Plan:
    """`missing`: what is not done to services without a container, if that is to be reported."""
    with project_lock(session):
        observed = observe(session.definition, session.engine, inspect=True)
        if end_leftovers(session, observed, starts=starts):
            observed = observe(session.definition, session.engine, inspect=True)
        if missing:
            _report_missing(session, observed, missing)
        made = make_plan(observed)
        announce_and_execute(session, made, through_interrupt=through_interrupt)
    return made


def _report_missing(session: Session, observed: Observed, done: str) -> None:
    """Reports services without a container. Raises UsageError if there is no container at all."""
    present = {item.service for item in observed.containers if not item.oneoff}
    wanted = (name for name, service in session.definition.services.items() if is_wanted(service))
    missing = [name for name in wanted if name not in present]
    if not present:
        hint = "Create and start them: `invoke up`."
        raise UsageError(f"{session.project} has no containers", hint=hint)
    if missing:
        names = ", ".join(missing)
        verb = "have no container and are" if len(missing) > 1 else "has no container and is"
        text = f"{names} {verb} not {done}; create and start: `invoke up -s {','.join(missing)}`"
        session.emit(Notice(text=text, level="warning"))

"""Acts on containers that are there: start, stop, restart, pause, unpause, kill, remove.

`services` empty is every service that has containers. Each raises UsageError for a service that does
not exist or has no container.
"""

from __future__ import annotations

from collections.abc import Callable

from invoke_devstack.planning import lifecycle as planning
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plan import Plan
from invoke_devstack.running.executor import carry_out
from invoke_devstack.running.leftovers import settle_leftovers
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.session import Session

Services = tuple[str, ...]


def start(session: Session, services: Services = (), *, wait_timeout: float | None = None) -> Plan:
    """Starts what is stopped and waits until it is ready (`wait_timeout` seconds, else the setting's)."""
    wait = _patience(session, wait_timeout)
    return _do(
        session,
        lambda observed: planning.plan_start(session.definition, observed, services, wait_timeout=wait),
    )


def stop(session: Session, services: Services = (), *, timeout: float | None = None) -> Plan:
    """Stops what runs, gracefully. `timeout` (seconds) stands for every stop_grace_period."""
    return _do(
        session,
        lambda observed: planning.plan_stop(session.definition, observed, services, timeout=timeout),
        through_interrupt=True,
    )


def restart(
    session: Session,
    services: Services = (),
    *,
    timeout: float | None = None,
    wait_timeout: float | None = None,
) -> Plan:
    """Restarts and waits until all is ready again."""
    wait = _patience(session, wait_timeout)
    return _do(
        session,
        lambda observed: planning.plan_restart(
            session.definition, observed, services, timeout=timeout, wait_timeout=wait
        ),
    )


def pause(session: Session, services: Services = ()) -> Plan:
    """Freezes what runs."""
    return _do(session, lambda observed: planning.plan_pause(observed, services))


def unpause(session: Session, services: Services = ()) -> Plan:
    """Lets what is paused go on."""
    return _do(session, lambda observed: planning.plan_unpause(observed, services))


def kill(session: Session, services: Services = (), *, signal: str = "SIGKILL") -> Plan:
    """Sends `signal` to what runs."""
    return _do(session, lambda observed: planning.plan_kill(observed, services, signal=signal))


def removal(session: Session, services: Services = (), *, stop: bool = False, volumes: bool = False) -> Plan:
    """What `remove` would remove. Changes nothing."""
    observed = observe(session.definition, session.engine)
    return planning.plan_remove(session.definition, observed, services, stop=stop, volumes=volumes)


def remove(session: Session, services: Services = (), *, stop: bool = False, volumes: bool = False) -> Plan:
    """Removes stopped containers, with `stop` running ones too, with `volumes` their anonymous volumes."""
    return _do(
        session,
        lambda observed: planning.plan_remove(
            session.definition, observed, services, stop=stop, volumes=volumes
        ),
        through_interrupt=stop,
    )


def _patience(session: Session, wait_timeout: float | None) -> float:
    return session.settings.wait_timeout if wait_timeout is None else wait_timeout


def _do(session: Session, make_plan: Callable[[Observed], Plan], *, through_interrupt: bool = False) -> Plan:
    with project_lock(session):
        observed = observe(session.definition, session.engine, inspect=True)
        if settle_leftovers(session, observed):
            observed = observe(session.definition, session.engine, inspect=True)
        made = make_plan(observed)
        carry_out(session, made, through_interrupt=through_interrupt)
    return made

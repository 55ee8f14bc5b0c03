"""Checks at the end of a plan that what became ready is still alive."""

from __future__ import annotations

from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.running.execution import Execution, Risen
from invoke_devstack.running.readiness import diagnosis, lives

_SETTLED = 0.3  # seconds that a container must have run where nothing else tells that it works


def check_crashes(execution: Execution) -> None:
    """Raises ServiceError for a service that was ready, but crashed while others were awaited, or that died
    right after its start."""
    execution.session.interrupt.pause(_time_to_settle(execution))
    for risen in execution.risen:
        deaths = execution.events.deaths_of(risen.container)[risen.deaths :]
        if deaths and not risen.action.optional:
            _check(execution, risen, deaths[-1].exit_code)


def _time_to_settle(execution: Execution) -> float:
    unasked = (item for item in execution.risen if item.action.probe.kind is ProbeKind.RUNNING)
    ages = [lives.age(item.inspected) for item in unasked]
    return min(max(_SETTLED - min(ages), 0.0), _SETTLED) if ages else 0.0


def _check(execution: Execution, risen: Risen, code: int) -> None:
    """It may have been restarted on purpose, by a hook, or have ended well."""
    engine, action = execution.engine, risen.action
    inspected = engine.inspect_container(risen.container)
    runs = (inspected.get("State") or {}).get("Running")
    if lives.restarts(inspected) if runs else code:
        raise diagnosis.crash(
            engine,
            inspected,
            action.service,
            code,
            f"{diagnosis.exited(code)} soon after it started",
            label=execution.session.label(action.service, action.target),
            waiting=action.waited_for_by,
        )

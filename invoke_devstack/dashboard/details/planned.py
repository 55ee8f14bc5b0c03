"""What a task would do now, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.plan import Action, Plan
from invoke_devstack.planning.plans import lifecycle as planning
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.selection import check_services
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import down, up

Services = tuple[str, ...]


def planned(session: Session, query: Mapping[str, str]) -> dict[str, Any]:
    """`GET plan`. Raises UsageError."""
    task = query.get("task", "up")
    services = tuple(name for name in query.get("services", "").split(",") if name)
    check_services(session.definition, services)
    if task not in _PLANS:
        raise UsageError(f"`{task}` has no plan", hint=f"Use one of: {', '.join(_PLANS)}.")
    made = _PLANS[task](session, services)
    found = {
        "task": task,
        "project": session.project,
        "empty": not len(made),
        "lines": list(made.lines()),
        "actions": [_shown(action) for action in made],
        "notices": list(made.notices),
    }
    hidden: dict[str, Any] = session.secrets.hide_in(found)
    return hidden


def _shown(action: Action) -> dict[str, Any]:
    return {
        "action": action.kind,
        "target": action.target,
        "service": action.service,
        "cause": action.cause.text,
        "cause_kind": action.cause.kind,
        "commands": [step.command for step in docker_commands(action)],
    }


def _start(session: Session, services: Services) -> Plan:
    observed = observe(session.definition, session.engine, inspect=True)
    patience = session.settings.wait_timeout
    hooks = session.hooks.names(always=False)
    return planning.plan_start(session.definition, observed, services, wait_timeout=patience, hooks=hooks)


def _stop(session: Session, services: Services) -> Plan:
    observed = observe(session.definition, session.engine, inspect=True)
    return planning.plan_stop(session.definition, observed, services, timeout=None)


def _restart(session: Session, services: Services) -> Plan:
    observed = observe(session.definition, session.engine, inspect=True)
    patience = session.settings.wait_timeout
    hooks = session.hooks.names(always=False)
    return planning.plan_restart(session.definition, observed, services, wait_timeout=patience, hooks=hooks)


_PLANS: dict[str, Callable[[Session, Services], Plan]] = {
    "up": lambda session, services: up.plan(session, UpOptions(services=services)),
    "down": lambda session, _: down.plan(session, DownOptions()),
    "start": _start,
    "stop": _stop,
    "restart": _restart,
}

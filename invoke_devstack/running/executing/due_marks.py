"""Marks the hooks of a plan as due on the engine, before anything is done (`plans/hooks.py`)."""

from __future__ import annotations

from contextlib import suppress

from invoke_devstack.errors import NotFoundError
from invoke_devstack.planning.plans.hooks import mark_body, mark_name
from invoke_devstack.running.execution import Execution


def remember(execution: Execution) -> None:
    """From now on the plan's hooks are due."""
    project = execution.session.project
    for hook in sorted(execution.plan.marks):
        execution.engine.create_volume(mark_name(project, hook), mark_body(project, hook))


def forget(execution: Execution, *hooks: str) -> None:
    """These hooks have succeeded, or nobody wants them any more. "" is none."""
    for hook in filter(None, hooks):
        with suppress(NotFoundError):
            execution.engine.remove_volume(mark_name(execution.session.project, hook))

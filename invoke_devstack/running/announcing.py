"""Tells that a service is ready, where it can be reached, and what is special about it."""

from __future__ import annotations

from collections.abc import Mapping

from invoke_devstack.events import ServiceReady
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import AwaitReady
from invoke_devstack.running import endpoints
from invoke_devstack.running.execution import Execution
from invoke_devstack.running.readiness import Ready
from invoke_devstack.running.session import Session


def ready(action: AwaitReady, result: Ready, execution: Execution) -> None:
    """Tells of a service's container that became ready during this command."""
    session = execution.session
    marks: Mapping[str, str] = (result.inspected.get("Config") or {}).get("Labels") or {}
    if labels.HOOK in marks:
        return
    session.emit(
        ServiceReady(
            service=action.service or action.target,
            container=action.target,
            state=result.state,
            seconds=session.seconds(),
            addresses=endpoints.to_open(
                endpoints.published_ports(result.inspected), web=action.probe.kind == "http"
            ),
            changed=action.service in execution.changed,
            note=_note(marks),
        )
    )


def unchanged(container: ObservedContainer, session: Session) -> None:
    """Tells of a container that was up before."""
    done = container.state == "exited"
    session.emit(
        ServiceReady(
            service=container.service,
            container=container.name,
            state="done" if done else container.health or "running",
            seconds=session.seconds(),
            addresses=endpoints.to_open(container.ports),
            changed=False,
            note=_note(container.labels),
        )
    )


def _note(container_labels: Mapping[str, str]) -> str:
    """A container carries its image's labels too."""
    return "stand-in image" if labels.STAND_IN in container_labels else ""

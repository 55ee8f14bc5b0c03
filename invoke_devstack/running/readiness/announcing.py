"""Reports that a service is ready, its addresses, and what is special about it."""

from __future__ import annotations

from collections.abc import Mapping

from invoke_devstack.events import ServiceReady
from invoke_devstack.planning import labels
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import AwaitReady
from invoke_devstack.running.execution import Execution
from invoke_devstack.running.ports import addresses
from invoke_devstack.running.ports.reach import reach_of
from invoke_devstack.running.readiness.waiting import Ready
from invoke_devstack.running.session import Session


def ready(action: AwaitReady, result: Ready, execution: Execution) -> None:
    """Reports a container that became ready during this command."""
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
            addresses=addresses.to_open(
                addresses.published_ports(result.inspected),
                web=action.probe.kind is ProbeKind.HTTP,
                reach=reach_of(session.engine.endpoint, session.project),
            ),
            changed=action.service in execution.changed,
            note=_note(marks),
        )
    )


def unchanged(container: ObservedContainer, session: Session) -> None:
    """Reports a container that was up before this command."""
    done = container.has_exited
    session.emit(
        ServiceReady(
            service=container.service,
            container=container.name,
            state="done" if done else container.health or "running",
            seconds=session.seconds(),
            addresses=addresses.to_open(
                container.ports, reach=reach_of(session.engine.endpoint, session.project)
            ),
            changed=False,
            note=_note(container.labels),
        )
    )


def _note(container_labels: Mapping[str, str]) -> str:
    """A container has the labels of its image too."""
    return "stand-in image" if labels.STAND_IN in container_labels else ""

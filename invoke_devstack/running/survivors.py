"""Whether what was started still runs when all is said to be up."""

from __future__ import annotations

from invoke_devstack.planning.plan import AwaitReady, Plan
from invoke_devstack.running import diagnosis
from invoke_devstack.running.session import Session


def check_survivors(session: Session, made: Plan) -> None:
    """Raises ServiceError for a service that was ready and crashed while others were still awaited."""
    awaited = {action.target: action for action in made if isinstance(action, AwaitReady)}
    if not awaited:
        return
    for container in session.engine.observe(session.project).containers:
        action = awaited.get(container.name)
        if action is None or action.optional or container.state not in ("exited", "dead", "restarting"):
            continue
        if container.exit_code:
            raise diagnosis.crash(
                session.engine,
                session.engine.inspect_container(container.id),
                container.service,
                container.exit_code,
                f"{diagnosis.exited(container.exit_code)} soon after it had started",
                waiting=action.waited_for_by,
            )

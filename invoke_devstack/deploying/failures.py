"""Why a service of a swarm does not run: its task's error, its last lines, its node, and what to do."""

from __future__ import annotations

import threading
from contextlib import suppress

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.errors import EngineError, ServiceError
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.verdicts import Judgement, error_of, state_of
from invoke_devstack.planning.plan import Body

_LINES = 10
_PATIENCE = 5.0  # seconds for a node to send the last lines


class DeployError(ServiceError):
    """A service does not run on the cluster as it should."""

    reason = "deploy"


def failure_of(
    cluster: Cluster, observed: ObservedStack, service: str, judged: Judgement, *, seconds: float | None
) -> DeployError:
    """The error for a service that failed; `seconds` if it made no progress for so long."""
    task = judged.task or next(iter(observed.tasks_of(service)), None)
    node = observed.node_name(task) if task else ""
    what = f"made no progress for {seconds:g} s" if seconds is not None else "failed"
    where = f" on {node}" if node else ""
    error = judged.text or (error_of(task) if task else "")
    return DeployError(
        f"`{service}` {what}{where}" + (f": {error}" if error else ""),
        service=service,
        hint=_hint(cluster, task, seconds),
        details=last_lines(cluster, task) if task else (),
    )


def _hint(cluster: Cluster, task: Body | None, seconds: float | None) -> str:
    if task is None:
        return f"The swarm made no task for it: {cluster.command('deploy.status')}"
    state = state_of(task)
    if state == "rejected":
        image = str(task["Spec"].get("ContainerSpec", {}).get("Image", "")).partition("@")[0]
        return (
            f"The node could not prepare the container. Can it pull {image}? Try there: docker pull {image}"
        )
    if state == "pending":
        return "No node fits: compare `deploy.placement` and `deploy.resources` with `docker node ls`."
    if seconds is not None:
        return "If it needs longer: `--wait-timeout 600`. If it hangs, run its image here: `invoke up`"
    return "Run the same image here: `invoke up`; or fix it, and deploy again."


def last_lines(cluster: Cluster, task: Body) -> tuple[str, ...]:
    """The last lines of a task's log; none where its node does not answer in time."""
    tty = bool((task["Spec"].get("ContainerSpec") or {}).get("TTY"))
    lines: list[str] = []
    with suppress(EngineError):
        stream = cluster.swarm.logs(f"tasks/{task['ID']}", tail=_LINES, tty=tty)
        timer = threading.Timer(_PATIENCE, stream.close)
        timer.start()
        try:
            text = b"".join(data for _, data in stream).decode("utf-8", "replace")
            lines = [_without_details(line) for line in text.splitlines()]
        finally:
            timer.cancel()
    return tuple(lines[-_LINES:])


def _without_details(line: str) -> str:
    """After the time and the details, which have no spaces."""
    return line.split(" ", 2)[-1] if line.count(" ") >= 2 else line

"""How a service of a swarm is: on its way, as it should be, done, or failed. Pure: from the service and its
tasks, as the swarm's API lists them.

A task is `running` only once its healthcheck has succeeded, if it has one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any

from invoke_devstack.planning.deploys.differences import is_job, mode_of, plain, replicas
from invoke_devstack.planning.plan import Body
from invoke_devstack.records import record

_FAILED = ("failed", "rejected")
_STOPPED_UPDATE = ("paused", "rollback_started", "rollback_paused", "rollback_completed")
_MOST_FAILURES = 3
"""In one slot, without an update that the swarm itself watches: a service may have to wait for another."""


class State(StrEnum):
    WAITING = "waiting"
    HEALTHY = "healthy"  # every replica runs
    DONE = "done"  # a job that succeeded
    FAILED = "failed"


@record
class Judgement:
    """`text` says more for people, `task` is the one that failed or waits. `running` of `wanted` run;
    `wanted` None: one on each node."""

    state: State
    text: str = ""
    task: Body | None = None
    running: int = 0
    wanted: int | None = None


def judge(service: Body, tasks: Sequence[Body], known: Collection[str] = ()) -> Judgement:
    """`tasks` are those of the service, the newest first. `known` are ids of tasks that had failed before."""
    if is_job(service["Spec"]):
        return _job(service, tasks)
    return _service(service, tasks, known)


def is_current(task: Body, service: Body) -> bool:
    """Whether the task is of the service's present spec."""
    return plain({"TaskTemplate": task["Spec"]}) == plain(
        {"TaskTemplate": service["Spec"]["TaskTemplate"]}
    ) and (task["Spec"].get("ForceUpdate") or 0) == (service["Spec"]["TaskTemplate"].get("ForceUpdate") or 0)


def state_of(task: Body) -> str:
    return str(task["Status"]["State"])


def _service(service: Body, tasks: Sequence[Body], known: Collection[str]) -> Judgement:
    own = [task for task in tasks if is_current(task, service)]
    wanted = replicas(service["Spec"])
    desired = [task for task in own if task["DesiredState"] == "running"]
    running = [task for task in desired if state_of(task) == "running"]
    older = [task for task in tasks if task["DesiredState"] == "running" and task not in desired]
    failed = [task for task in own if has_ended(task) and task["ID"] not in known]
    update = (service.get("UpdateStatus") or {}).get("State")
    if failed and (_gave_up(service, failed) or update in _STOPPED_UPDATE):
        return Judgement(State.FAILED, error_of(failed[0]), failed[0], len(running), wanted)
    enough = len(running) >= (len(desired) if wanted is None else wanted)
    if enough and (own or wanted == 0) and not older:
        return Judgement(State.HEALTHY, "", None, len(running), wanted)
    waiting = next((task for task in desired if state_of(task) != "running"), None)
    return Judgement(State.WAITING, _waits_for(waiting, failed, older), waiting, len(running), wanted)


def _gave_up(service: Body, failed: Sequence[Body]) -> bool:
    """Whether the service will not come to run."""
    policy = service["Spec"]["TaskTemplate"].get("RestartPolicy") or {}
    if policy.get("Condition") == "none":
        return True
    most = min(policy.get("MaxAttempts") or _MOST_FAILURES, _MOST_FAILURES)
    slots = [(task.get("Slot"), task.get("NodeID") if not task.get("Slot") else "") for task in failed]
    return any(slots.count(slot) >= most for slot in slots)


def _waits_for(waiting: Body | None, failed: Sequence[Body], older: Sequence[Body]) -> str:
    if waiting is not None:
        error = str(waiting["Status"].get("Err") or "")
        text = f"a task is {state_of(waiting)}" + (f": {error}" if error else "")
        return text if error or not failed else f"{text} after: {error_of(failed[0])}"
    if failed:
        return f"a task failed: {error_of(failed[0])}"
    return "older tasks are still to be replaced" if older else "the swarm makes its tasks"


def error_of(task: Body) -> str:
    """Why a task ended."""
    status = task["Status"]
    if state_of(task) == "complete":
        return "it ended with exit code 0, by itself or because its healthcheck failed"
    return str(status.get("Err") or status.get("Message") or status["State"])


def _job(service: Body, tasks: Sequence[Body]) -> Judgement:
    turn = ((service.get("JobStatus") or {}).get("JobIteration") or {}).get("Index", 0)
    own = [task for task in tasks if (task.get("JobIteration") or {}).get("Index", 0) == turn]
    done = [task for task in own if state_of(task) == "complete"]
    failed = [task for task in own if state_of(task) in _FAILED]
    open_ = [task for task in own if state_of(task) not in (*_FAILED, "complete") and _is_wanted(task)]
    wanted = replicas(service["Spec"])
    if own and not open_ and len(done) >= (len(own) - len(failed) if wanted is None else wanted) and done:
        return Judgement(State.DONE, "", None, len(done), wanted)
    if failed and not open_ and not _is_tried_again(service, failed):
        return Judgement(State.FAILED, error_of(failed[0]), failed[0], len(done), wanted)
    text = f"a task is {state_of(open_[0])}" if open_ else "the swarm makes its tasks"
    return Judgement(State.WAITING, text, open_[0] if open_ else None, len(done), wanted)


def _is_wanted(task: Body) -> bool:
    return task["DesiredState"] in ("running", "complete", "ready", "accepted")


def _is_tried_again(service: Body, failed: Sequence[Body]) -> bool:
    policy = service["Spec"]["TaskTemplate"].get("RestartPolicy") or {}
    if policy.get("Condition") == "none":
        return False
    most = policy.get("MaxAttempts") or 0
    return len(failed) <= (min(most, _MOST_FAILURES) if most else _MOST_FAILURES)


def failed_ids(tasks: Iterable[Body]) -> frozenset[str]:
    """The tasks that have failed so far."""
    return frozenset(str(task["ID"]) for task in tasks if has_ended(task))


def has_ended(task: Body) -> bool:
    """Whether a task has ended that should run. One that is shut down for its failing healthcheck may end
    with 0 too; where it is not restarted then, it may end."""
    if state_of(task) in _FAILED:
        return True
    condition = (task["Spec"].get("RestartPolicy") or {}).get("Condition") or "any"
    return state_of(task) == "complete" and condition == "any" and not task.get("JobIteration")


def mode_word(spec: Body) -> str:
    """The mode as in the Compose file."""
    words: dict[str, Any] = {"ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}
    return str(words.get(mode_of(spec), mode_of(spec).lower()))

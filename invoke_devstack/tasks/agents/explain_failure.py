"""`invoke explain-failure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_devstack.tasks.declare import split_names, task

if TYPE_CHECKING:
    from invoke_devstack.running.journal import Written
    from invoke_devstack.running.readiness.failures import Failure
    from invoke_devstack.tasks.work import Work

_PATIENCE = 10.0  # seconds for the engine


@task("explain-failure", json="answer")
def explain_failure(work: Work, service: tuple[str, ...] = ()) -> None:
    """Explain what failed last, and what to run next.

    With its cause and last lines. Reads the last 20 runs of this project, and asks its containers.
    """
    from invoke_devstack.running.journal import runs_of
    from invoke_devstack.running.readiness.failures import newest

    runs = runs_of(work.directory, work.copy_name)
    found = newest(runs, split_names(service), lambda: _look(work, service, runs))
    work.learn_secrets()
    data = _data(work, found)
    work.answer(_text(data) if found else "Nothing has failed.", data)


def _look(work: Work, service: tuple[str, ...], runs: list[Written]) -> Failure | None:
    from invoke_devstack.running.readiness.failures import newest_now
    from invoke_devstack.tasks.reach.ready import readiness_within

    found = readiness_within(work, service, _PATIENCE)
    return newest_now(work.engine, found, runs)


def _data(work: Work, found: Failure | None) -> dict[str, Any]:
    from invoke_devstack.running.readiness.failures import Failure

    found = found or Failure("", 0.0)
    task, *words = found.next if found.cause else ("",)
    return {
        "failed": bool(found.cause) and not found.over,
        "cause": found.cause,
        "reason": found.reason,
        "service": found.service,
        "evidence": list(found.evidence),
        "hint": found.hint,
        "next": " ".join(["invoke", f"{work.task_prefix}{task}", *words]) if task else "",
        "command": found.command,
        "at": found.moment if found.cause else "",
        "over": found.over,
    }


def _text(data: dict[str, Any]) -> str:
    from invoke_devstack.console.amounts import age

    met = f", met by `{data['command']}`" if data["command"] else ""
    lines = (
        data["cause"],
        *(f"  {line}" for line in data["evidence"]),
        f"when: {age(data['at'])}{met}",
        "over: the same has succeeded since" if data["over"] else "",
        data["hint"] and f"hint: {data['hint']}",
        f"next: `{data['next']}`",
    )
    return "\n".join(filter(None, lines))

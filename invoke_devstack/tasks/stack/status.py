"""`invoke status`: the whole stack on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from invoke_devstack.events import Status
from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.running.journal import Written
    from invoke_devstack.tasks.work import Work


@task("status", json="answer")
def status(work: Work, service: tuple[str, ...] = ()) -> None:
    """Show services, last failure, and what `up` would do.

    On one screen: states, addresses, last rebuilds, and each step of `up` with its cause.
    """
    from invoke_devstack.running.journal import runs_of
    from invoke_devstack.running.locks import holder_of
    from invoke_devstack.running.readiness.failures import newest_kept

    names = work.services(service)
    work.learn_secrets()
    runs = runs_of(work.directory)
    failure = newest_kept(runs, names)
    holder = holder_of(work.engine, work.project)
    data: dict[str, Any] = {
        "project": work.project,
        "services": _services(work, names, runs),
        "failure": None
        if failure is None
        else {
            "cause": failure.cause,
            "service": failure.service,
            "hint": failure.hint,
            "command": failure.command,
            "at": failure.moment,
            "over": failure.over,
        },
        "up": _would_do(work, names),
        "busy": str(holder) if holder else "",
    }
    work.tell(Status(text="", data=data, prefix=work.task_prefix))


def _services(work: Work, names: tuple[str, ...], runs: Sequence[Written]) -> list[dict[str, Any]]:
    from invoke_devstack.planning.names import natural
    from invoke_devstack.running.ports.reach import reach_of
    from invoke_devstack.running.stack.last_rebuilds import last_rebuilds
    from invoke_devstack.running.stack.services_now import services_now
    from invoke_devstack.tasks.hosts import as_it_runs

    definition = as_it_runs(work)
    observed = work.engine.observe(work.project, inspect=True)
    rebuilds = last_rebuilds(runs)
    found = services_now(
        definition,
        observed,
        sorted(names or definition.services, key=natural),
        reach=reach_of(work.engine.endpoint, work.project),
    )
    return [
        {
            "service": item.service,
            "state": item.state,
            "mark": item.mark,
            "addresses": list(item.addresses),
            "restarts": item.restarts,
            "rebuild": None
            if (rebuild := rebuilds.get(item.service)) is None
            else {"what": rebuild.what, "at": rebuild.at, "seconds": rebuild.seconds},
        }
        for item in found
    ]


def _would_do(work: Work, names: tuple[str, ...]) -> dict[str, Any]:
    """The steps of `up`, or why there would be none."""
    from invoke_devstack.errors import DevstackError, Interrupted
    from invoke_devstack.running.options import UpOptions
    from invoke_devstack.running.stack.up import plan
    from invoke_devstack.tasks.hosts import as_it_runs
    from invoke_devstack.tasks.tracing import as_it_traces

    try:
        with work.session(as_it_traces(work).applied(as_it_runs(work))) as session:
            made = plan(session, UpOptions(services=names))
    except Interrupted:
        raise
    except DevstackError as error:
        return {"steps": [], "error": error.message, "hint": error.hint}
    steps = [{"action": action.id, "cause": str(action.cause), "service": action.service} for action in made]
    return {"steps": steps, "error": "", "hint": ""}

"""`invoke ps`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError, UsageError
from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import at_most_one, choice

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work

_STATES = ("running", "exited", "created", "paused", "restarting", "removing", "dead")


@task(
    "ps",
    json="answer",
    shorts={"all_": "a", "quiet": "q"},
    flags={
        "all_": "Include containers that are not running.",
        "quiet": "Only the ids of the containers.",
        "services": "Only the names of the services.",
        "status": f"Only containers in this state; repeatable: {', '.join(_STATES)}.",
        "filter_": "`status=STATE`, the same as --status; repeatable.",
    },
)
def ps(
    work: Work,
    service: tuple[str, ...] = (),
    all_: bool = False,
    quiet: bool = False,
    services: bool = False,
    status: tuple[str, ...] = (),
    filter_: tuple[str, ...] = (),
    json: bool = False,
) -> None:
    """List containers with state, health and ports."""
    from invoke_devstack.events import Notice
    from invoke_devstack.running.stack import stacks

    at_most_one(quiet=quiet, services=services)
    wanted = work.services(service)
    states = tuple(choice("status", name, _STATES) for name in (*status, *_in_filters(filter_)))
    rows, more = stacks.listing(work.engine, work.project, wanted, all_=all_, states=states)
    if not rows:
        _tell_what_cannot_be_read(work)
    if quiet or services:
        work.names((str(row["id" if quiet else "service"]) for row in rows), json=json)
        return
    ended = ("exit_code",) if all_ or states else ()
    notes = ("note",) if any(row["note"] for row in rows) else ()
    columns = ("service", "state", "health", *ended, *notes, "ports", "started_at", "image")
    work.table("containers", columns, rows, _nothing(work, states, all_=all_))
    if more and not states:
        work.tell(Notice(text=f"{more} more {'has' if more == 1 else 'have'} ended: `invoke ps --all`"))


def _tell_what_cannot_be_read(work: Work) -> None:
    """Files that cannot be read do not say their project's name: another one may have containers."""
    from invoke_devstack.events import Notice

    try:
        _ = work.compose_definition
    except DefinitionError as error:
        place = f" ({error.position})" if error.position else ""
        text = f"{error.message}{place}; the stacks of all names: `invoke stacks`"
        work.tell(Notice(text=text, level="warning"))


def _in_filters(filters: Sequence[str]) -> list[str]:
    found: list[str] = []
    for text in filters:
        name, _, value = text.partition("=")
        if name != "status":
            raise UsageError(f"unknown filter `{text}`", hint="Write `--filter status=running`.")
        found.append(value)
    return found


def _nothing(work: Work, states: tuple[str, ...], *, all_: bool) -> str:
    if states:
        return f"{work.project} has no container that is {' or '.join(states)}"
    return f"{work.project} has no {'' if all_ else 'running '}containers; start them with `invoke up`"

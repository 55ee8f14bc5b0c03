"""`invoke traces`: requests through the stack, as its services told of them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError, NotFoundError, UsageError
from invoke_devstack.tasks.declare import split_names, task
from invoke_devstack.tasks.flags import count, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke_devstack.tasks.work import Work
    from invoke_devstack.traces.asking.reading import Reading

_SHOWN = 20
_WIDTH = 80
_HINT = "Start the stack with `invoke {prefix}up --trace`, and make a request."


@task(
    "traces",
    json="answer",
    words="trace_id",
    other_services=True,
    shorts={"errors": "e"},
    flags={
        "trace_id": "Show this trace as a tree. The start of its id is enough.",
        "service": "Only traces with this service. Repeat it, or separate names with commas.",
        "errors": "Only traces with an error.",
        "slower_than": "Only traces that took longer: `200ms`, `1.5s`.",
        "since": "Only traces since then: `15m` ago, or an RFC 3339 time.",
        "text": "Only traces with this text in a name or an attribute, such as a statement.",
        "limit": f"At most so many (default {_SHOWN}).",
    },
)
def traces(
    work: Work,
    trace_id: tuple[str, ...] = (),
    service: tuple[str, ...] = (),
    errors: bool = False,
    slower_than: str = "",
    since: str = "",
    text: str = "",
    limit: str = "",
) -> None:
    """List requests through the stack, or show one.

    `invoke traces 4bf92f` shows the trace whose id begins so: who called whom, with statements and errors.
    They are received while `up --trace` or `dashboard` runs.
    """
    from invoke_devstack.traces.asking.moments import moment
    from invoke_devstack.traces.asking.reading import Reading
    from invoke_devstack.traces.asking.traces import Wanted

    reading = Reading(_project(work))
    if ids := split_names(trace_id):
        _show(work, reading, _one(work, ids))
        return
    wanted = Wanted(
        services=_known(work, reading, split_names(service)),
        errors=errors,
        slower_than=int((seconds("slower-than", slower_than) or 0.0) * 1e9),
        since=moment(since) if since else 0,
        text=text,
        limit=max(count("limit", limit, word="all") or (1000 if limit == "all" else _SHOWN), 1),
    )
    _list(work, reading, wanted)


def _project(work: Work) -> str:
    """By the files alone where no engine answers: the traces are on this machine."""
    with suppress(DevstackError):
        return work.project
    return work.definition.name


def _known(work: Work, reading: Reading, services: Sequence[str]) -> Sequence[str]:
    """The services, if each is in the files or sent something: one may call itself as it likes. Raises
    UsageError."""
    if services:
        from invoke_devstack.planning.selection import check_names

        check_names(services, {*work.definition.all_services, *reading.services()})
    return services


def _one(work: Work, words: Sequence[str]) -> str:
    """The id among the words. Raises UsageError."""
    word = words[0]
    if word in work.definition.all_services:
        name = f"{work.task_prefix}traces"
        raise UsageError(f"`{word}` is a service", hint=f"Its traces: `invoke {name} --service {word}`.")
    if len(words) > 1:
        raise UsageError("`traces` shows one trace", hint="Give one id, or its start.")
    return word


def _list(work: Work, reading: Reading, wanted: Any) -> None:
    from invoke_devstack.console.amounts import age
    from invoke_devstack.traces.asking.text import list_text
    from invoke_devstack.traces.asking.traces import find_traces

    found: list[dict[str, Any]] = reading.ask(
        lambda opened: find_traces(opened, wanted, budget=inf)["traces"], []
    )
    if found:
        shown = list_text(found, [age(item["started"]) for item in found], _columns())
    else:
        hint = _HINT.format(prefix=work.task_prefix)
        shown = "no trace matches" if reading.stored()["traces"] else f"no traces. {hint}"
    work.answer(shown, found)


def _show(work: Work, reading: Reading, prefix: str) -> None:
    from invoke_devstack.console.amounts import age
    from invoke_devstack.traces.asking.text import tree_text
    from invoke_devstack.traces.asking.traces import find_id, read_trace

    nothing: list[bytes] = []
    ids = reading.ask(lambda opened: find_id(opened, prefix), nothing)
    if len(ids) > 1:
        raise UsageError(f"several traces begin with `{prefix}`", hint="Give more of the id.")
    found = reading.ask(lambda opened: read_trace(opened, ids[0]), None) if ids else None
    if found is None:
        list_all = f"See those that are kept: `invoke {work.task_prefix}traces`."
        raise NotFoundError(f"no trace begins with `{prefix}`", hint=list_all)
    work.answer(tree_text(found, age(found["started"]), _columns()), found)


def _columns() -> int:
    return max(shutil.get_terminal_size((_WIDTH, 24)).columns, 40)

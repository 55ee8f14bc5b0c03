"""The answer of `status` as a person sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from invoke_devstack.console.amounts import age, counted
from invoke_devstack.console.event_views import fold
from invoke_devstack.console.style import Paint

_WIDEST = 79  # columns
_SHOWN = 8  # steps of `up`; there is a task that prints them all

_Painter = Callable[[str], str]


def status_lines(data: Mapping[str, Any], paint: Paint, columns: int, *, prefix: str = "") -> Iterator[str]:
    """The lines for the answer's `data`, none longer than `columns` where words can be broken. `prefix`
    stands before the names of the stack's tasks."""
    width = min(columns, _WIDEST)
    yield f"{paint.bold(data['project'])}: {counted(len(data['services']), 'service')}"
    yield from _rows(data["services"], paint, width)
    if data["busy"]:
        yield paint.warn(fold(f"in use by {data['busy']}", width, "  "))
    yield ""
    yield from _of_failure(data["failure"], paint, width, prefix)
    yield ""
    yield from _of_plan(data["up"], paint, width, f"invoke {prefix}up")


def _rows(services: Sequence[Mapping[str, Any]], paint: Paint, width: int) -> Iterator[str]:
    """One line for each, and one more for each further address."""
    marks = {
        "good": paint.good_mark,
        "bad": paint.bad_mark,
        "busy": paint.warn("…" if paint.unicode else "~"),
        "quiet": paint.quiet_mark,
    }
    rows = [_cells(item, paint) for item in services]
    widths = [max((len(row[place][0]) for row in rows), default=0) for place in range(4)]
    indent = sum(wide + 2 for wide in widths[:2] if wide) + 2
    for item, row in zip(services, rows, strict=True):
        used = [(text, painter, wide) for (text, painter), wide in zip(row, widths, strict=True) if wide]
        shown = "  ".join(painter(text) + " " * (wide - len(text)) for text, painter, wide in used)
        said = _said(item["rebuild"])
        long = 2 + sum(wide + 2 for _, _, wide in used) + len(said) > width
        line = f"{marks[item['mark']]} {shown}"
        if said and long:
            yield line.rstrip()
            line = " " * max(min(indent, width - len(said)) - 2, 0)
        failed = bool(said) and item["rebuild"]["what"] == "failed"
        yield f"{line}  {paint.bad(said) if failed else paint.dim(said)}".rstrip()
        yield from (" " * indent + paint.address(address) for address in item["addresses"][1:])


def _cells(item: Mapping[str, Any], paint: Paint) -> tuple[tuple[str, _Painter], ...]:
    """Name, state, first address and restarts, as in the footer."""
    painters = {"bad": paint.bad, "busy": paint.warn, "quiet": paint.dim}
    healthy = item["mark"] == "good" and item["state"] == "healthy"
    name = item["service"]
    return (
        (name, lambda text: paint.service(name, shown=text)),
        (item["state"], paint.good if healthy else painters.get(item["mark"], paint.plain)),
        ((item["addresses"] or ("",))[0], paint.address),
        (counted(item["restarts"], "restart") if item["restarts"] else "", paint.warn),
    )


def _said(rebuild: Mapping[str, Any] | None) -> str:
    return f"{rebuild['what']} {age(rebuild['at'])}" if rebuild else ""


def _of_failure(failure: Mapping[str, Any] | None, paint: Paint, width: int, prefix: str) -> Iterator[str]:
    if failure is None:
        yield "last failure: none is known"
        return
    is_over = failure["over"]
    over = ", and the same has succeeded since" if is_over else ""
    command = failure["command"].replace("invoke ", f"invoke {prefix}", 1)
    met = f" by `{command}`" if command else ""
    yield fold(f"last failure, {age(failure['at'])}{met}{over}:", width, "  ")
    yield "  " + (paint.plain if is_over else paint.bad)(fold(failure["cause"], width - 2, "  "))
    if not is_over:
        yield f"  more: `invoke {prefix}explain-failure`"


def _of_plan(up: Mapping[str, Any], paint: Paint, width: int, command: str) -> Iterator[str]:
    if up["error"]:
        yield fold(f"`{command}` would fail: {paint.bad(up['error'])}", width, "  ")
        if up["hint"]:
            yield fold(f"hint: {up['hint']}", width, "  ")
        return
    steps = up["steps"]
    if not steps:
        yield f"`{command}` would change nothing"
        return
    yield f"`{command}` would do:"
    for step in steps[:_SHOWN]:
        cause = paint.dim(f"({step['cause']})")
        yield "  " + fold(f"{step['action']}  {cause}", width - 4, "    ")
    if len(steps) > _SHOWN:
        yield f"  and {len(steps) - _SHOWN} more steps: `{command} --dry-run`"

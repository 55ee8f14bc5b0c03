"""The tool that shows requests through the stack: a list of them, or one as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from invoke_devstack.acting.host import Wish
from invoke_devstack.mcp.answer import UNTRUSTED, Answer, error_answer
from invoke_devstack.mcp.budget import cut, within
from invoke_devstack.mcp.calls import Call
from invoke_devstack.mcp.looking import Given, services_of

_STATEMENTS = ("db.query.text", "db.statement")
_LISTED = ("trace_id", "started", "service", "name", "duration_ms", "spans", "errors")


def trace(call: Call, given: Given) -> Answer:
    """The newest requests, or the spans of one."""
    options = {
        "trace_id": (given["id"],) if given["id"] else (),
        "errors": bool(given["errors"]),
        "slower_than": given["slower_than"] or "",
        "since": given["since"] or "",
        "limit": str(given["limit"]),
    }
    found = call.do(Wish("traces", services_of(given), options, reads=True))
    if found.failed:
        return error_answer(found.failed)
    if isinstance(found.answer, Mapping):
        return _one(found.answer, given["max_tokens"])
    return _several(found.answer, given["max_tokens"])


def _several(traces: list[Mapping[str, Any]], limit: int) -> Answer:
    rows = [{name: _short(item[name]) for name in _LISTED} for item in traces]
    shown = within(rows, limit)
    data: dict[str, Any] = {"traces": shown, "names_are": UNTRUSTED}
    if left := len(rows) - len(shown):
        data["left_out"] = f"{left} older ones: raise `max_tokens`, or ask for `errors` or `slower_than`"
    text = f"{len(shown)} of {len(rows)} traces, the newest first" if left else f"{len(rows)} traces"
    return Answer(f"{text}. `id` shows one.", data)


def _one(found: Mapping[str, Any], limit: int) -> Answer:
    lines = [cut(line) for span in found["spans"] for line in _lines_of(span)]
    shown = within(lines, limit)
    data: dict[str, Any] = {name: _short(found[name]) for name in _LISTED if name != "spans"}
    data |= {"tree": shown, "tree_is": UNTRUSTED}
    if left := len(lines) - len(shown):
        data["left_out"] = f"{left} lines: raise `max_tokens`"
    errors = f", {found['errors']} with an error" if found["errors"] else ""
    count = len(found["spans"]) + found["more"]
    return Answer(f"{count} spans{errors}, {found['duration_ms']} ms.", data)


def _lines_of(span: Mapping[str, Any]) -> Iterator[str]:
    indent = "  " * min(span["depth"], 20)
    failed = " ERROR" if span["status"] == "error" else ""
    yield f"{indent}{span['service']} {_line(span['name'])} {span['duration_ms']} ms{failed}"
    statement = next((span["attributes"][name] for name in _STATEMENTS if span["attributes"].get(name)), "")
    for note in (statement, span["status_text"]):
        if note:
            yield f"{indent}  | {_line(note)}"


def _line(text: Any) -> str:
    return " ".join(str(text).split())


def _short(value: Any) -> Any:
    return cut(value) if isinstance(value, str) else value

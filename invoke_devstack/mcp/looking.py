"""The tools that only look: status, logs, wait_ready, explain_failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.acting.host import Wish
from invoke_devstack.mcp.answer import UNTRUSTED, Answer, bounded, error_answer
from invoke_devstack.mcp.budget import cut, within
from invoke_devstack.mcp.calls import Call
from invoke_devstack.mcp.log_lines import LogLines

_PATIENCE = "10"  # seconds for the engine
_READS_ALL = ""
_NAMED = 5  # services in a sentence

Given = Mapping[str, Any]


def services_of(given: Given) -> tuple[str, ...]:
    """The services that a call names; none: all."""
    return (given["service"],) if given.get("service") else ()


def status(call: Call, given: Given) -> Answer:
    """How each service is, the ones that are not ready first."""
    services = services_of(given)
    found = call.do(Wish("is-ready", services, {"timeout": _PATIENCE}, reads=True))
    if found.failed:
        return error_answer(found.failed)
    addresses: dict[str, list[str]] = {}
    if any(row["ready"] for row in found.answer):
        for row in call.do(Wish("urls", services, reads=True)).answer or ():
            addresses.setdefault(row["service"], []).append(row["address"])
    rows = [_row(row, addresses) for row in found.answer]
    return _listed(call, sorted(rows, key=lambda row: bool(row["ready"])), given["max_tokens"])


def _row(row: Mapping[str, Any], addresses: Mapping[str, list[str]]) -> dict[str, Any]:
    shown: dict[str, Any] = {"service": row["service"], "state": row["state"], "ready": row["ready"]}
    if row["why"]:
        shown["why"] = cut(row["why"])
    if row["service"] in addresses:
        shown["addresses"] = addresses[row["service"]]
    return shown


def _listed(call: Call, rows: list[dict[str, Any]], limit: int) -> Answer:
    shown = within(rows, limit)
    ready = sum(1 for row in rows if row["ready"])
    data: dict[str, Any] = {
        "project": call.host.project,
        "ready": ready == len(rows),
        "services": shown,
    }
    lacking = [row for row in rows if not row["ready"]]
    text = f"{ready} of {len(rows)} services are ready" if rows else "The stack has no services"
    if lacking:
        text += f": {_named(lacking)}"
    if len(shown) < len(rows):
        data["left_out"] = len(rows) - len(shown)
        data["more"] = "Name them in `service`, or raise `max_tokens`."
    return Answer(f"{text}.", data)


def _named(rows: list[dict[str, Any]]) -> str:
    several = [f"{row['service']} is {row['state']}" for row in rows[:_NAMED]]
    return ", ".join([*several, *(["…"] if len(rows) > _NAMED else [])])


def logs(call: Call, given: Given) -> Answer:
    """The newest lines that match."""
    level = given["level"] or ""
    lines = LogLines(given["limit"], level, call.host.secrets.hide)
    options = {name: given[name] or "" for name in ("since", "until", "grep")}
    # A level is looked for here; and the engine takes the last lines first, and then those before `until`.
    tail = _READS_ALL if level or options["until"] else str(given["limit"] + 1)
    wish = Wish("logs", services_of(given), {**options, "tail": tail, "timestamps": True}, reads=True)
    found = call.do(wish, lines)
    return error_answer(found.failed) if found.failed else lines.answer(given["max_tokens"])


def wait_ready(call: Call, given: Given) -> Answer:
    """Returns once all are ready, or cannot become it, or the time is up."""
    options = {"wait": True, "timeout": str(given["timeout"])}
    found = call.do(Wish("is-ready", services_of(given), options, reads=True))
    if found.failed:
        return error_answer(found.failed)
    lacking = [row for row in found.answer if not row["ready"]]
    if not lacking:
        return Answer("All are ready.", {"ready": True})
    shown = within([_row(row, {}) for row in lacking], given["max_tokens"])
    text = f"Not ready after {given['timeout']} s: {_named(lacking)}."
    return Answer(text, {"ready": False, "not_ready": shown})


def explain_failure(call: Call, given: Given) -> Answer:
    """What failed last."""
    found = call.do(Wish("explain-failure", services_of(given), reads=True))
    if found.failed:
        return error_answer(found.failed)
    data: dict[str, Any] = {name: value for name, value in found.answer.items() if value or name == "failed"}
    if not data.get("cause"):
        return Answer("Nothing has failed.", {"failed": False})
    data["cause"] = cut(data["cause"])
    if "evidence" in data:
        data["evidence"] = bounded(data["evidence"], given["max_tokens"])
        data["evidence_is"] = UNTRUSTED
    over = " It is over: the same has succeeded since." if data.get("over") else ""
    return Answer(f"{data['cause']}.{over} Next: `{data['next']}`", data)

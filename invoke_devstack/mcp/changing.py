"""The tools that change something: up, down, restart, exec, copies."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from invoke_devstack.acting.host import CAPTURE, Wish
from invoke_devstack.mcp.answer import UNTRUSTED, Answer, bounded, error_answer, quoted, refusal
from invoke_devstack.mcp.budget import cut, within
from invoke_devstack.mcp.calls import Call
from invoke_devstack.mcp.hearing import Heard
from invoke_devstack.mcp.looking import Given, services_of

_LISTED = 400  # tokens of each list in an answer
_UP_TO_DATE = "up to date"
_OF_COPIES = ("copy", "state", "project", "expires_at", "snapshot")


def up(call: Call, given: Given) -> Answer:
    """Starts what is not there as the files say, and waits until it is ready."""
    options: dict[str, Any] = {"build": bool(given["build"])}
    if given["timeout"]:
        options["wait_timeout"] = str(given["timeout"])
    return _brought_up(call, Wish("up", services_of(given), options))


def restart(call: Call, given: Given) -> Answer:
    """Restarts containers, and waits until they are ready."""
    return _brought_up(call, Wish("restart", services_of(given)))


def _brought_up(call: Call, wish: Wish) -> Answer:
    since = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    began = time.monotonic()
    done = call.do(wish)
    steps = [f"{item['action']} {item['target']}: {item['cause']}" for item in done.of("action.started")]
    data: dict[str, Any] = {"logs_since": since, "seconds": round(time.monotonic() - began, 1)}
    if steps:
        data["done"] = within([cut(step) for step in steps], _LISTED)
    if done.failed:
        return _failed(done, data)
    ready = [_ready(item) for item in done.of("service.ready")]
    data["services"] = within(ready, _LISTED)
    data |= _notices(done)
    count = len({item["service"] for item in ready})  # one may have several containers
    what = f"{count} service{'s' * (count != 1)} ready"
    return Answer(f"{wish.task}: {what} after {data['seconds']} s.", data)


def _ready(event: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"service": event["service"], "state": event["state"]}
    if event["addresses"]:
        shown["addresses"] = event["addresses"]
    if not event["changed"]:
        shown["state"] = f"{event['state']}, {_UP_TO_DATE}"
    return shown


def _failed(done: Heard, data: dict[str, Any]) -> Answer:
    assert done.failed is not None
    answer = error_answer(done.failed)
    return Answer(answer.text, {**answer.data, **data, **_notices(done)}, is_error=True)


def _notices(done: Heard) -> dict[str, Any]:
    warnings = [cut(item["text"]) for item in done.of("notice") if item["level"] == "warning"]
    printed = [f"{item['stream']}: {item['text']}" for item in done.of("output")]
    found: dict[str, Any] = {}
    if warnings:
        found["warnings"] = within(warnings, _LISTED)
    if printed:
        found["hooks_printed"] = bounded(printed, _LISTED)
        found["hooks_printed_is"] = UNTRUSTED
    return found


def down(call: Call, given: Given) -> Answer:
    """Stops and removes everything but the data. There is no way to delete volumes here."""
    done = call.do(Wish("down"))
    if done.failed:
        return _failed(done, {})
    finished = done.of("down.finished")[-1:]
    data: dict[str, Any] = {"removed": 0, "kept_volumes": []}
    for event in finished:
        data = {"removed": len(event["removed"]), "kept_volumes": within(event["kept_volumes"], _LISTED)}
    text = f"down: {data['removed']} removed; volumes stay." if data["removed"] else "Nothing was running."
    return Answer(text, {**data, **_notices(done)})


def exec_(call: Call, given: Given) -> Answer:
    """Runs a command in a container."""
    options = {"command": tuple(given["command"]), "timeout": float(given["timeout"])}
    done = call.do(Wish(CAPTURE, (given["service"],), options, reads=True))
    if done.failed:
        return error_answer(done.failed)
    every = done.answer["output"].splitlines()
    lines = bounded(every, given["max_tokens"])
    data: dict[str, Any] = {"exit_code": done.answer["exit_code"], "output": lines, "output_is": UNTRUSTED}
    text = f"Exit code {data['exit_code']}"
    if left := len(every) - len(lines):
        data["left_out"] = f"{left} lines before these: raise `max_tokens`, or filter in the command"
        text += f"; the last {len(lines)} of {len(every)} lines"
    return Answer(f"{text}\n{quoted(lines)}" if lines else f"{text}, no output.", data)


def copies(call: Call, given: Given) -> Answer:
    """Lists isolated copies of the stack, or creates or ends one."""
    if given["action"] == "list":
        return _copies_listed(call.do(Wish("copies", reads=True)))
    if not given["name"]:
        return refusal(f"`copies` needs `name` to {given['action']} one")
    return _copy_changed(call, given)


def _copies_listed(done: Heard) -> Answer:
    if done.failed:
        return error_answer(done.failed)
    rows = [{name: row[name] for name in _OF_COPIES} for row in done.answer]
    shown = within(rows, _LISTED * 2)
    return Answer(f"{len(rows)} cop{'y' if len(rows) == 1 else 'ies'}.", {"copies": shown})


def _copy_changed(call: Call, given: Given) -> Answer:
    options: dict[str, Any] = {"name": given["name"]}
    if given["action"] == "end" and (wrong := _not_ours(call, given["name"])):
        return wrong
    if given["action"] == "add":
        options |= {"from_snapshot": given["from_snapshot"] or "", "ttl": given["ttl"] or ""}
    done = call.do(Wish(f"copies.{given['action']}", options=options, confirmed=given["name"]))
    if done.failed:
        return _failed(done, {})
    use = "" if given["action"] == "end" else f" Act on it with `DEVSTACK_COPY={given['name']} invoke …`."
    data = done.answer if isinstance(done.answer, dict) else {"name": given["name"]}
    return Answer(f"copies.{given['action']} {given['name']}: done.{use}", {**data, **_notices(done)})


def _not_ours(call: Call, name: str) -> Answer | None:
    """The refusal for a name that is not that of a copy of this stack: the task would take others too."""
    listed = call.do(Wish("copies", reads=True))
    if listed.failed:
        return error_answer(listed.failed)
    names = [row["copy"] for row in listed.answer]
    if name in names:
        return None
    return refusal(f"unknown copy `{name}`", f"Copies: {', '.join(names)}." if names else "There are none.")

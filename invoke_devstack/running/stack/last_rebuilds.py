"""When a service was last rebuilt, and whether it worked, by the journal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from invoke_devstack.records import record
from invoke_devstack.running.journal import Written

_BUILD = "build"


@record
class LastRebuild:
    """`at` is RFC 3339."""

    what: Literal["rebuilt", "failed"]
    at: str
    seconds: float | None = None


def last_rebuilds(runs: Iterable[Written]) -> dict[str, LastRebuild]:
    """By service. `runs`: the newest first."""
    found: dict[str, LastRebuild] = {}
    for run in runs:
        for service, rebuild in _rebuilds(run):
            found.setdefault(service, rebuild)
    return found


def _rebuilds(run: Written) -> Iterator[tuple[str, LastRebuild]]:
    """The newest first."""
    for at, event in reversed(run.events):
        what = _outcome(event)
        if what and event.get("service"):
            moment = datetime.fromtimestamp(run.head.began + at, UTC)
            text = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
            yield str(event["service"]), LastRebuild(what, text, event.get("seconds"))


def _outcome(event: dict[str, Any]) -> Literal["rebuilt", "failed", ""]:
    type_ = event.get("type")
    if type_ == "watch.rebuilt" or (type_ == "action.finished" and event.get("action") == _BUILD):
        return "rebuilt"
    if type_ == "watch.failed" or (type_ == "action.failed" and event.get("action") == _BUILD):
        return "failed"
    return ""

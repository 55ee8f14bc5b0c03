"""What is under way at this moment, one row a service: the state behind the live view. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from invoke_devstack import events as e

_DOING = {
    "pull": "pulling",
    "build": "building",
    "push": "pushing",
    "stand-in": "making a stand-in",
    "create": "creating",
    "start": "starting",
    "await": "starting",
    "stop": "stopping",
    "remove": "removing",
    "restart": "restarting",
    "hook": "running",
    "exec": "running a command",
    "install": "installing",
}


class Mark(Enum):
    QUIET = "quiet"  # nothing happened yet
    BUSY = "busy"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Part:
    """How far one layer of a pull or one build is."""

    text: str
    done: int | None
    total: int | None
    unit: str


@dataclass(slots=True)
class Row:
    """One line of the view. `began` is a reading of the clock, `seconds` is set once it ended."""

    name: str
    is_service: bool
    began: float
    mark: Mark = Mark.QUIET
    text: str = ""
    seconds: float | None = None
    parts: dict[str, Part] = field(default_factory=dict)

    def elapsed(self, now: float) -> float | None:
        """Seconds to show beside the row; None while nothing began."""
        if self.seconds is not None:
            return self.seconds
        return now - self.began if self.mark is Mark.BUSY else None

    def fraction(self) -> tuple[int, int, str] | None:
        """(done, total, unit) over all parts; None where no total is known."""
        known = [part for part in self.parts.values() if part.done is not None and part.total]
        if not known:
            return None
        done = sum(min(part.done or 0, part.total or 0) for part in known)
        return done, sum(part.total or 0 for part in known), known[0].unit

    def latest(self) -> str:
        """What the part that spoke last is doing."""
        return next(reversed(self.parts.values())).text if self.parts else ""


class Board:
    """Rows in the order of the plan's services; what belongs to no service comes after them."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._rows: dict[str, Row] = {}
        self._row_of_action: dict[tuple[str, str], str] = {}

    def expect(self, services: Iterable[str]) -> None:
        """Gives each service a row before anything happens to it."""
        for service in services:
            self._rows.setdefault(service, Row(service, True, self._began))

    def apply(self, event: e.Event, now: float) -> None:
        """Takes note of the event. Events that the view does not show are ignored."""
        if isinstance(event, e.ActionStarted):
            self._begin(event, now)
        elif isinstance(event, e.ActionProgress):
            self._progress(event, now)
        elif isinstance(event, e.ActionFinished):
            self._finish(event)
        elif isinstance(event, e.ActionFailed):
            self._settle(self._row(event.service or event.target, now), Mark.BAD, "failed", event.seconds)
        elif isinstance(event, e.ServiceWaiting):
            self._busy(self._row(event.service, now), f"waiting: {event.last or event.probe}", now)
        elif isinstance(event, e.ServiceReady):
            text = "  ".join((event.state, *event.addresses))
            self._settle(self._row(event.service, now), Mark.GOOD, text, event.seconds)
        elif isinstance(event, e.ServiceStopped):
            text = "killed" if event.killed else "stopped"
            self._settle(self._row(event.service, now), Mark.GOOD, text, event.seconds)

    def rows(self, limit: int) -> tuple[list[Row], int]:
        """At most `limit` rows, those under way or failed first to stay, and how many are left out."""
        rows = list(self._rows.values())
        if len(rows) <= limit:
            return rows, 0
        ranks = {Mark.BAD: 0, Mark.BUSY: 1, Mark.GOOD: 2, Mark.QUIET: 3}
        kept = {id(row) for row in sorted(rows, key=lambda row: ranks[row.mark])[: limit - 1]}
        return [row for row in rows if id(row) in kept], len(rows) - len(kept)

    def _begin(self, event: e.ActionStarted, now: float) -> None:
        name = event.service or event.target
        self._row_of_action[event.action, event.target] = name
        row = self._rows.get(name) or self._rows.setdefault(name, Row(name, bool(event.service), now))
        row.parts.clear()
        self._busy(row, _DOING.get(event.action, event.action), now)

    def _progress(self, event: e.ActionProgress, now: float) -> None:
        row = self._row(self._row_of_action.get((event.action, event.target), event.target), now)
        row.mark = Mark.BUSY
        before = row.parts.pop(event.item, Part("", None, None, ""))
        row.parts[event.item] = Part(
            event.text,
            before.done if event.done is None else event.done,
            before.total if event.total is None else event.total,
            event.unit or before.unit,
        )

    def _finish(self, event: e.ActionFinished) -> None:
        name = self._row_of_action.get((event.action, event.target), event.target)
        row = self._rows.get(name)
        if row is None:
            return
        row.parts.clear()
        if not row.is_service:
            del self._rows[name]
        elif event.action == "create" and row.text == _DOING["create"]:
            row.mark, row.text = Mark.QUIET, "created, waits for what it depends on"

    def _row(self, name: str, now: float) -> Row:
        return self._rows.setdefault(name, Row(name, True, now))

    def _busy(self, row: Row, text: str, now: float) -> None:
        if row.mark is not Mark.BUSY:
            row.began, row.seconds = now, None
        row.mark, row.text = Mark.BUSY, text

    def _settle(self, row: Row, mark: Mark, text: str, seconds: float) -> None:
        row.mark, row.text, row.seconds = mark, text, seconds
        row.parts.clear()

"""What is happening now, one row for each service: the state behind the live view. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from invoke_devstack import events as e
from invoke_devstack.console.event_views import Mark, action_text, row_change


@dataclass(frozen=True, slots=True)
class Part:
    """Progress of one layer of a pull, or of one build."""

    text: str
    done: int | None
    total: int | None
    unit: str


@dataclass(slots=True)
class Row:
    """One row of the view. `began` is a reading of the clock; `seconds` is set when it is done."""

    name: str
    is_service: bool
    began: float
    mark: Mark = Mark.QUIET
    text: str = ""
    seconds: float | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    before: tuple[Mark, str, float | None] | None = None
    """Mark, text and seconds to return to after an action in between, such as a hook."""

    def elapsed(self, now: float) -> float | None:
        """Seconds to show in the row; None if nothing has begun."""
        if self.seconds is not None:
            return self.seconds
        return now - self.began if self.mark is Mark.BUSY else None

    def fraction(self) -> tuple[int, int, str] | None:
        """(done, total, unit) over all parts; None if no total is known. Each step of a build counts those
        that began before it, so the last one counts for all."""
        known = [part for part in self.parts.values() if part.done is not None and part.total]
        if not known:
            return None
        amounts = [(min(part.done or 0, part.total or 0), part.total or 0) for part in known]
        done, total = zip(*amounts, strict=True)
        unit = known[0].unit
        return (max(done), max(total), unit) if unit == "steps" else (sum(done), sum(total), unit)

    def latest(self) -> str:
        """The text of the part that changed last."""
        return next(reversed(self.parts.values())).text if self.parts else ""


_IN_BETWEEN = ("hook", "exec")
_SETTLED = {
    "pull": "pulled",
    "build": "built",
    "stand-in": "built a stand-in",
    "create": "created, waiting for its dependencies",
}


class Board:
    """Rows in the order of the plan's services, then those of no service."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._rows: dict[str, Row] = {}
        self._row_of_action: dict[tuple[str, str], str] = {}

    def expect(self, services: Iterable[str]) -> None:
        """Gives each service a row before anything happens."""
        for service in services:
            self._rows.setdefault(service, Row(service, True, self._began))

    def apply(self, event: e.Event, now: float) -> None:
        """Updates the rows. `now` is a reading of the clock. Ignores events that no row shows."""
        if change := row_change(event):
            self._change(self._row(change.service, now), change.mark, change.text, change.seconds, now)
        elif update := _UPDATES.get(type(event)):
            update(self, event, now)

    def rows(self, limit: int) -> tuple[list[Row], int]:
        """At most `limit` rows, preferring failed and busy ones, and how many are left out."""
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
        if event.action in _IN_BETWEEN:
            row.before = (row.mark, row.text, row.seconds)
        self._change(row, Mark.BUSY, action_text(event.action).in_row, None, now)

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

    def _finish(self, event: e.ActionFinished, now: float) -> None:
        name = self._row_of_action.get((event.action, event.target), event.target)
        row = self._rows.get(name)
        if row is None:
            return
        row.parts.clear()
        if not row.is_service:
            del self._rows[name]
        elif row.text == action_text(event.action).in_row:
            self._settle(row, event.action)

    def _settle(self, row: Row, action: str) -> None:
        """The row of a service whose action is done, until its next one begins."""
        if action in _IN_BETWEEN and row.before is not None:
            (row.mark, row.text, row.seconds), row.before = row.before, None
        elif action in _SETTLED:
            row.mark, row.text = Mark.QUIET, _SETTLED[action]

    def _row(self, name: str, now: float) -> Row:
        return self._rows.setdefault(name, Row(name, True, now))

    def _change(self, row: Row, mark: Mark, text: str, seconds: float | None, now: float) -> None:
        if mark is Mark.BUSY and row.mark is not Mark.BUSY:
            row.began = now
        row.mark, row.text, row.seconds = mark, text, seconds
        if mark is not Mark.BUSY:
            row.parts.clear()


_UPDATES: dict[type[e.Event], Callable[[Board, Any, float], None]] = {
    e.ActionStarted: Board._begin,
    e.ActionProgress: Board._progress,
    e.ActionFinished: Board._finish,
}


def changes_a_row(event: e.Event) -> bool:
    """Whether the live view shows the event in a row."""
    return type(event) in _UPDATES or row_change(event) is not None

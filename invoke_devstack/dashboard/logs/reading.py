"""Answers what a page asks about logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from invoke_devstack.acting.log_line import Line
from invoke_devstack.dashboard.answers import to_text
from invoke_devstack.dashboard.logs import archive
from invoke_devstack.dashboard.logs.feed import Feed
from invoke_devstack.dashboard.logs.fields import members
from invoke_devstack.dashboard.logs.filters import Filter, read_filter, stamp_at
from invoke_devstack.dashboard.logs.store import Page, Store
from invoke_devstack.errors import UsageError
from invoke_devstack.running.logs.sources import moment
from invoke_devstack.running.session import Session

_LIMIT, _MOST = 200, 2000
_MOST_FOUND = 10_000
_BEGIN = 30.0  # seconds that a search waits for the lines that the feed begins with


class Reading:
    """Reads from the store, and from the engine what is older."""

    def __init__(self, session: Callable[[], Session], store: Store, feed: Feed) -> None:
        self._session = session
        self._store = store
        self._feed = feed

    def window(self, query: Mapping[str, str], conditions: Sequence[str]) -> dict[str, Any]:
        """`GET logs`. Raises UsageError."""
        wanted = read_filter(query, conditions)
        limit = _number(query, "limit", _LIMIT, most=_MOST)
        self._feed.wait_until_filled(2.0)
        self._feed.read_past()
        if "older" in query:
            return self._older(wanted, _stamp(query["older"]), limit)
        if "around" in query:
            return self._around(wanted, *_id(query["around"]), limit)
        if "at" in query:
            return self._around(wanted, _stamp(query["at"]), "", limit)
        if "after" in query:
            return self._answer(self._store.after(_number(query, "after", 0), limit, wanted))
        before = _number(query, "before", self._store.last + 1)
        return self._answer(self._store.before(before, limit, wanted))

    def _around(self, wanted: Filter, stamp: bytes, container: str, limit: int) -> dict[str, Any]:
        """Half of the lines before the place, half from it on."""
        if not self._has(stamp):
            lines = archive.older(self._session(), wanted, stamp, limit // 2)
            lines += archive.since(self._session(), wanted, stamp, limit - len(lines))
            return self._loose(lines)
        number = self._store.number_at(stamp)
        earlier = self._store.before(number, limit // 2, wanted)
        later = self._store.after(number - 1, limit - len(earlier.lines), wanted)
        lines = [*earlier.lines, *later.lines]
        both = Page(lines, later.first, later.last, earlier.before, later.after, complete=later.complete)
        return {**self._answer(both), "at": number}

    def _has(self, stamp: bytes) -> bool:
        return stamp >= self._store.start() or not self._is_cut

    @property
    def _is_cut(self) -> bool:
        """Whether the engine may have older lines than the store."""
        return self._feed.is_partial or self._store.dropped

    def _older(self, wanted: Filter, stamp: bytes, limit: int) -> dict[str, Any]:
        start = self._store.start()
        if (start and stamp > start) or not self._is_cut:  # read meanwhile
            return self._answer(self._store.before(self._store.number_at(stamp), limit, wanted))
        lines = archive.older(self._session(), wanted, stamp, limit)
        return {**self._loose(lines), "older": len(lines) == limit}

    def _loose(self, lines: list[Line]) -> dict[str, Any]:
        """Lines without numbers."""
        first, last = self._store.first, self._store.last
        return self._answer(Page(lines, first, last, None, last, complete=True))

    def _answer(self, page: Page) -> dict[str, Any]:
        return {
            "lines": [line.to_json() for line in page.lines],
            "first": page.first,
            "last": page.last,
            "before": page.before,
            "after": page.after,
            "older": self._is_cut,
            "complete": page.complete,
            "total": page.last - page.first + 1,
        }

    def line(self, id_: str) -> dict[str, Any] | None:
        """One whole line, or None if there is none."""
        stamp, container = _id(id_)
        found = self._store.find(stamp, container)
        if found is None:
            near = archive.since(self._session(), Filter(), stamp, 50)
            found = next((item for item in near if item.stamp == stamp and item.container == container), None)
        return found.to_json(whole=True) if found else None

    def fields(self, query: Mapping[str, str], conditions: Sequence[str]) -> list[dict[str, Any]]:
        """`GET logs/fields`: the members of the newest lines that are JSON and match, the most common first,
        and their most common values. Raises UsageError."""
        wanted = read_filter(query, conditions)
        self._feed.wait_until_filled(2.0)
        return members(self._store.newest_first(wanted))

    def search(self, query: Mapping[str, str], conditions: Sequence[str]) -> Iterator[str]:
        """`GET logs/search`: lines of JSON. Raises UsageError at once."""
        wanted = read_filter(query, conditions)
        limit = _number(query, "limit", 1000, most=_MOST_FOUND)
        session = self._session()
        self._feed.wait_until_filled(_BEGIN)
        found = archive.search(session, self._store, wanted, limit, is_cut=self._is_cut)
        return (f"{to_text(item)}\n" for item in found)

    def download(self, query: Mapping[str, str], conditions: Sequence[str]) -> Iterator[str]:
        """`GET logs/download`: everything that matches, as text or lines of JSON."""
        wanted = read_filter(query, conditions)
        shown = _as_json if query.get("format") == "json" else _as_text
        pieces = archive.everything(self._session(), wanted)
        return ("".join(shown(line) for line in lines) for lines in pieces if lines)


def _as_json(line: Line) -> str:
    data = line.to_json(whole=True)
    return f"{to_text({name: data[name] for name in data if name != 'n'})}\n"


def _as_text(line: Line) -> str:
    text = line.plain().decode("utf-8", "replace")
    return f"{line.stamp.decode('ascii', 'replace')} {line.container} | {text}\n"


def _number(query: Mapping[str, str], name: str, default: int, *, most: int | None = None) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise UsageError(f"invalid number `{text}` for `{name}`")
    return int(text) if most is None else max(1, min(int(text), most))


def _stamp(text: str) -> bytes:
    if len(text) == 30 and text.endswith("Z"):
        return text.encode("ascii", "replace")
    return stamp_at(float(moment(text, "at") or 0))


def _id(text: str) -> tuple[bytes, str]:
    stamp, _, container = text.partition("@")
    return _stamp(stamp), container

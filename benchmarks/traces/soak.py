"""Spans at a steady rate for long: what is lost, the dashboard's memory, and how fast its pages answer.

Three senders, each a process. After some minutes the store has its full size, and the oldest traces go while
new ones come; `--full` begins with a store that is nearly full, so that a short run shows it too.
"""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

from benchmarks.traces.sending import SPANS_OF_TRACE, Sent, send_for
from benchmarks.traces.serving import PROJECT, Served, own_state, served
from invoke_devstack.traces.keeping import bounds
from invoke_devstack.traces.keeping.database import open_to_write
from invoke_devstack.traces.keeping.inserting import Inserter
from invoke_devstack.traces.places import database_of, private_folder
from invoke_devstack.traces.rows import CLIENT, SERVER, Arrived, SpanRow

_SENDERS = 3
_LINE_EVERY = 30.0  # seconds
_ROUND = 1.0  # seconds from one look at all pages to the next
_SLACK = 3.0  # seconds: the store notes whole seconds, and a sender hears later that its spans are kept
PAGES = (
    "traces",
    "traces/status",
    "traces?errors=1",
    "traces?service=web&slower_than_ms=60000",
    "traces/{id}",
    "traces/logs",
    "traces/map",
    "traces/metrics",
)


def soak(seconds: float, rate: int, *, full: bool) -> bool:
    """Prints a line every half minute, and the sum. Whether nothing was lost."""
    with own_state():
        if full:
            print(f"filled with {_fill(int(bounds.LARGEST * 0.98)):,} spans", flush=True)
        with served() as dashboard:
            return _soak(dashboard, seconds, rate)


def _soak(dashboard: Served, seconds: float, rate: int) -> bool:
    looks = _Looks(dashboard)
    began, spent = time.monotonic(), dashboard.processor_time()
    print("second | memory, MB | in the store | store and its log, MB | slowest page: p95, ms", flush=True)
    with ProcessPoolExecutor(_SENDERS, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(send_for, dashboard.door, seconds, rate / _SENDERS) for _ in range(_SENDERS)]
        looks.until_done(running)
        sent = [item.result() for item in running]
    elapsed, spent = time.monotonic() - began, dashboard.processor_time() - spent
    lost = lost_traces(sent, kept_traces())
    refused = sum(count for item in sent for count in item.refused.values())
    answers = [value for item in sent for value in item.answers]
    spans = sum(item.spans for item in sent)
    print(f"\nspans acknowledged: {spans:,} in {elapsed:.0f} s, {spans / seconds:,.0f} a second")
    print(f"requests refused: {refused} {json.dumps(_together(sent)) if refused else ''}")
    print(f"lost: {lost * SPANS_OF_TRACE} spans that were acknowledged, and not dropped as the oldest")
    print(f"answer to a sender: {_quantiles(answers)}")
    print(f"memory: {max(looks.memory):.0f} MB at most, {looks.memory[-1]:.0f} MB at the end")
    print(f"processor: {spent / elapsed:.2f} of one")
    for page, values in looks.pages.items():
        print(f"page {page}: {_quantiles(values)}")
    return not lost and not refused


def lost_traces(sent: Iterable[Sent], kept: dict[bytes, int]) -> int:
    """How many traces that were acknowledged are not whole in the store, other than the oldest, which were
    dropped: a trace is lost if one that was acknowledged before it is there."""
    acknowledged = sorted(
        (at, ids[start : start + 16])
        for item in sent
        for at, ids in item.acknowledged
        for start in range(0, len(ids), 16)
    )
    first = next((at for at, trace in acknowledged if trace in kept), float("inf")) + _SLACK
    if not any(trace in kept for _, trace in acknowledged):
        return len(acknowledged)
    return sum(at > first and kept.get(trace) != SPANS_OF_TRACE for at, trace in acknowledged) + sum(
        at <= first and trace in kept and kept[trace] != SPANS_OF_TRACE for at, trace in acknowledged
    )


def kept_traces() -> dict[bytes, int]:
    """The traces in the store, with the number of their spans as they are, not as the summary says."""
    with closing(sqlite3.connect(database_of(PROJECT))) as opened:
        return dict(opened.execute("SELECT trace, count(*) FROM spans GROUP BY trace"))


class _Looks:
    """Looks at the dashboard while spans come: `memory` in MB, `pages` in seconds for each page."""

    def __init__(self, dashboard: Served) -> None:
        self._dashboard = dashboard
        self.memory: list[float] = [dashboard.memory()]
        self.pages: dict[str, list[float]] = {page: [] for page in PAGES}

    def until_done(self, running: Sequence[Future[Sent]]) -> None:
        began = time.monotonic()
        line = began + _LINE_EVERY
        since = dict.fromkeys(PAGES, 0)
        while not all(item.done() for item in running):
            following = time.monotonic() + _ROUND
            self._look()
            if time.monotonic() >= line:
                self._print(time.monotonic() - began, since)
                since = {page: len(values) for page, values in self.pages.items()}
                line += _LINE_EVERY
            time.sleep(max(following - time.monotonic(), 0))
        self._print(time.monotonic() - began, since)

    def _look(self) -> None:
        newest = ""
        for page in PAGES:
            if "{id}" in page and not newest:
                continue
            took, answer = self._dashboard.get(page.format(id=newest))
            self.pages[page].append(took)
            if page == "traces" and answer["traces"]:
                newest = answer["traces"][0]["trace_id"]
        self.memory.append(self._dashboard.memory())

    def _print(self, second: float, since: dict[str, int]) -> None:
        slow = {page: _p95(values[since[page] :]) for page, values in self.pages.items()}
        worst = max(slow, key=lambda page: slow[page])
        spans = self._dashboard.get("traces/status")[1]["spans"]
        print(
            f"{second:6.0f} | {self.memory[-1]:6.0f} | {spans:12,} | {_file_sizes()} | "
            f"{slow[worst] * 1000:.0f} ({worst})",
            flush=True,
        )


def _file_sizes() -> str:
    file = database_of(PROJECT)
    sizes = (Path(f"{file}{suffix}") for suffix in ("", "-wal"))
    return " + ".join(f"{path.stat().st_size / 1e6:.0f}" if path.exists() else "0" for path in sizes)


def _together(sent: Iterable[Sent]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in sent:
        for why, count in item.refused.items():
            found[why] = found.get(why, 0) + count
    return found


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)] if values else 0.0


def _quantiles(values: Sequence[float]) -> str:
    if not values:
        return "never asked"
    ordered = sorted(values)
    return (
        f"p50 {ordered[len(ordered) // 2] * 1000:.1f} ms, p95 {_p95(ordered) * 1000:.1f} ms, "
        f"at most {ordered[-1] * 1000:.0f} ms, {len(ordered)} times"
    )


def _fill(largest: int) -> int:
    """Stores traces of yesterday until the store has so many bytes. How many spans there are then."""
    private_folder(PROJECT)
    number, yesterday = 0, time.time_ns() - 24 * 3600 * 1_000_000_000
    with closing(open_to_write(database_of(PROJECT))) as connection:
        inserter = Inserter(connection)
        while bounds.used_bytes(connection) < largest:
            connection.execute("BEGIN")
            for _ in range(40):
                rows = [
                    row
                    for trace in range(number, number + 50)
                    for row in _rows(trace, yesterday + trace * 1_000_000)
                ]
                inserter.insert(Arrived(spans=tuple(rows)), int(yesterday / 1e9))
                number += 50
            connection.execute("COMMIT")
    return number * SPANS_OF_TRACE


def _rows(trace: int, began: int) -> Iterable[SpanRow]:
    resource = '{"service.name":"web","service.instance.id":"web-1"}'
    for index in range(SPANS_OF_TRACE):
        statement = f'"db.statement":"SELECT count(*) FROM visits WHERE path = {trace}"' if index else ""
        yield SpanRow(
            trace.to_bytes(16, "little"),
            (index + 1).to_bytes(8, "big"),
            (1).to_bytes(8, "big") if index else b"",
            "web",
            "SELECT" if index else "GET /",
            CLIENT if index else SERVER,
            began + index * 1000,
            began + index * 1000 + 900,
            0,
            "mysql" if index else "",
            resource,
            f'{{"a":{{{statement}}}}}',
        )

"""What the containers use, with ten minutes of history.

Each is asked at once and by few threads: a stream for each of 300 containers would cost more than they do.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.watching.entries import Entry
from invoke_devstack.dashboard.watching.stack import Stack
from invoke_devstack.errors import DevstackError
from invoke_devstack.running.stack.stats import usage

_WATCHED, _UNWATCHED = 2.0, 10.0  # seconds between two readings, with and without an open tab
_FIRST = 1.0
_MINUTES = 10
_PARALLEL = 4
_SHOWN = ("cpu_percent", "memory")

Reading = dict[str, Any]


class Meters:
    """Measures from `start` to `stop`."""

    def __init__(self, stack: Stack, hub: Hub) -> None:
        self._stack = stack
        self._hub = hub
        self._stopped = threading.Event()
        self._samples: dict[str, Mapping[str, Any]] = {}
        self._history: dict[str, deque[tuple[float, float, int]]] = {}
        self._rows: list[Reading] = []
        self._pool = ThreadPoolExecutor(_PARALLEL, "meter")

    def start(self) -> None:
        threading.Thread(target=self._run, name="meters", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def rows(self) -> list[Reading]:
        """The members of `stats --json`, and the history."""
        return [{**row, "history": self._history_of(row["container"])} for row in self._rows]

    def _history_of(self, container: str) -> dict[str, list[float]]:
        points = [*self._history.get(container, ())]
        return {
            "at": [round(at, 1) for at, _, _ in points],
            "cpu_percent": [cpu for _, cpu, _ in points],
            "memory": [memory for _, _, memory in points],
        }

    def _run(self) -> None:
        while not self._stopped.wait(self._pause()):
            if not self._stack.engine_is_away:
                self._measure([item for item in self._stack.services() if item["state"] == "running"])

    def _pause(self) -> float:
        """Short at first: two samples make the first reading."""
        if self._samples and not self._rows:
            return _FIRST
        return _WATCHED if self._hub.is_watched else _UNWATCHED

    def _measure(self, running: list[Entry]) -> None:
        try:
            found = [*self._pool.map(self._row, running)]
        except (RuntimeError, CancelledError):  # it ends
            return
        before, self._rows = self._rows, [row for row in found if row is not None]
        present = {row["container"] for row in self._rows}
        for gone in self._history.keys() - present:
            self._history.pop(gone)
            self._samples.pop(gone, None)
        for row in self._rows:
            self._remember(row)
        self._stack.usage = {row["container"]: row for row in self._rows}
        if self._rows or before:
            self._hub.tell_latest("stats", lambda: self._rows)

    def _remember(self, row: Reading) -> None:
        now = time.time()
        points = self._history.setdefault(row["container"], deque())
        points.append((now, row["cpu_percent"], row["memory"]))
        while points[0][0] < now - 60 * _MINUTES:
            points.popleft()

    def _row(self, entry: Entry) -> Reading | None:
        """None for a container that is gone, and for its first sample: there is none to compare with."""
        container = entry["container"]
        try:
            sample = self._stack.session.engine.sample(container)
        except DevstackError:
            return None
        before, self._samples[container] = self._samples.get(container), sample
        if before is None or not sample.get("cpu_stats"):
            return None
        both = {**sample, "precpu_stats": before["cpu_stats"]}
        return {"service": entry["service"], "container": container, **usage(both)}

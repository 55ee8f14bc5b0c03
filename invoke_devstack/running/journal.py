"""What commands did to a stack, kept for people: the last 20 runs of each project directory.

Each run is a file of JSON lines: its head, its events as they come, and its end. Nothing reads them but who
shows them: no command depends on what another wrote here. Where they cannot be written, there are none.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

from invoke_devstack.events import Event
from invoke_devstack.records import record
from invoke_devstack.settings import COPY_VARIABLE, state_folder

KEPT = 20
_MOST_WAITING = 1000  # events of a command that has done nothing yet
_MOST_LEFT_OUT = 5
"""Batches of files that the watch left out since its last turn: the next turn tells of them."""
_TURN_STARTS = ("watch.synced", "watch.rebuilt", "watch.failed")
"""What ends a turn of the watch; it may also begin one."""
_MAKES_A_RUN = (*_TURN_STARTS, "action.started", "action.finished", "error")
"""A run that did nothing and met no error is not worth keeping."""
RECORDED = frozenset(
    {
        *_MAKES_A_RUN,
        "action.failed",
        "plan",
        "notice",
        "service.ready",
        "service.stopped",
        "up.finished",
        "down.finished",
        "watch.changed",
        "output",
    }
)
_WATCHES = ("up", "watch")


def folder_of(directory: Path, copy: str | None = None) -> Path:
    """Where the runs of the project in `directory` are kept, or those of a copy of it: by default the copy
    that a variable chooses, "" for none."""
    chosen = os.environ.get(COPY_VARIABLE, "").strip() if copy is None else copy
    key = f"{directory}\0{chosen}" if chosen else str(directory)
    return state_folder() / "runs" / sha256(key.encode()).hexdigest()[:16]


def _left_out(event: dict[str, Any]) -> bool:
    """Whether the watch did nothing about any of the changed files."""
    return event["type"] == "watch.changed" and all(file["action"] == "none" for file in event["files"])


@record
class Head:
    """What a run is. `origin`: terminal, dashboard or mcp."""

    run: str
    task: str
    command: str
    services: tuple[str, ...]
    began: float
    pid: int
    origin: str = "terminal"


def new_run() -> str:
    """A name for a run; later ones sort after it."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class Journal:
    """Writes the runs of one command: itself, and after an attached `up` each turn of the watch."""

    def __init__(self, folder: Path, make_head: Callable[[], Head], hide: Callable[[Any], Any]) -> None:
        """`hide` masks secrets in the members of an event."""
        self._folder = folder
        self._make_head = make_head
        self._hide = hide
        self._lock = threading.Lock()
        self._waiting: deque[tuple[float, dict[str, Any]]] = deque(maxlen=_MOST_WAITING)
        self._file: TextIO | None = None
        self._head: Head | None = None
        self._began = time.time()
        self._turns = False
        self._failed = False

    def add(self, event: Event) -> None:
        """Writes it, if it is one of those that are kept. From any thread; never raises."""
        if event.type not in RECORDED or self._failed:
            return
        with self._lock, self._bearing_failure():
            self._write(event.type, self._hide(event.to_json()))

    def end(self, exit_code: int) -> None:
        """The command ended."""
        with self._lock, self._bearing_failure():
            self._close(exit_code)

    def _write(self, type_: str, data: dict[str, Any]) -> None:
        if self._turns and self._file is None and all(_left_out(data) for _, data in self._waiting):
            self._began = time.time()
            while len(self._waiting) > _MOST_LEFT_OUT:
                self._waiting.popleft()
        self._waiting.append((time.time(), data))
        if self._file is None and type_ in _MAKES_A_RUN:
            self._open()
        if self._file is not None:
            self._flush()
        if type_ in _TURN_STARTS or (type_ == "up.finished" and not self._turns):
            self._close(1 if type_ == "watch.failed" else 0)
            self._turns = True

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        head = self._make_head()
        values: dict[str, Any] = {**vars(head), "began": self._began}
        if self._turns:
            values |= {"run": new_run(), "task": "watch"}
        path = self._folder / f"{values['run']}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
        self._put({"head": values})
        _remove_old(self._folder)

    def _flush(self) -> None:
        for at, data in self._waiting:
            self._put({"at": round(at - self._began, 3), "event": data})
        self._waiting.clear()
        assert self._file is not None
        self._file.flush()

    def _put(self, data: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")

    def _close(self, exit_code: int) -> None:
        self._waiting.clear()
        if self._file is not None:
            self._put({"ended": round(time.time() - self._began, 3), "exit_code": exit_code})
            self._file.close()
            self._file = None

    @contextmanager
    def _bearing_failure(self) -> Iterator[None]:
        """A full disk or a home that cannot be written is no reason to fail. It is not tried again."""
        try:
            yield
        except (OSError, ValueError):
            self._failed = True


def _remove_old(folder: Path) -> None:
    for path in sorted(folder.glob("*.jsonl"))[:-KEPT]:
        with suppress(OSError):
            path.unlink()


@record
class Written:
    """A run as it was kept. `ended` is None while it goes on, or if it was killed."""

    head: Head
    events: tuple[tuple[float, dict[str, Any]], ...]
    ended: float | None = None
    exit_code: int | None = None


def read_run(file: Path) -> Written | None:
    """None for what is no run, or damaged."""
    head: Head | None = None
    events: list[tuple[float, dict[str, Any]]] = []
    ended: tuple[float | None, int | None] = (None, None)
    try:
        for data in _lines(file):
            if "head" in data:
                values = data["head"]
                head = Head(**{**values, "services": tuple(values["services"])})
            elif "event" in data:
                events.append((float(data["at"]), dict(data["event"])))
            elif "ended" in data:
                ended = float(data["ended"]), int(data["exit_code"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Written(head, tuple(events), *ended) if head else None


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The last line may be half written."""
    for line in file.read_text("utf-8", "replace").splitlines():
        with suppress(ValueError):
            data = json.loads(line)
            if isinstance(data, dict):
                yield data


def runs_of(directory: Path, copy: str | None = None) -> list[Written]:
    """The runs of the project in `directory`, or of a copy of it, as in `folder_of`; the newest first."""
    found = (read_run(path) for path in folder_of(directory, copy).glob("*.jsonl"))
    return sorted((run for run in found if run), key=lambda run: run.head.began, reverse=True)

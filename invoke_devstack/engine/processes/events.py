"""What happens to processes, beside the events of the engine, in one stream."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from invoke_devstack.engine.processes import folders
from invoke_devstack.engine.processes.matching import matches
from invoke_devstack.engine.protocol import EngineEvent, EventStream
from invoke_devstack.errors import DevstackError

_LOOK = 0.01  # seconds between two looks for new events
_LOOK_FOR_FIRST = 0.1  # seconds, while no project has processes
_LOOK_ELSEWHERE = 1.0  # seconds between two looks for folders of shells with other runtime directories
_TICK = 0.1  # seconds in which a directory may change twice without another time of change
_Item = EngineEvent | BaseException | None


class MergedEvents:
    """An `EventStream` of the engine's events and those of processes. It ends as the engine's does."""

    def __init__(self, engine: EventStream, processes: ProcessEvents) -> None:
        self._engine = engine
        self._processes = processes
        self._queue: SimpleQueue[_Item] = SimpleQueue()

    def __iter__(self) -> Iterator[EngineEvent]:
        threading.Thread(target=self._pass_on, args=(self._engine, True), daemon=True).start()
        threading.Thread(target=self._pass_on, args=(self._processes, False), daemon=True).start()
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        self._processes.close()
        self._engine.close()

    def _pass_on(self, stream: EventStream, is_last: bool) -> None:
        try:
            for event in stream:
                self._queue.put(event)
        except (DevstackError, OSError, ValueError) as error:
            self._queue.put(error)
        finally:
            if is_last:
                self._processes.close()
                self._queue.put(None)


class ProcessEvents:
    """The events of processes, from now or from `since` (seconds since the epoch) on, until `until`."""

    def __init__(
        self,
        directory: Path,
        filters: Mapping[str, Sequence[str]],
        *,
        since: str = "",
        until: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._filters = filters
        self._since = float(since) if since else 0.0
        self._until = float(until) if until else None
        self._now = now
        self._closed = threading.Event()
        self._opened: dict[tuple[int, int], BinaryIO] = {}
        self._elsewhere: list[Path] = []
        self._look_elsewhere_at = 0.0
        self._empty: dict[Path, float] = {}  # when each place last changed, where nothing was in any
        self._look_around()
        if not since:
            for file in self._opened.values():
                file.seek(0, os.SEEK_END)

    def close(self) -> None:
        self._closed.set()

    def __iter__(self) -> Iterator[EngineEvent]:
        try:
            while True:
                over = self._closed.is_set() or (self._until is not None and self._now() >= self._until)
                yield from self._new()
                if over:
                    return
                self._closed.wait(_LOOK if self._opened else _LOOK_FOR_FIRST)
        finally:
            for file in self._opened.values():
                file.close()

    def _new(self) -> Iterator[EngineEvent]:
        if self._is_still_empty():
            return
        removed = self._look_around()
        for file in (*self._opened.values(), *removed):
            yield from self._rest_of(file)
        for file in removed:
            file.close()

    def _is_still_empty(self) -> bool:
        """Whether nothing can be new since the last look, as in most stacks: a look around, many times a
        second, would keep a laptop awake."""
        if self._opened or not self._empty or self._now() >= self._look_elsewhere_at:
            return False
        return all(_changed_at(place) == changed for place, changed in self._empty.items())

    def _look_around(self) -> list[BinaryIO]:
        """Opens new files. Returns those that were removed since the last look: their last events are still
        in them. A project that is there again has another file under the same name."""
        before, self._opened = self._opened, {}
        places = self._places()
        changed = {place: _changed_at(place) for place in (self._directory, *places)}
        is_certain = max(changed.values()) < time.time() - _TICK
        self._empty = changed if is_certain and not any(map(_has_entries, places)) else {}
        for path in sorted(path for item in places for path in item.glob("*/events")):
            with suppress(FileNotFoundError):
                state = path.stat()
                key = (state.st_dev, state.st_ino)
                self._opened[key] = before.pop(key) if key in before else path.open("rb", buffering=0)
        return [*before.values()]

    def _places(self) -> list[Path]:
        """Its own directory, which may be new; others are looked for now and then."""
        if self._now() >= self._look_elsewhere_at:
            self._look_elsewhere_at = self._now() + _LOOK_ELSEWHERE
            self._elsewhere = [*folders.directories(self._directory)]
        own = [self._directory] if folders.is_ours(self._directory.parent) else []
        return [*dict.fromkeys([*own, *self._elsewhere])]

    def _rest_of(self, file: BinaryIO) -> Iterator[EngineEvent]:
        whole, _, begun = file.read().rpartition(b"\n")
        file.seek(-len(begun), os.SEEK_CUR)
        for line in whole.splitlines():
            with suppress(ValueError):  # a full disk, or a crash of this machine, left a part of one
                body = json.loads(line)
                if self._is_wanted(body):
                    yield EngineEvent(
                        "container", body["action"], body["id"], body["attributes"], body["time"]
                    )

    def _is_wanted(self, body: Mapping[str, Any]) -> bool:
        if body["time"] < self._since or (self._until is not None and body["time"] > self._until):
            return False
        kinds, actions = self._filters.get("type", ()), self._filters.get("event", ())
        if (kinds and "container" not in kinds) or (actions and body["action"] not in actions):
            return False
        return matches(self._filters, body["id"], body["attributes"].get("name", ""), body["attributes"])


def _changed_at(directory: Path) -> float:
    """When an entry was last added or removed, in seconds since the epoch; 0 where there is no directory."""
    try:
        return directory.stat().st_mtime
    except OSError:
        return 0.0


def _has_entries(directory: Path) -> bool:
    try:
        return any(directory.iterdir())
    except OSError:
        return False


def append(folder: Path, action: str, identity: str, attributes: Mapping[str, str]) -> None:
    """Adds an event that no recorder knows of."""
    event = {"action": action, "id": identity, "attributes": dict(attributes), "time": time.time()}
    with suppress(OSError):  # a full disk
        descriptor = os.open(folder / "events", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(json.dumps(event).encode() + b"\n")

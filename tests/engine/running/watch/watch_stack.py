"""A stack of a directory on a real engine, with a watch in a thread; its events are kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from invoke_devstack.definition import load
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import EngineError
from invoke_devstack.events import ActionProgress, Event, LogBlock, Rebuilt, Synced, WatchFailed, Watching
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import up
from invoke_devstack.running.watch import loop
from invoke_devstack.running.watch.loop import Watcher, WatchOptions

PATIENCE = 60.0  # seconds
E = TypeVar("E", bound=Event)


@contextmanager
def end_of_catch_up() -> Iterator[threading.Event]:
    """Set once a watch that begins within the block has caught up: the last thing it does then is to give
    memory back."""
    caught_up, original = threading.Event(), loop.trim_memory

    original = loop.trim_memory

    def trim_memory() -> None:
        original()
        caught_up.set()

    with patch.object(loop, "trim_memory", trim_memory):
        yield caught_up


class WatchedStack:
    """`files` of the definition are in `directory`; the project's name is that of the definition."""

    def __init__(self, engine: DockerEngine, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        self.events: list[Event] = []
        self.session = Session(definition=load(directory), engine=engine, emit=self.events.append)
        self._watcher: Watcher | None = None
        self._thread: threading.Thread | None = None

    def up(self) -> None:
        up.bring_up(self.session, UpOptions())

    def watch(self, *, apply_definitions: bool = False, settle: bool = True) -> None:
        """Begins the watch; with `settle`, waits until it has caught up."""
        options = WatchOptions(reload=lambda: load(self.directory), apply_definitions=apply_definitions)
        self._watcher = Watcher(replace(self.session, definition=load(self.directory)), options)
        self._thread = threading.Thread(target=self._watcher.run, daemon=True)
        with end_of_catch_up() as caught_up:
            self._thread.start()
            self.await_event(Watching)
            assert not settle or caught_up.wait(PATIENCE)

    def stop(self) -> None:
        if self._watcher is not None and self._thread is not None:
            self._watcher.stop()
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()
        self._watcher = None

    def container(self, service: str = "web", number: int = 1) -> str:
        return f"{self.session.project}-{service}-{number}"

    def write(self, path: str, text: str = "x") -> Path:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def inside(self, *command: str, service: str = "web", number: int = 1) -> str:
        """The output of a command in the container; "" while there is none that runs."""
        try:
            return self.engine.exec(self.container(service, number), command).output.decode(
                "utf-8", "replace"
            )
        except EngineError:
            return ""

    def has(self, path: str, text: str, service: str = "web", number: int = 1) -> bool:
        """Whether the container's file holds `text`."""
        return self.inside("cat", path, service=service, number=number) == text

    def lacks(self, path: str, service: str = "web") -> bool:
        return (
            self.inside("sh", "-c", f"[ -e '{path}' ] || [ -L '{path}' ] || echo no", service=service)
            == "no\n"
        )

    def await_(self, reached: Callable[[], bool], what: str = "") -> None:
        """Waits for it; the events so far are in the message of a failure."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < deadline, f"{what}; events: {self._worth_telling()}"
            time.sleep(0.05)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def await_event(self, kind: type[E], count: int = 1) -> E:
        """The `count`th event of its kind."""
        self.await_(lambda: len(self.of(kind)) >= count, f"{count} of {kind.__name__}")
        return self.of(kind)[count - 1]

    def forget(self) -> None:
        """Starts counting from zero."""
        self.events.clear()

    def quiet(self, seconds: float = 0.6) -> tuple[list[Synced], list[Rebuilt], list[WatchFailed]]:
        """What the watch told until it was quiet for a moment."""
        time.sleep(seconds)
        return self.of(Synced), self.of(Rebuilt), self.of(WatchFailed)

    def _worth_telling(self) -> list[Event]:
        return [event for event in self.events if not isinstance(event, ActionProgress | LogBlock)][-8:]

"""A writer and a reader of one project's traces."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest

from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.asking.reading import Reading
from invoke_devstack.traces.keeping.writer import Writer
from invoke_devstack.traces.places import database_of, private_folder
from invoke_devstack.traces.receiving import logs, points, spans
from invoke_devstack.traces.rows import Arrived

_ROWS = {"spans": spans.rows, "logs": logs.rows, "metrics": points.rows}


class Kept:
    """Stores messages of OTLP, and reads what is stored."""

    def __init__(self, **bounds: Any) -> None:
        private_folder("p")
        self.file = database_of("p")
        self.reading = Reading("p")
        self.writer = Writer(self.file, **bounds)
        self.writer.start()

    def put(self, message: Any) -> bool:
        """Whether it was stored."""
        kind = next(name for name in _ROWS if hasattr(message, f"resource_{name}"))
        return self.store(_ROWS[kind](message, SecretValues()).batch)

    def store(self, batch: Arrived) -> bool:
        """The same for rows."""
        done = threading.Event()
        outcome: list[bool] = []

        def on_stored(stored: bool) -> None:
            outcome.append(stored)
            done.set()

        assert self.writer.add(batch, on_stored)
        assert done.wait(60)
        return outcome[0]

    def ask(self, question: Callable[[Connection], Any]) -> Any:
        """What it answers; None if nothing was ever stored."""
        return self.reading.ask(question, None)

    def again(self, **bounds: Any) -> Kept:
        """A new process."""
        self.writer.stop()
        return Kept(**bounds)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def kept(state: Path) -> Iterator[Kept]:
    found = Kept()
    yield found
    found.writer.stop()

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from invoke_devstack.console import Console, choose


class Stream(io.TextIOWrapper):
    """A stream in memory that may say that it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def written(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


@dataclass
class Stage:
    out: Stream
    err: Stream
    console: Console


class Theatre:
    """Makes consoles whose two streams a test can read."""

    def open(self, *, terminal: bool = False, json: str = "", **environment: str) -> Stage:
        out, err = Stream(terminal=terminal), Stream(terminal=terminal)
        console = choose(json=json, out=out, err=err, environment={"TERM": "xterm", **environment})
        return Stage(out, err, console)


@pytest.fixture
def theatre() -> Theatre:
    return Theatre()


def wait_until(happens: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for what a thread draws, on a machine that may be busy."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.01)

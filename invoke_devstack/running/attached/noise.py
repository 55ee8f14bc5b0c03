"""Waits until the log lines that were written during the start have been shown."""

from __future__ import annotations

import threading
import time

from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.running.logs.history import OnBlock
from invoke_devstack.running.logs.lines import STAMP
from invoke_devstack.running.logs.sources import Source

_QUIET = 0.25  # seconds without a line of the start
_MOST = 3.0  # seconds; a service that never stops talking must not hold back the addresses


class Noise:
    """Passes log lines on. Lines stamped later than its own beginning are not of the start."""

    def __init__(self, on_block: OnBlock) -> None:
        self._on_block = on_block
        self._began = time.time()
        self._last = time.monotonic()

    def stamped(self, source: Source, stream: str, block: bytes) -> None:
        """Takes lines that start with a stamp."""
        self._on_block(source, stream, block)
        if seconds_of(block[:STAMP].decode("ascii", "replace").strip()) < self._began:
            self._last = time.monotonic()

    def wait_until_quiet(self, over: threading.Event) -> None:
        """Returns when no such line has come for a moment, or when `over` is set."""
        until = time.monotonic() + _MOST
        self._last = time.monotonic()
        while (left := min(self._last + _QUIET, until) - time.monotonic()) > 0:
            if over.wait(left):
                return

"""Keeps lines at the bottom of the terminal, below all that is printed.

They are erased and drawn again with each write, in one write, and afterwards the cursor is put back to where
they begin. A scroll region (DECSTBM) was tried too, in tmux with 3000 numbered lines and six sizes of the
window meanwhile: it lost 12 lines and left three footers in the scroll-back, because a terminal that shrinks
cuts away what is below the cursor, and some take lines from a region without keeping them. Erased and drawn
again, there were all 3000 lines and no remains: below the cursor is only the footer, however the terminal
wraps, cuts or moves its lines. One case is left: tmux keeps the empty rows of a window that becomes much
narrower, so that the footer of a nearly empty one goes into its scroll-back before we are told. And a process
that is killed leaves no region behind that swallows output.

What is written within a few hundredths of a second goes out together, so that a thousand lines cost no
thousand footers.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import field

from invoke_devstack.console.screen import Screen
from invoke_devstack.records import record

_TOGETHER = 0.03  # seconds
_FULL = 1 << 16  # bytes that are written at once, whatever the time
_HIDE_CURSOR, _SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
_HOLD, _RELEASE = b"\x1b[?2026h", b"\x1b[?2026l"  # a terminal that knows it shows what is between at once
_ERASE = b"\r\x1b[J"
_CUT, _WRAP = b"\x1b[?7l", b"\x1b[?7h"
"""Lines drawn for a window that has become narrower meanwhile are cut: each takes one row."""


def _window_size() -> os.terminal_size:
    """(columns, rows) of the window as it is now. COLUMNS and LINES, which `shutil` prefers, stay as they
    were when somebody exported them."""
    for descriptor in (1, 2, 0):
        with suppress(OSError):
            return os.get_terminal_size(descriptor)
    return shutil.get_terminal_size()


class Place:
    """Call its methods while `guard` is entered; it enters it itself for what it writes later."""

    def __init__(
        self,
        screen: Screen,
        draw: Callable[[int, int], list[str]],
        guard: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`draw` returns the lines for a width and a height, none of which fills the width."""
        self._screen = screen
        self._draw = draw
        self._guard = guard
        self._waiting = bytearray()
        self._drawn: list[str] = []
        self._size = (0, 0)
        self._shown = False
        self._flushed = 0.0
        self._later: threading.Timer | None = None

    @property
    def shown(self) -> bool:
        """Whether the lines are there."""
        return self._shown

    def show(self) -> None:
        """The lines are there from now on."""
        if not self._shown:
            self._shown = True
            self._screen.write_bytes(_HIDE_CURSOR)
            self._flush()

    def hide(self) -> None:
        """They are not. What was printed is on the screen."""
        if self._shown:
            self._shown = False
            self._flush()
            self._screen.write_bytes(_SHOW_CURSOR)

    def write(self, data: bytes) -> None:
        """Prints whole lines above them."""
        self._waiting += data if data.endswith(b"\n") else data + b"\n"
        if time.monotonic() - self._flushed > _TOGETHER or len(self._waiting) > _FULL or not self._shown:
            self._flush()
        elif self._later is None:
            self._later = threading.Timer(_TOGETHER, self._flush_later)
            self._later.daemon = True
            self._later.start()

    def refresh(self) -> None:
        """Draws them again if they, or the size of the terminal, have changed."""
        size = _window_size()
        if self._shown and (size != self._size or self._draw(*size) != self._drawn):
            self._flush()

    def _flush_later(self) -> None:
        with self._guard():
            self._later = None
            if self._waiting:
                self._flush()

    def _flush(self) -> None:
        text = bytearray(_HOLD)
        if self._drawn:
            text += _ERASE
        text += self._waiting
        self._waiting.clear()
        self._drawn = []
        if self._shown:
            self._size = _window_size()
            self._drawn = self._draw(*self._size)
            lines = "\r\n".join(self._drawn).encode(self._screen.encoding, "replace")
            up = b"\x1b[%dA" % (len(self._drawn) - 1) if len(self._drawn) > 1 else b""
            text += _CUT + lines + _WRAP + up + b"\r"
        text += _RELEASE
        self._flushed = time.monotonic()
        self._screen.write_bytes(bytes(text))


@record
class ScreenAbove(Screen):
    """What is written to it appears above the lines of `place`."""

    place: Place = field(kw_only=True)

    @classmethod
    def on(cls, screen: Screen, place: Place) -> ScreenAbove:
        """The same screen, above the lines."""
        return cls(**vars(screen), place=place)

    def write_bytes(self, data: bytes) -> None:
        """Prints whole lines."""
        self.place.write(data)

"""A stream that the console writes to, and what it can show."""

from __future__ import annotations

import os
import select
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from invoke_devstack.records import record

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.live import Live


_FEW_COLOURS = ("linux", "ansi", "vt100", "vt220", "screen", "cygwin", "dumb")
"""Terminals without 256 colors. `xterm` has them, whatever its entry in terminfo says."""


class Unwritable(Exception):  # noqa: N818 - an outcome, which each console handles
    """A stream takes no more output: its reader is gone, its disk is full, or it was closed."""

    def __init__(self, screen: Screen, error: OSError) -> None:
        super().__init__(str(error))
        self.screen = screen
        self.error = error


def standard(name: Literal["stdout", "stderr"]) -> TextIO:
    """The process's stream. If it was closed before the process began (`>&-`), writing to it fails."""
    return getattr(sys, name) or Path(os.devnull).open(encoding="utf-8")


@record
class Screen:
    """One stream. NO_COLOR, FORCE_COLOR and TERM=dumb are respected (https://no-color.org,
    https://force-color.org). On a terminal that is called dumb no cursor is moved, but what is printed is
    cleaned as on any other: the name need not be true."""

    stream: TextIO
    terminal: bool
    cursor: bool
    colour: bool
    unicode: bool
    many_colours: bool = True

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Screen:
        """The screen of `stream` in this environment."""
        dumb = environment.get("TERM") == "dumb"
        terminal = stream.isatty()
        if environment.get("NO_COLOR"):
            colour = False
        elif environment.get("FORCE_COLOR", "0") not in ("", "0", "false"):
            colour = True
        else:
            colour = terminal and not dumb
        encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        few = environment.get("TERM", "") in _FEW_COLOURS and not environment.get("COLORTERM")
        return cls(stream, terminal, terminal and not dumb, colour, "utf" in encoding, not few)

    @property
    def encoding(self) -> str:
        """How texts become bytes."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    @property
    def width(self) -> int:
        """Columns. May change while a task runs."""
        return shutil.get_terminal_size().columns

    def write(self, text: str) -> None:
        """Writes the text and flushes. Raises Unwritable, once: what follows is discarded."""
        self.write_bytes(text.encode(self.encoding, "replace"))

    def write_line(self, text: str) -> None:
        self.write(f"{text}\n")

    def write_bytes(self, data: bytes) -> None:
        """Writes the bytes and flushes. Raises Unwritable, once: what follows is discarded."""
        try:
            self._push(data)
        except OSError as error:
            self._abandon()
            raise Unwritable(self, error) from error

    def _push(self, data: bytes) -> None:
        """Waits where another program made the stream non-blocking, and its reader is slow."""
        buffer = self.stream.buffer
        while data:
            try:
                data = data[buffer.write(data) :]
            except BlockingIOError as full:
                data = data[full.characters_written :]
                self._wait()
        while True:
            try:
                return buffer.flush()
            except BlockingIOError:
                self._wait()

    def _wait(self) -> None:
        if not hasattr(select, "poll"):  # on Windows, where no output is set to non-blocking but by its owner
            time.sleep(0.01)
            return
        poll = select.poll()
        poll.register(self.stream.fileno(), select.POLLOUT)
        poll.poll()

    def rich_console(self, file: TextIO | None = None) -> RichConsole:
        """A rich console with the abilities of this screen. `file` replaces the stream."""
        from rich.console import Console

        return Console(
            file=file or self.stream,
            width=self.width if file else None,
            force_terminal=True,
            color_system="auto" if self.colour else None,
            legacy_windows=False if file else None,
            highlight=False,
        )

    def start_live(self, **options: Any) -> Live:
        """Starts a display that rich updates in place, without touching stdout and stderr."""
        from rich.live import Live

        live = Live(console=self.rich_console(), redirect_stdout=False, redirect_stderr=False, **options)
        live.start()
        return live

    def _abandon(self) -> None:
        """Discards what is buffered and what follows, so that Python's last flush does not fail either."""
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.stream.fileno())


def enable_windows_colors() -> None:
    """Turns on ANSI sequences in a Windows console. Does nothing elsewhere."""
    if sys.platform == "win32":
        import colorama

        colorama.just_fix_windows_console()

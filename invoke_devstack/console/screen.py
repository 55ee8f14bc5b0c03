"""The two streams that the console writes to, and what each of them can show."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from invoke_devstack.records import record

if TYPE_CHECKING:
    from rich.console import Console as RichConsole


@record
class Screen:
    """One stream. `colour` and `terminal` are decided once: NO_COLOR, FORCE_COLOR and TERM=dumb are
    respected (https://no-color.org, https://force-color.org)."""

    stream: TextIO
    terminal: bool
    colour: bool
    unicode: bool

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Screen:
        """What `stream` is, in this environment."""
        dumb = environment.get("TERM") == "dumb"
        terminal = stream.isatty()
        if environment.get("NO_COLOR"):
            colour = False
        elif environment.get("FORCE_COLOR", "0") not in ("", "0", "false"):
            colour = True
        else:
            colour = terminal and not dumb
        encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        return cls(stream, terminal and not dumb, colour, "utf" in encoding)

    @property
    def width(self) -> int:
        """In columns; it may change while a task runs."""
        return shutil.get_terminal_size().columns

    def write(self, text: str) -> None:
        """Writes text as it is, at once. Raises BrokenPipeError when nobody reads any more."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        self.write_bytes(text.encode(encoding, "replace"))

    def write_line(self, text: str) -> None:
        self.write(f"{text}\n")

    def write_bytes(self, data: bytes) -> None:
        """Writes bytes that are not to be decoded."""
        buffer = self.stream.buffer
        buffer.write(data)
        buffer.flush()

    def rich_console(self, file: TextIO | None = None) -> RichConsole:
        """A console of rich that shows what this screen can; `file` in place of the stream."""
        from rich.console import Console

        return Console(
            file=file or self.stream,
            width=self.width if file else None,
            force_terminal=True,
            color_system="auto" if self.colour else None,
            legacy_windows=False if file else None,
            highlight=False,
        )

    def abandon(self) -> None:
        """Sends what is still to be written nowhere, so that Python's last flush does not fail either."""
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.stream.fileno())


def let_windows_show_colours() -> None:
    """Turns on ANSI sequences in a Windows console; nothing elsewhere."""
    if sys.platform == "win32":
        import colorama

        colorama.just_fix_windows_console()

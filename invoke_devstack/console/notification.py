"""A notification of the desktop: by its program, or by the terminal."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from invoke_devstack.console.escapes import clean_text
from invoke_devstack.console.screen import Screen, Unwritable

_PATIENCE = 10.0  # seconds for the desktop's program
_MOST = 200  # characters
_APPLE = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_BY_9 = ("iTerm.app", "WezTerm", "ghostty")
_BY_777 = ("rxvt", "foot")


def desktop_command(title: str, text: str) -> list[str]:
    """The command that shows it; none if the desktop's program is not here."""
    if sys.platform == "darwin" and shutil.which("osascript"):
        return ["osascript", *(word for line in _APPLE for word in ("-e", line)), title, text]
    if shutil.which("notify-send"):
        shown = html.escape(text, quote=False)
        return ["notify-send", "--app-name", "invoke-devstack", "--", title, shown]
    return []


def terminal_sequence(title: str, text: str, environment: Mapping[str, str]) -> str:
    """What makes the terminal show it (OSC 9 or 777); "" if it is not known to do so."""
    if environment.get("TMUX") or environment.get("STY"):
        return ""
    term = environment.get("TERM", "")
    if environment.get("TERM_PROGRAM") in _BY_9 or term in ("xterm-kitty", "xterm-ghostty"):
        return f"\x1b]9;{title}: {text}\x07"
    if term.startswith(_BY_777):
        return f"\x1b]777;notify;{title};{text.replace(';', ',')}\x07"
    return ""


class Notifications:
    """Shows them by the desktop's program, if it is wanted and here, else by the terminal."""

    def __init__(
        self, screen: Screen, *, by_program: bool, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._screen = screen
        self._by_program = by_program
        self._environment = environment

    @property
    def is_possible(self) -> bool:
        """Whether anything would show one."""
        by_terminal = self._screen.cursor and terminal_sequence("", "", self._environment)
        return bool((self._by_program and desktop_command("", "")) or by_terminal)

    def show(self, title: str, text: str) -> None:
        """Shows one, in a thread. What fails is no reason to say anything: it was in the output too."""
        title, text = (" ".join(clean_text(item).split())[:_MOST] for item in (title, text))
        if self._by_program and (command := desktop_command(title, text)):
            threading.Thread(target=_run, args=(command,), name="notification", daemon=True).start()
        elif self._screen.cursor and (sequence := terminal_sequence(title, text, self._environment)):
            with suppress(Unwritable):
                self._screen.write(sequence)


def _run(command: Sequence[str]) -> None:
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )

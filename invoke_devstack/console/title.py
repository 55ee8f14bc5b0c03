"""The terminal's title (OSC 0) and its progress (OSC 9;4), where the terminal has them.

Decided by what terminals say of themselves in the environment. A terminal that does not know OSC 9;4 may
take it for a notification, so only those are told that are known to have it. Before the first title, the
terminal is asked to remember its own; at the end it gets that back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from enum import IntEnum

from invoke_devstack.console.escapes import clean_text
from invoke_devstack.console.screen import Screen, Unwritable

_TITLED = re.compile(
    r"(xterm|rxvt|tmux|screen|alacritty|foot|kitty|wezterm|ghostty|konsole|gnome|vte|st|iterm|contour|mintty)\b"
)
_PROGRAMS_WITH_PROGRESS = ("ghostty", "WezTerm", "mintty")
_ITERM_WITH_PROGRESS = (3, 6, 6)
_VTE_WITH_PROGRESS = 8000
_REMEMBER, _RECALL = "\x1b[22;0t", "\x1b[23;0t"


class Progress(IntEnum):
    """The states of OSC 9;4."""

    NONE = 0
    PART = 1
    FAILED = 2
    UNKNOWN = 3


def has_title(environment: Mapping[str, str]) -> bool:
    """Whether the terminal has a title that programs set."""
    if environment.get("CI", "") not in ("", "0", "false"):
        return False
    if _TITLED.match(environment.get("TERM", "")):
        return True
    return bool(environment.get("WT_SESSION")) or environment.get("ConEmuANSI") == "ON"


def has_progress(environment: Mapping[str, str]) -> bool:
    """Whether the terminal shows progress. Not through tmux or screen, which pass nothing on."""
    if not has_title(environment) or re.match(r"(tmux|screen)\b", environment.get("TERM", "")):
        return False
    if environment.get("TMUX") or environment.get("STY"):
        return False
    program = environment.get("TERM_PROGRAM", "")
    if environment.get("WT_SESSION") or environment.get("ConEmuANSI") == "ON":
        return True
    if program in _PROGRAMS_WITH_PROGRESS or environment.get("TERM") == "xterm-ghostty":
        return True
    if program == "iTerm.app":
        return _version(environment.get("TERM_PROGRAM_VERSION", "")) >= _ITERM_WITH_PROGRESS
    return (
        environment.get("VTE_VERSION", "").isdigit() and int(environment["VTE_VERSION"]) >= _VTE_WITH_PROGRESS
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


class Title:
    """Says what is new, and nothing twice. Writes nothing where there is no terminal, or it has no title."""

    def __init__(self, screen: Screen, environment: Mapping[str, str] = os.environ) -> None:
        self._screen = screen
        self._titled = screen.cursor and has_title(environment)
        self._progressing = self._titled and has_progress(environment)
        self._said = ""
        self._shown = (Progress.NONE, 0)

    def say(self, text: str, progress: Progress = Progress.NONE, percent: int = 0) -> None:
        """The title, and how far it is."""
        text = " ".join(clean_text(text).split())
        parts = []
        if self._titled and text != self._said:
            parts.append(("" if self._said else _REMEMBER) + f"\x1b]0;{text}\x07")
            self._said = text
        if self._progressing and (progress, percent) != self._shown:
            self._shown = (progress, percent)
            parts.append(f"\x1b]9;4;{progress.value};{percent}\x07")
        self._write("".join(parts))

    def end(self) -> None:
        """As it was. May be called more than once."""
        parts = []
        if self._shown[0] is not Progress.NONE:
            parts.append("\x1b]9;4;0;0\x07")
        if self._said:
            parts.append(f"\x1b]0;\x07{_RECALL}")
        self._said, self._shown = "", (Progress.NONE, 0)
        self._write("".join(parts))

    def _write(self, text: str) -> None:
        if text:
            with suppress(Unwritable):
                self._screen.write(text)

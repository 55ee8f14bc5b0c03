"""A window of tmux: a terminal that wraps, scrolls and changes its size as those of people do."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import pytest

_PATIENCE = 60.0


class Window:
    """A shell in a window of its own server. The end of a `with` kills what runs in it with SIGKILL, so that
    nothing is stopped gracefully."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, columns: int = 80, rows: int = 24
    ) -> None:
        if shutil.which("tmux") is None:
            pytest.skip("no tmux on this machine: install the package tmux")
        self._socket = f"devstack-{secrets.token_hex(4)}"
        self._folder = folder
        self._environment = {**environment, "PS1": "$ ", "LC_ALL": "C.UTF-8"}
        self._environment.pop("TMUX", None)
        words = ("set", "-g", "history-limit", "50000", ";", "set", "-g", "default-terminal", "tmux-256color")
        shell = "env PS1='$ ' bash --norc --noprofile"
        size = ("-x", str(columns), "-y", str(rows))
        self.tmux("-f", "/dev/null", "start-server", ";", *words, ";", "new-session", "-d", *size, shell)
        self.wait_for(r"^\$ ?$")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *rest: object) -> None:
        pid = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        children = subprocess.run(["pgrep", "-P", pid], capture_output=True, text=True, check=False).stdout
        for child in children.split():
            subprocess.run(["kill", "-KILL", child], check=False, capture_output=True)
        self.tmux("kill-server")

    def type(self, *keys: str) -> None:
        """Names of keys (`Enter`, `C-c`) or text."""
        self.tmux("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, styled: bool = False) -> str:
        """What is seen now."""
        return self.tmux("capture-pane", "-p", *(("-e",) if styled else ())).rstrip("\n")

    def history(self) -> list[str]:
        """All lines, those that scrolled away too, whole where they were wrapped."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-").rstrip("\n").split("\n")

    def wait_for(self, pattern: str, *, everywhere: bool = False) -> re.Match[str]:
        """The pattern (MULTILINE) on the screen, or in all lines; fails with what is there after a minute."""
        end = time.monotonic() + _PATIENCE
        while True:
            shown = "\n".join(self.history()) if everywhere else self.screen()
            if found := re.search(pattern, shown, re.MULTILINE):
                return found
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern!r} within {_PATIENCE:g} s ({self._sizes()}) in:\n{shown}")
            time.sleep(0.05)

    def _sizes(self) -> str:
        """What tmux shows, and what it told the program of it."""
        shown, tty = self.tmux("display-message", "-p", "#{pane_width}x#{pane_height} #{pane_tty}").split()
        told = subprocess.run(["stty", "-F", tty, "size"], capture_output=True, text=True, check=False)
        return f"shown {shown}, told {told.stdout.strip()}"

    def run(self, command: str) -> str:
        """Types a command at the prompt; returns what it printed."""
        mark = secrets.token_hex(4)
        self.type(f"{command}; echo {mark[:4]}''{mark[4:]}", "Enter")
        text = self.wait_for(rf"([\s\S]*)^{mark}$", everywhere=True)[1]
        return text.rpartition(f"{mark[:4]}''{mark[4:]}\n")[2]

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=self._folder,
            env=self._environment,
        )
        return done.stdout


def numbers_in(lines: Sequence[str], pattern: str) -> list[int]:
    """The number in each line that matches."""
    return [int(found[1]) for line in lines if (found := re.search(pattern, line))]

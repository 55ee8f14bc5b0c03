"""Shows events: a live view on a terminal, plain lines elsewhere, JSON where it is asked for.

The only room that prints. It knows events and errors alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TextIO

from invoke_devstack.console.screen import Screen, let_windows_show_colours
from invoke_devstack.events import Event


class Console(Protocol):
    """Where events go."""

    def emit(self, event: Event) -> None:
        """Shows the event. May be called from several threads at once; never raises."""
        ...

    def expect(self, services: Iterable[str]) -> None:
        """Makes room for these service names and gives them their colours."""
        ...

    def ask(self, question: str) -> str:
        """Puts a question to the person at the terminal and returns the answer, "" at its end."""
        ...

    def close(self) -> None:
        """Leaves the terminal as it was."""
        ...


def choose(
    *,
    json: str = "",
    out: TextIO | None = None,
    err: TextIO | None = None,
    environment: Mapping[str, str] = os.environ,
    reader_gone: Callable[[], None] = lambda: None,
) -> Console:
    """The console for these streams.

    `json` is "" for people, "answer" for a task that lists (an array or object alone), "events" for
    one that acts (a line of JSON for each event). `reader_gone` is called when nobody reads `out`
    any more.
    """
    let_windows_show_colours()
    answers = Screen.of(out or sys.stdout, environment)
    progress = Screen.of(err or sys.stderr, environment)
    if json:
        from invoke_devstack.console.json_lines import JsonAnswer, JsonEvents

        kind = JsonEvents if json == "events" else JsonAnswer
        return kind(answers, progress, reader_gone=reader_gone)
    if progress.terminal:
        from invoke_devstack.console.live import LiveConsole

        return LiveConsole(answers, progress, reader_gone=reader_gone)
    from invoke_devstack.console.plain import PlainConsole

    return PlainConsole(answers, progress, reader_gone=reader_gone)


def can_ask() -> bool:
    """Whether a person is there to answer a question."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

"""Shows events: a live view on a terminal, plain lines elsewhere, JSON with `--json`. Start at `choose`.

The only room that prints. It knows only events and errors. `event_views` has what is shown of each event.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TextIO

from invoke_devstack.console.lost_output import LostOutput
from invoke_devstack.console.screen import Screen, enable_windows_colors, standard
from invoke_devstack.events import Event
from invoke_devstack.secrets import SecretValues

if TYPE_CHECKING:
    from invoke_devstack.console.footer.footer import Footer
    from invoke_devstack.console.footer.pilot import Pilot


class Console(Protocol):
    """Where events go."""

    secrets: SecretValues
    """What it masks in everything that it shows."""

    def emit(self, event: Event) -> None:
        """Shows the event. May be called from several threads at once; never raises."""

    def expect(self, services: Iterable[str]) -> None:
        """Prepares column widths and colors for these services."""

    def ask(self, question: str) -> str:
        """Asks at the terminal and returns the answer; "" at the end of input."""

    def stay(self, pilot: Pilot) -> Footer | None:
        """A footer for an `up` that stays, not shown yet; None where nobody looks or types."""

    def close(self) -> None:
        """Restores the terminal."""


def choose(
    *,
    json: str = "",
    out: TextIO | None = None,
    err: TextIO | None = None,
    environment: Mapping[str, str] = os.environ,
    reader_gone: Callable[[], None] = lambda: None,
    unwritable: Callable[[OSError], None] = lambda error: None,
) -> Console:
    """The console for these streams.

    `json` is "" for people, "answer" for a task that lists (prints one array or object), "events" for one
    that acts (prints a line of JSON for each event). `reader_gone` is called when nobody reads `out` any
    more, `unwritable` when `out` takes no more for another reason.
    """
    enable_windows_colors()
    answers = Screen.of(out or standard("stdout"), environment)
    progress = Screen.of(err or standard("stderr"), environment)
    lost = LostOutput(reader_gone, unwritable)
    if json:
        from invoke_devstack.console.json_lines import JsonAnswer, JsonEvents

        kind = JsonEvents if json == "events" else JsonAnswer
        return kind(answers, progress, lost)
    if progress.cursor:
        from invoke_devstack.console.live import LiveConsole

        return LiveConsole(answers, progress, lost, environment)
    from invoke_devstack.console.plain import PlainConsole

    return PlainConsole(answers, progress, lost)


def can_ask() -> bool:
    """Whether somebody can answer a question: stdin and stderr are terminals."""
    return sys.stdin is not None and sys.stdin.isatty() and standard("stderr").isatty()


def is_watched() -> bool:
    """Whether somebody looks at stdout: it is a terminal."""
    return standard("stdout").isatty()

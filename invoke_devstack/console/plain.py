"""Plain lines: what a log file, a pipe or a CI job gets, and a terminal while nothing is under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from invoke_devstack.console.escapes import clean_event
from invoke_devstack.console.log_lines import LogLines
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint, Palette
from invoke_devstack.console.table import render_table
from invoke_devstack.console.words import Words
from invoke_devstack.events import Document, Event, LogBlock, PlanMade, Table


class PlainConsole:
    """Answers go to `out`, progress to `err`, one line for each event that is worth one.

    `reader_gone` is called, once and from any thread, when nobody reads `out` any more.
    """

    def __init__(self, out: Screen, err: Screen, *, reader_gone: Callable[[], None]) -> None:
        palette = Palette()
        self.out = out
        self.err = err
        self._palette = palette
        self._words = Words(Paint(colour=err.colour, unicode=err.unicode, palette=palette), err)
        self._answers = Words(Paint(colour=out.colour, unicode=out.unicode, palette=palette), out)
        self._logs = LogLines(out, Paint(colour=out.colour, unicode=out.unicode, palette=palette))
        self._reader_gone = reader_gone
        self._gone = False
        self._lock = threading.RLock()

    def expect(self, services: Iterable[str]) -> None:
        """Makes room for these service names and gives them their colours."""
        names = tuple(services)
        self._palette.expect(names)
        self._logs.expect(names)
        self._words.expect(names)
        self._answers.expect(names)

    def emit(self, event: Event) -> None:
        """Shows the event. May be called from several threads at once; never raises."""
        with self._lock:
            try:
                self._show(event)
            except OSError:
                self._note_that_reader_is_gone()

    def ask(self, question: str) -> str:
        """Puts a question to the person at the terminal and returns the answer, "" at its end."""
        with self._lock:
            self.err.write(f"{question} ")
            try:
                return input()
            except EOFError:
                self.err.write("\n")
                return ""

    def close(self) -> None:
        """Leaves the terminal as it was."""

    def _show(self, event: Event) -> None:
        if isinstance(event, LogBlock):
            self._write_log(event)
            return
        event = clean_event(event)
        if isinstance(event, PlanMade):
            self.expect(event.services)
        if isinstance(event, Table):
            self.out.write(render_table(event, self.out))
        elif isinstance(event, Document):
            self.out.write(event.text if event.text.endswith("\n") else f"{event.text}\n")
        else:
            self._say(event)

    def _write_log(self, block: LogBlock) -> None:
        if not self._gone:
            self.out.write_bytes(self._logs.render(block))

    def _say(self, event: Event) -> None:
        for line, answer in zip(self._words.lines(event), self._answers.lines(event), strict=True):
            if answer.answer:
                self.out.write_line(answer.text)
            else:
                self.err.write_line(line.text)

    def _note_that_reader_is_gone(self) -> None:
        if not self._gone:
            self._gone = True
            self.out.abandon()
            self._reader_gone()

"""Plain lines, for log files, pipes and CI, and for a terminal while there is no live view."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from invoke_devstack.console.escapes import clean_event, clean_text, neutralise
from invoke_devstack.console.event_views import EventLines
from invoke_devstack.console.lost_output import LostOutput
from invoke_devstack.console.screen import Screen, Unwritable
from invoke_devstack.console.style import Paint, Palette
from invoke_devstack.console.table import render_table
from invoke_devstack.events import (
    Document,
    Event,
    LogBlock,
    LogSpan,
    PlanMade,
    Status,
    Table,
    container_label,
)
from invoke_devstack.secrets import SecretValues

if TYPE_CHECKING:
    from invoke_devstack.console.footer.footer import Footer
    from invoke_devstack.console.footer.pilot import Pilot


class LogLines:
    """Turns blocks into lines: `web    | line`, with names padded to the longest."""

    def __init__(self, screen: Screen, paint: Paint) -> None:
        self._screen = screen
        self._paint = paint
        self._width = 0
        self._prefixes: dict[tuple[str, str], bytes] = {}

    def expect(self, services: Iterable[str]) -> None:
        """Prepares the width for these names, so that all lines have the same indent."""
        self._grow(max((len(name) for name in services), default=0))

    def render(self, block: LogBlock) -> bytes:
        """The lines of the block, each with its prefix and a newline."""
        if not block.data:
            return b""
        data = self._clean(block.data)
        prefix = self._prefix(block) if block.prefixed else b""
        body = data[:-1] if data.endswith(b"\n") else data
        return b"%b%b\n" % (prefix, body.replace(b"\n", b"\n" + prefix))

    def render_span(self, span: LogSpan) -> bytes:
        """The lines of all blocks by time. One expression for each step, not one for each line."""
        for block in span.blocks:
            self._prefix(block)  # all of one width
        stamps: list[list[bytes]] = []
        texts: list[bytes] = []
        skip = 0 if span.timestamps else span.stamp + 1
        for block in span.blocks:
            lines = self._clean(block.data).removesuffix(b"\n").split(b"\n")
            prefix = self._prefix(block) if block.prefixed else b""
            stamps.append([line[: span.stamp] for line in lines])
            texts += [prefix + line[skip:] for line in lines]
        return b"\n".join([texts[number] for number in span.order(stamps)]) + b"\n"

    def _clean(self, data: bytes) -> bytes:
        if not self._screen.terminal:
            return data
        return neutralise(data, keep_colours=self._paint.has_colour, encoding=self._screen.encoding)

    def _prefix(self, block: LogBlock) -> bytes:
        key = (block.service, block.container)
        if key not in self._prefixes:
            name = " ".join(clean_text(container_label(block.service, block.container)).split())
            self._grow(len(name))
            painted = self._paint.service(block.service, self._width, shown=name)
            self._prefixes[key] = f"{painted} | ".encode(self._screen.encoding, "replace")
        return self._prefixes[key]

    def _grow(self, width: int) -> None:
        if width > self._width:
            self._width = width
            self._prefixes.clear()


class PlainConsole:
    """Answers go to `out`, progress to `err`.

    `lost` is told when `out` takes no more.
    """

    _unseen = frozenset(("data",))
    """The fields of a document that are not shown here."""

    def __init__(self, out: Screen, err: Screen, lost: LostOutput) -> None:
        palette = Palette(many=out.many_colours)
        self.out = out
        self.err = err
        self._stdout = out
        self.secrets = SecretValues()
        self._palette = palette
        self._progress = EventLines(Paint(colour=err.colour, unicode=err.unicode, palette=palette), err)
        self._answers = EventLines(Paint(colour=out.colour, unicode=out.unicode, palette=palette), out)
        self._logs = LogLines(out, Paint(colour=out.colour, unicode=out.unicode, palette=palette))
        self._lost = lost
        self._lock = threading.RLock()

    def expect(self, services: Iterable[str]) -> None:
        """Prepares column widths and colors for these services."""
        names = tuple(services)
        self._palette.expect(names)
        self._logs.expect(names)
        self._progress.expect(names)
        self._answers.expect(names)

    def emit(self, event: Event) -> None:
        """Shows the event. May be called from several threads at once; never raises."""
        with self._writing():
            self._show(self._without_secrets(event))

    def ask(self, question: str) -> str:
        """Asks at the terminal and returns the answer; "" at the end of input."""
        with self._writing():
            self.err.write(f"{clean_text(self.secrets.hide(question))} ")
            try:
                return input()
            except EOFError:
                self.err.write("\n")
        return ""

    def stay(self, pilot: Pilot) -> Footer | None:
        """No footer."""
        return None

    def close(self) -> None:
        """Restores the terminal."""

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One thread at a time; what cannot be written is noted, not raised."""
        with self._lock:
            try:
                yield
            except Unwritable as lost:
                self._lost.note(lost, self._stdout)
            except OSError:  # of rich, which draws on the terminal: it is gone
                return

    def _without_secrets(self, event: Event) -> Event:
        """The one place where secrets are masked. A service's log is its own; some documents are asked for
        with their secrets."""
        if isinstance(event, LogBlock | LogSpan) or (isinstance(event, Document) and event.with_secrets):
            return event
        texts = {
            item.name: self.secrets.hide_in(getattr(event, item.name))
            for item in fields(event)
            if not (item.name in self._unseen and type(event) is Document)
        }
        return replace(event, **texts)

    def _show(self, event: Event) -> None:
        if isinstance(event, LogBlock):
            self._write_log(event)
            return
        if isinstance(event, LogSpan):
            self._write_span(event)
            return
        if isinstance(event, Document) and not isinstance(event, Status):
            self._write_document(event)
            return
        event = clean_event(event)
        if isinstance(event, PlanMade):
            self.expect(event.services)
        if isinstance(event, Table):
            self.out.write(render_table(event, self.out))
        elif isinstance(event, Status):
            self._write_status(event)
        else:
            self._say(event)

    def _write_document(self, event: Document) -> None:
        """A program that reads it from a pipe gets it as it is. An empty list is no empty line."""
        text = clean_text(event.text) if self.out.terminal else event.text
        if text:
            self.out.write(text if text.endswith("\n") else f"{text}\n")

    def _write_status(self, event: Status) -> None:
        from invoke_devstack.console.status import status_lines

        self._palette.expect(item["service"] for item in event.data["services"])
        paint = Paint(colour=self.out.colour, unicode=self.out.unicode, palette=self._palette)
        width = self.out.width - 1 if self.out.terminal else sys.maxsize
        self.out.write("\n".join([*status_lines(event.data, paint, width, prefix=event.prefix), ""]))

    def _write_log(self, block: LogBlock) -> None:
        if not self._lost.noted:
            self.out.write_bytes(self._logs.render(block))

    def _write_span(self, span: LogSpan) -> None:
        if not self._lost.noted:
            self.out.write_bytes(self._logs.render_span(span))

    def _say(self, event: Event) -> None:
        for line, answer in zip(self._progress.lines(event), self._answers.lines(event), strict=True):
            if answer.answer:
                self.out.write_line(answer.text)
            else:
                self.err.write_line(line.text)

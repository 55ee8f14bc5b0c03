"""`--json`: only the answer, for tasks that list; one event per line, for tasks that act."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from invoke_devstack.console.escapes import clean_event, clean_json
from invoke_devstack.console.plain import PlainConsole
from invoke_devstack.events import Document, Event, Failed, LogBlock, LogSpan, Table


class JsonAnswer(PlainConsole):
    """Prints a `Table` as an array and a `Document` as its data; in place of an answer, the error. Everything
    else goes to `err` as text."""

    _unseen = frozenset()
    _has_answered = False

    def _show(self, event: Event) -> None:
        if isinstance(event, Table):
            self._answer(event.rows)
        elif isinstance(event, Document):
            self._answer(event.text if event.data is None else event.data)
        else:
            super()._show(event)
            if isinstance(event, Failed) and not self._has_answered:
                self._write(_one_line(event.to_json()))

    def _answer(self, data: Any) -> None:
        self._has_answered = True
        self._write(json.dumps(data, indent=2, ensure_ascii=False))

    def _write(self, text: str) -> None:
        self.out.write_line(clean_json(text) if self.out.terminal else text)

    def _say(self, event: Event) -> None:
        for line in self._progress.lines(event):
            self.err.write_line(line.text)


class JsonEvents(PlainConsole):
    """Prints each event as one line of JSON when it happens; a log block as one line for each log line."""

    _unseen = frozenset()

    def _show(self, event: Event) -> None:
        if isinstance(event, LogSpan):
            for block in event.in_order():
                self._show(block)
        elif isinstance(event, LogBlock):
            lines = (replace(event, data=line) for line in event.data.removesuffix(b"\n").split(b"\n"))
            self._print(*(line.to_json() for line in lines))
        else:
            self._print(event.to_json())
            if event.type == "error" or self._lost.noted:
                self._say(clean_event(event))

    def _print(self, *objects: dict[str, Any]) -> None:
        if not self._lost.noted:
            text = "".join(f"{_one_line(item)}\n" for item in objects)
            self.out.write(clean_json(text) if self.out.terminal else text)


def _one_line(item: dict[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))

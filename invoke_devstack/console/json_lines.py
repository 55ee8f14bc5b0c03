"""`--json`: the answer alone for tasks that list, one event a line for tasks that act."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from invoke_devstack.console.plain import PlainConsole
from invoke_devstack.events import Document, Event, LogBlock, Table


class JsonAnswer(PlainConsole):
    """Prints a `Table` as an array and a `Document` as its data; all else is for people, on `err`."""

    def _show(self, event: Event) -> None:
        if isinstance(event, Table):
            self.out.write_line(json.dumps(event.rows, indent=2, ensure_ascii=False))
        elif isinstance(event, Document):
            data = event.text if event.data is None else event.data
            self.out.write_line(json.dumps(data, indent=2, ensure_ascii=False))
        else:
            super()._show(event)

    def _say(self, event: Event) -> None:
        for line in self._words.lines(event):
            self.err.write_line(line.text)


class JsonEvents(PlainConsole):
    """Prints each event as one line of JSON while the task runs, a log block as one line a log line."""

    def _show(self, event: Event) -> None:
        if isinstance(event, LogBlock):
            lines = (replace(event, data=line) for line in event.data.removesuffix(b"\n").split(b"\n"))
            self._print(*(line.to_json() for line in lines))
        else:
            self._print(event.to_json())
            if event.type == "error":
                self._say(event)

    def _print(self, *objects: dict[str, Any]) -> None:
        if not self._gone:
            lines = (json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in objects)
            self.out.write("".join(f"{line}\n" for line in lines))

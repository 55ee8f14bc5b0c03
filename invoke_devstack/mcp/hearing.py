"""What a task says while it is done for a tool."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from invoke_devstack.acting.console import RunConsole
from invoke_devstack.events import Event, LogBlock
from invoke_devstack.mcp.log_lines import LogLines
from invoke_devstack.secrets import SecretValues

_MOST = 200  # events of one kind that are kept
_TELLING = ("action.started", "service.ready", "service.stopped", "notice", "action.failed")


class Heard:
    """The events of one task that answers are made of, as `--json` has them."""

    def __init__(self, on_news: Callable[[str], None]) -> None:
        """`on_news` gets a few words whenever something happens."""
        self.answer: Any = None
        self.failed: dict[str, Any] | None = None
        self._on_news = on_news
        self._lock = threading.Lock()
        self._events: dict[str, list[dict[str, Any]]] = {}

    def add(self, event: dict[str, Any]) -> None:
        """From any thread."""
        kind = event["type"]
        with self._lock:
            if kind == "table":
                self.answer = event["rows"]
            elif kind == "document":
                self.answer = event["data"]
            elif kind == "error":
                self.failed = event
            elif len(kept := self._events.setdefault(kind, [])) < _MOST:
                kept.append(event)
        if kind in _TELLING:
            self._on_news(_news(event))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind, in order."""
        return self._events.get(kind, [])


def _news(event: dict[str, Any]) -> str:
    match event["type"]:
        case "service.ready":
            return f"{event['service']} is ready"
        case "service.stopped":
            return f"{event['service']} has stopped"
        case "notice":
            return str(event["text"])
        case "action.failed":
            return f"{event['action']} {event['target']} failed"
    return f"{event['action']} {event['target']}"


class HearingConsole(RunConsole):
    """A console that passes events on to `Heard`, and log lines to `LogLines`."""

    def __init__(self, secrets: SecretValues, heard: Heard, lines: LogLines | None = None) -> None:
        super().__init__(secrets, heard.add)
        self._lines = lines

    def emit(self, event: Event) -> None:
        """Passes the event on."""
        if isinstance(event, LogBlock):
            if self._lines is not None:
                self._lines.add(event)
        else:
            super().emit(event)

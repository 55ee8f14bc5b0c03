"""Where the events of an action go: masked, cleaned, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from invoke_devstack.console.escapes import clean_event
from invoke_devstack.events import Document, Event, LogSpan
from invoke_devstack.secrets import SecretValues


class RunConsole:
    """A console that shows nothing itself."""

    def __init__(self, secrets: SecretValues, on_event: Callable[[dict[str, Any]], None]) -> None:
        self.secrets = secrets
        self._on_event = on_event

    def emit(self, event: Event) -> None:
        """Passes the event on."""
        if isinstance(event, LogSpan):
            for block in event.in_order():
                self.emit(block)
            return
        self._on_event(clean_event(self._masked(event)).to_json())

    def _masked(self, event: Event) -> Event:
        if isinstance(event, Document) and event.with_secrets:
            return Document(text="(not shown: it has secrets)")
        return replace(
            event, **{item.name: self.secrets.hide_in(getattr(event, item.name)) for item in fields(event)}
        )

    def expect(self, services: Iterable[str]) -> None:
        """Nothing to prepare."""

    def ask(self, question: str) -> str:
        """Nobody is asked: what loses data is confirmed with the request."""
        return ""

    def stay(self, pilot: object) -> None:
        """No footer."""

    def close(self) -> None:
        """Nothing to restore."""

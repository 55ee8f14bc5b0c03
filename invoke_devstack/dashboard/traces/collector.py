"""Takes, stores and counts what arrives, and says how that goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.traces.listening import Listening
from invoke_devstack.errors import DevstackError
from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.asking.moments import rfc3339
from invoke_devstack.traces.asking.reading import Reading
from invoke_devstack.traces.keeping import bounds
from invoke_devstack.traces.keeping.writer import NO_TROUBLE, Counts, Trouble, Writer
from invoke_devstack.traces.places import Door, database_of, private_folder
from invoke_devstack.traces.rows import Arrived

if TYPE_CHECKING:
    from invoke_devstack.dashboard.traces.receiver import Receiver
    from invoke_devstack.running.session import Session

_TOLD_EVERY = 0.5  # seconds
_PATIENCE = 30.0  # seconds for what is imported to be stored


class Collector:
    """From `start` to `stop`. Nothing listens, and nothing is written, before traces are wanted."""

    def __init__(self, project: str, session: Callable[[], Session], hub: Hub, secrets: SecretValues) -> None:
        self._project = project
        self._hub = hub
        self.secrets = secrets
        self._lock = threading.Lock()
        self._writer: Writer | None = None
        self._receiver: Receiver | None = None
        self._told = 0.0
        self._timer: threading.Timer | None = None
        self._listening = Listening(project, session, self._make_receiver)
        self.reading = Reading(project)

    def start(self) -> None:
        self._listening.start()

    def stop(self) -> None:
        """Returns when all that was acknowledged is stored."""
        self._listening.stop()
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._writer is not None:
                self._writer.stop()

    def status(self) -> dict[str, Any]:
        stored = self.reading.stored()
        receiver = self._receiver
        trouble = self._trouble()
        return {
            "receiving": bool(self._listening.endpoint),
            "endpoint": self._listening.endpoint,
            "problem": trouble.text,
            "hint": trouble.hint,
            **{key: value for key, value in stored.items() if key != "oldest"},
            "limit": bounds.LARGEST,
            "oldest": rfc3339(stored["oldest"]) if stored["oldest"] else "",
            "rejected": receiver.rejected if receiver else 0,
            "cut": receiver.cut if receiver else 0,
            "services": self.reading.services(),
        }

    def _trouble(self) -> Trouble:
        for found in (self._listening.trouble, self._writer.trouble if self._writer else NO_TROUBLE):
            if found.text:
                return found
        return NO_TROUBLE

    def store(self, batch: Arrived) -> int:
        """Stores it, and returns how many spans were new. Raises DevstackError."""
        writer = self._writing()
        stored = threading.Event()
        outcome: list[bool] = []

        def on_stored(is_stored: bool) -> None:
            outcome.append(is_stored)
            stored.set()

        before = writer.counts.spans
        if not writer.add(batch, on_stored) or not stored.wait(_PATIENCE) or not outcome[0]:
            trouble = writer.trouble
            raise DevstackError(trouble.text or "the trace cannot be stored now", hint=trouble.hint)
        return writer.counts.spans - before

    def _make_receiver(self, door: Door) -> Receiver:
        from invoke_devstack.dashboard.traces.receiver import Receiver

        self.secrets.add(door.key, "OTEL_EXPORTER_OTLP_HEADERS")
        before = self._receiver
        self._receiver = Receiver(door.key, self._writing(), self.secrets)
        if before is not None:
            self._receiver.rejected, self._receiver.cut = before.rejected, before.cut
        return self._receiver

    def _writing(self) -> Writer:
        """The writer, started when first needed. Raises FileError."""
        with self._lock:
            if self._writer is None:
                private_folder(self._project)
                self._writer = Writer(database_of(self._project), on_stored=self._tell)
                self._writer.start()
            return self._writer

    def _tell(self, counts: Counts) -> None:
        """Tells the tabs, at once or a little later."""
        wait = _TOLD_EVERY - (time.monotonic() - self._told)
        if wait <= 0:
            self._told = time.monotonic()
            self._hub.tell_latest("traces.arrived", lambda: dict(vars(counts)))
        elif self._timer is None or not self._timer.is_alive():
            self._timer = threading.Timer(wait, self._tell, (counts,))
            self._timer.daemon = True
            self._timer.start()

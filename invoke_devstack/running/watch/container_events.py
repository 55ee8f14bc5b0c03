"""Tells the lanes when containers of the project come, start, stop and go, whoever does it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine, EventStream

_ACTIONS = ("create", "start", "die", "pause", "unpause", "rename", "destroy")
_SERVICE = "com.docker.compose.service"
_ONE_OFF = "com.docker.compose.oneoff"
_PAUSE = 1.0  # seconds before another try to reach the engine

OnContainer = Callable[[str, str, str], None]
"""Called with service, action, container id."""


class ContainerEvents:
    """One stream of the engine's events, opened anew when it breaks. Holds nothing of the past."""

    def __init__(
        self, engine: Engine, project: str, on_container: OnContainer, on_gap: Callable[[], None]
    ) -> None:
        """`on_gap` is called when events may have been missed."""
        self._engine = engine
        self._filters = {
            "type": ("container",),
            "label": (f"com.docker.compose.project={project}",),
            "event": _ACTIONS,
        }
        self._on_container = on_container
        self._on_gap = on_gap
        self._stream: EventStream | None = None
        self._connected = threading.Event()
        self._closed = threading.Event()

    def open(self) -> None:
        """Starts listening; returns when no further event will be missed, or the engine does not answer."""
        threading.Thread(target=self._run, name="container-events", daemon=True).start()
        self._connected.wait()

    def close(self) -> None:
        """Ends the stream."""
        self._closed.set()
        if self._stream is not None:
            with suppress(DevstackError, OSError):
                self._stream.close()

    def _run(self) -> None:
        first = True
        while not self._closed.is_set():
            with suppress(DevstackError, OSError):
                self._stream = self._engine.events(self._filters)
                self._connected.set()
                if not first:
                    self._on_gap()
                self._listen(self._stream)
            first = False
            self._connected.set()
            self._closed.wait(_PAUSE)

    def _listen(self, stream: EventStream) -> None:
        for event in stream:
            if self._closed.is_set():
                return
            service = event.attributes.get(_SERVICE, "")
            if service and event.attributes.get(_ONE_OFF, "False") == "False":
                self._on_container(service, event.action, event.id)

"""The engine's events of one project: a single stream a command, shared by all who wait for a container."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from invoke_devstack.engine.protocol import Engine, EngineEvent, EventStream
from invoke_devstack.errors import DevstackError, EngineUnavailableError
from invoke_devstack.planning import labels

OnEvent = Callable[[EngineEvent], None]
LOST = "lost"
"""The action of the last event of a feed whose stream broke: the engine went away."""


class ContainerFeed:
    """Events of the project's containers since `open`. Handlers are called in the feed's own thread."""

    def __init__(self, engine: Engine, project: str) -> None:
        self._engine = engine
        self._filters = {"type": ("container",), "label": (f"{labels.PROJECT}={project}",)}
        self._lock = threading.Lock()
        self._history: dict[str, list[EngineEvent]] = defaultdict(list)
        self._listeners: dict[str, list[OnEvent]] = defaultdict(list)
        self._stream: EventStream | None = None
        self._connected = threading.Event()
        self._closed = False
        self.failure: DevstackError | None = None

    def loss(self) -> DevstackError:
        """The error for those who cannot go on without the feed."""
        return self.failure or EngineUnavailableError(
            "the engine went away in the middle",
            hint="It was stopped or restarted: `invoke doctor` looks at it. Then run the command again.",
        )

    def open(self) -> None:
        """Starts listening, in a thread of its own; does not wait for the engine."""
        threading.Thread(target=self._listen, name="events", daemon=True).start()

    def close(self) -> None:
        """Ends the stream."""
        with self._lock:
            self._closed = True
            stream = self._stream
        if stream is not None:
            with suppress(OSError, DevstackError):
                stream.close()

    def wait_until_connected(self) -> None:
        """From now on no event is missed. Raises what kept the stream from opening."""
        self._connected.wait()
        if self.failure is not None:
            raise self.failure

    @contextmanager
    def listening(self, container_id: str, on_event: OnEvent) -> Iterator[None]:
        """While entered, `on_event` gets all events of the container, those before included."""
        with self._lock:
            for event in self._history[container_id]:
                on_event(event)
            self._listeners[container_id].append(on_event)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[container_id].remove(on_event)

    def _tell_of_loss(self) -> None:
        lost = EngineEvent(type="feed", action=LOST, id="", attributes={}, time=float("inf"))
        with self._lock:
            if not self._closed:
                for listeners in self._listeners.values():
                    for listener in listeners:
                        listener(lost)

    def _listen(self) -> None:
        try:
            stream = self._engine.events(self._filters)
            with self._lock:
                self._stream = stream
                closed = self._closed
            self._connected.set()
            if closed:
                stream.close()
                return
            for event in stream:
                self._deliver(event)
        except DevstackError as error:
            self.failure = error
        finally:
            self._connected.set()
            self._tell_of_loss()

    def _deliver(self, event: EngineEvent) -> None:
        with self._lock:
            self._history[event.id].append(event)
            for listener in self._listeners[event.id]:
                listener(event)

"""The engine's events about the containers of one project: one stream, shared by all who listen."""

from __future__ import annotations

import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from invoke_devstack.engine.protocol import Engine, EngineEvent, EventStream
from invoke_devstack.errors import DevstackError, EngineUnavailableError
from invoke_devstack.planning import labels
from invoke_devstack.records import record

CONNECTED = "connected"
"""Action of our own: the stream is open. After the first time, events may have been missed before it."""
LOST = "lost"
"""Action of our own: the stream could not be opened, or broke. It is opened again as soon as possible."""
_RETRY = 0.25  # seconds between two attempts to reach the engine


@record
class ContainerEvent:
    """`action` is the engine's (`start`, `die`, `health_status: healthy`), or CONNECTED or LOST, of no
    container. `service` is "" for a one-off container. `time` is in seconds since the epoch."""

    action: str
    container: str = ""  # id
    name: str = ""
    service: str = ""
    time: float = 0.0
    exit_code: int = 0  # of a `die`
    signal: str = ""  # of a `kill`, such as SIGTERM
    error: DevstackError | None = None  # of LOST


OnEvent = Callable[[ContainerEvent], None]


class ContainerEvents:
    """Listens from `open` to `close`, in a thread of its own, across restarts of the engine."""

    def __init__(
        self, engine: Engine, project: str, *, actions: tuple[str, ...] = (), remember: bool = False
    ) -> None:
        """`actions`: only these, if any. `remember`: those who listen later get earlier events too."""
        self._engine = engine
        self._filters: dict[str, tuple[str, ...]] = {
            "type": ("container",),
            "label": (f"{labels.PROJECT}={project}",),
        }
        if actions:
            self._filters["event"] = actions
        self._history: dict[str, list[ContainerEvent]] | None = defaultdict(list) if remember else None
        self._listeners: dict[str, list[OnEvent]] = defaultdict(list)  # by container, "" for all events
        self._lock = threading.Lock()
        self._stream: EventStream | None = None
        self._tried = threading.Event()
        self._closed = threading.Event()
        self._failure: DevstackError | None = None

    def open(self) -> None:
        """Starts to listen; does not wait for the engine."""
        threading.Thread(target=self._run, name="container-events", daemon=True).start()

    def close(self) -> None:
        """Ends the stream."""
        with self._lock:
            self._closed.set()
            stream = self._stream
        if stream is not None:
            _close(stream)

    def deaths_of(self, container: str) -> list[ContainerEvent]:
        """The ends of the container's process that it remembers, by the container's id."""
        with self._lock:
            events = self._history[container] if self._history is not None else ()
            return [event for event in events if event.action == "die"]

    def wait_until_connected(self) -> None:
        """Returns once no further event will be missed. Raises DevstackError if the engine is away."""
        self._tried.wait()
        if self._failure is not None:
            raise self._failure

    @contextmanager
    def listening(self, on_event: OnEvent, container: str = "") -> Iterator[None]:
        """While entered, calls `on_event` for all events, or those of one container (by its id) and our own.
        Called in the listening thread."""
        with self._lock:
            for event in self._history[container] if self._history is not None else ():
                on_event(event)
            self._listeners[container].append(on_event)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[container].remove(on_event)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
                self._lose(_engine_gone())
            except OSError:
                self._lose(_engine_gone())
            except DevstackError as error:
                self._lose(error)
            self._closed.wait(_RETRY)

    def _listen(self) -> None:
        """Returns when the stream ends. Raises DevstackError."""
        stream = self._engine.events(self._filters)
        with self._lock:
            self._stream = stream
        if self._closed.is_set():
            _close(stream)
            return
        self._failure = None
        self._tried.set()
        self._tell(ContainerEvent(CONNECTED))
        for event in stream:
            self._tell(_read(event))

    def _lose(self, error: DevstackError) -> None:
        first, self._failure = self._failure is None, error
        self._tried.set()
        if first and not self._closed.is_set():
            self._tell(ContainerEvent(LOST, error=error, time=float("inf")))

    def _tell(self, event: ContainerEvent) -> None:
        with self._lock:
            if event.container and self._history is not None:
                self._history[event.container].append(event)
            listeners = self._listeners_for(event)
        for on_event in listeners:
            on_event(event)

    def _listeners_for(self, event: ContainerEvent) -> list[OnEvent]:
        if not event.container:
            return [item for found in self._listeners.values() for item in found]
        return [*self._listeners.get("", ()), *self._listeners.get(event.container, ())]


def _read(event: EngineEvent) -> ContainerEvent:
    attributes = event.attributes
    return ContainerEvent(
        event.action,
        event.id,
        attributes.get("name", event.id[:12]),
        _service(attributes),
        event.time,
        int(attributes.get("exitCode", 0)),
        _signal(attributes.get("signal", "")),
    )


def _signal(text: str) -> str:
    """The name of the signal with that number."""
    with suppress(ValueError):
        return signal.Signals(int(text)).name
    return text


def _service(attributes: Mapping[str, str]) -> str:
    return "" if attributes.get(labels.ONEOFF) == "True" else attributes.get(labels.SERVICE, "")


def _close(stream: EventStream) -> None:
    with suppress(OSError, DevstackError):
        stream.close()


def _engine_gone() -> EngineUnavailableError:
    return EngineUnavailableError(
        "the connection to the engine was lost",
        hint="The engine stopped or restarted. Check it with `invoke doctor`, then run the command again.",
        reason="gone",
    )

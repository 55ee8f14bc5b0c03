"""What the actions of one plan share while they are carried out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from invoke_devstack.engine.protocol import BuildResult, Engine
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.plan import StopContainer
from invoke_devstack.running.feed import ContainerFeed
from invoke_devstack.running.session import Session

_EXECS_AT_ONCE = 4  # each keeps a core of the engine's machine busy for tens of milliseconds


class Cancelled(DevstackError):  # noqa: N818 - another action failed, or the user wished it
    """An action that was given up because the command ends; never shown."""


class Execution:
    """One plan under way. `cancel` ends all waiting; what must not be torn ends by itself."""

    def __init__(self, session: Session, changed: frozenset[str] = frozenset()) -> None:
        """`changed` are the services that the plan does more than wait for."""
        self.session = session
        self.changed = changed
        self.feed = ContainerFeed(session.engine, session.project)
        self.exec_slots = threading.Semaphore(_EXECS_AT_ONCE)
        self.built: dict[str, BuildResult] = {}
        """By tag."""
        self.left: list[str] = []
        """Networks and volumes that stay because others use them."""
        self.awaited_ends: frozenset[str] = frozenset()
        """The ids of the stops for which another action of the plan waits."""
        self.tell_end: Callable[[StopContainer], None] = lambda stop: None
        """To be called, from any thread, once the process of a container that is being stopped has ended."""
        self._cancelled = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        return self.session.engine

    def check(self) -> None:
        """Raises Cancelled once the command has failed or was interrupted."""
        if self._cancelled.is_set():
            raise Cancelled("cancelled")

    def cancel(self) -> None:
        """Ends every wait of this execution at once."""
        self._cancelled.set()
        with self._lock:
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            callback()

    @contextmanager
    def calling_on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """While entered, `callback` is called by `cancel`, and at once if that was called before."""
        with self._lock:
            self._callbacks.append(callback)
        try:
            if self._cancelled.is_set():
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

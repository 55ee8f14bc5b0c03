"""How the services of a stack are, as long as somebody looks: each event of the engine is a reason to look
again, whoever caused it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from invoke_devstack.errors import DevstackError, NotFoundError
from invoke_devstack.planning.names import natural
from invoke_devstack.running.container_events import LOST, ContainerEvent, ContainerEvents
from invoke_devstack.running.ports.reach import reach_of
from invoke_devstack.running.readiness import lives
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.services_now import ServiceState, services_now

_TOGETHER = 0.15  # seconds in which further events join the first
_AGAIN = 1.0
"""Seconds after which it looks once more: the engine reports the last end of a container that it does not
restart any more before it has that state."""
_AWAY = "engine away"
_LIVES = ("start", "die", "restart")


class Overview:
    """Looks from `shown` on, in a thread of its own."""

    def __init__(
        self,
        session: Session,
        services: Sequence[str],
        on_change: Callable[[Sequence[ServiceState]], None],
    ) -> None:
        self._session = session
        self._services = sorted(services, key=natural)
        self._on_change = on_change
        self._restarts: dict[str, int] = {}
        self._touched: set[str] = set()
        self._due = threading.Event()
        self._ended = threading.Event()
        self._away = False

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While entered, `on_change` is called with each new state."""
        events = ContainerEvents(self._session.engine, self._session.project)
        self._due.set()
        thread = threading.Thread(target=self._run, name="overview", daemon=True)
        with events.listening(self._on_event), closing(events):
            events.open()
            thread.start()
            try:
                yield
            finally:
                self._ended.set()
                self._due.set()

    def _on_event(self, event: ContainerEvent) -> None:
        self._away = event.action == LOST
        if event.action.partition(":")[0] in ("exec_create", "exec_start", "exec_die", "top"):
            return  # healthchecks, and those who look
        if event.action in _LIVES:
            self._touched.add(event.container)
        self._due.set()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._ended.wait(_TOGETHER)
            self._due.clear()
            self._look_unless_ended()
            if not self._due.wait(_AGAIN):
                self._look_unless_ended()
            if self._ended.is_set():
                return

    def _look_unless_ended(self) -> None:
        if not self._ended.is_set():
            with suppress(DevstackError):
                self._look()

    def _look(self) -> None:
        if self._away:
            self._on_change([ServiceState(name, _AWAY, "bad") for name in self._services])
            return
        engine = self._session.engine
        observed = engine.observe(self._session.project)
        touched, self._touched = self._touched, set()
        for item in touched:
            with suppress(NotFoundError):
                self._restarts[item] = lives.restarts(engine.inspect_container(item))
        self._on_change(
            services_now(
                self._session.definition,
                observed,
                self._services,
                reach=reach_of(engine.endpoint, self._session.project),
                restarts=self._restarts,
            )
        )

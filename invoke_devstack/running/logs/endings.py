"""Says what befalls the services whose logs are shown: an end, a restart, a failing healthcheck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.errors import DevstackError
from invoke_devstack.events import ServiceChanged
from invoke_devstack.running.container_events import ContainerEvent
from invoke_devstack.running.readiness import diagnosis, lives
from invoke_devstack.running.session import Session

_UNHEALTHY, _HEALTHY = "health_status: unhealthy", "health_status: healthy"


class Endings:
    """Takes the engine's events of the services, in order. What this command itself stops is no news."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._signals: dict[str, str] = {}  # that somebody sent, by container
        self._unhealthy: set[str] = set()
        self.failed: dict[str, int] = {}
        """The exit codes of services whose last end was a failure."""

    def on_event(self, event: ContainerEvent) -> None:
        match event.action:
            case "kill":
                self._signals[event.container] = event.signal
            case "start":
                self._signals.pop(event.container, None)
                self._session.stopping.discard(event.name)
                self.failed.pop(event.service, None)
            case "die":
                self._on_die(event)
            case action if action == _UNHEALTHY and event.container not in self._unhealthy:
                self._unhealthy.add(event.container)
                text = "is unhealthy: its healthcheck fails"
                self._tell(event, "unhealthy", text, hint=diagnosis.see_logs(event.service))
            case action if action == _HEALTHY and event.container in self._unhealthy:
                self._unhealthy.remove(event.container)
                self._tell(event, "healthy", "is healthy again")

    def _on_die(self, event: ContainerEvent) -> None:
        signal = self._signals.pop(event.container, "")
        self._unhealthy.discard(event.container)
        if event.name in self._session.stopping:
            self._session.stopping.discard(event.name)
            return
        inspected = self._inspect(event)
        what = "restarted" if not signal and lives.is_restarted(inspected, event.exit_code) else "exited"
        again = "" if signal else _restart(what, event.exit_code, inspected)
        if what == "exited" and event.exit_code and not signal:
            self.failed[event.service] = event.exit_code
        self._tell(
            event,
            what,
            _ending(event.exit_code, signal, inspected) + again,
            exit_code=event.exit_code,
            restarts=lives.restarts(inspected),
            hint=diagnosis.memory_hint(inspected) if diagnosis.ran_out_of_memory(inspected) else "",
        )

    def _inspect(self, event: ContainerEvent) -> Mapping[str, Any]:
        try:
            return self._session.engine.inspect_container(event.container)
        except DevstackError:  # it is removed, or the engine is away
            return {}

    def _tell(self, event: ContainerEvent, what: str, text: str, **details: Any) -> None:
        self._session.emit(
            ServiceChanged(service=event.service, container=event.name, what=what, text=text, **details)
        )


def _ending(code: int, signal: str, inspected: Mapping[str, Any]) -> str:
    if diagnosis.ran_out_of_memory(inspected):
        return diagnosis.OUT_OF_MEMORY
    if signal:
        return f"was stopped from outside with {signal}, exit code {code}"
    return diagnosis.exited(code)


def _restart(what: str, code: int, inspected: Mapping[str, Any]) -> str:
    """The engine counts a restart when it begins it, which may be after the container's end."""
    if what == "restarted":
        count = lives.restarts(inspected) + (not (inspected.get("State") or {}).get("Running"))
        return f"; the engine restarts it ({count} time{'s' if count != 1 else ''} so far)"
    if lives.wants_restart(inspected, code):
        return f"; the engine restarts it no more (on-failure:{lives.most_restarts(inspected)})"
    return ""

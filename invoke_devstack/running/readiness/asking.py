"""How a starting container is asked whether it is ready, and how often: one class for each way of asking.

Entry: `choose_asker`. Times are in seconds; `elapsed` is how long the wait has lasted.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.planning.plan import AwaitReady, Probe
from invoke_devstack.running.execution import Execution
from invoke_devstack.running.ports import addresses
from invoke_devstack.running.ports.addresses import Address
from invoke_devstack.running.ports.reach import Reach, reach_of
from invoke_devstack.running.readiness import probes
from invoke_devstack.running.readiness.probes import Answer

_KNOCK_INTERVAL = 0.015  # between two cheap questions over a port
_EXEC_ANYWAY = 0.5  # between two healthchecks while the port does not answer: it may be the wrong port
_LONGEST_PAUSE = 0.25
_BACK_OFF_AFTER = 3.0
_AFTER_ERRORS = (0.03, 0.1, 0.5, 1.0)  # an application that answers with an error is not asked more often
_KNOWN_SERVER = 30.0  # to wait for a server that is known by its image, and may first make its database
_ANY_PORT_AFTER = 1.0  # until then the port that looks most like the service's own is preferred
_LONG_AGO = 5.0  # more than the clocks of two machines should differ by
_LOOK_UP = 0.5  # from a healthcheck that still runs, to hear events and tell what is waited for


class Asker:
    """A container that must exit: nothing to ask, since an event reports its end. Base of the others."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.said = Answer(False)

    def ask(self, elapsed: float) -> str:
        """What the container is found to be: running or healthy (it is ready), unhealthy, or ""."""
        return ""

    def pause(self, elapsed: float) -> float:
        """How long to wait until the next question."""
        return max(self.patience - elapsed, 0.0) + 0.001


class UptimeAsker(Asker):
    """A container that has neither healthcheck nor port: ready unless it exits within `proof` seconds."""

    def __init__(self, patience: float, interval: float, proof: float = 0.0, started_at: float = 0.0) -> None:
        super().__init__(patience)
        self._interval = interval
        self._proof = proof
        self._started_at = started_at

    def ask(self, elapsed: float) -> str:
        proven = elapsed > self._proof or time.time() - self._started_at > max(_LONG_AGO, self._proof)
        return "running" if proven else ""

    def pause(self, elapsed: float) -> float:
        slower = max(1.0, elapsed / _BACK_OFF_AFTER)
        return min(self._interval * slower, max(self._interval, _LONGEST_PAUSE))


class PortAsker(UptimeAsker):
    """Talks to the server over its port. If that does not answer, any of `others` is enough."""

    def __init__(
        self,
        patience: float,
        interval: float,
        probe: Probe,
        address: Address,
        others: tuple[Address, ...] = (),
    ) -> None:
        super().__init__(patience, min(interval, _KNOCK_INTERVAL))
        self._probe = probe
        self._address = address
        self._others = others
        self._errors = 0

    def ask(self, elapsed: float) -> str:
        self.said = self.knock()
        self._errors += self.said.from_server
        ready = self.said.ready or (elapsed > _ANY_PORT_AFTER and self._any_other_answers())
        return "running" if ready else ""

    def pause(self, elapsed: float) -> float:
        if self._errors:
            return _AFTER_ERRORS[min(self._errors, len(_AFTER_ERRORS)) - 1]
        return super().pause(elapsed)

    def knock(self) -> Answer:
        probe = self._probe
        return probes.ask(probe.kind, self._address, path=probe.path, timeout=min(probe.timeout, 1.0))

    def _any_other_answers(self) -> bool:
        return any(probes.ask(ProbeKind.PORT, address).ready for address in self._others)


class HealthcheckAsker(UptimeAsker):
    """Runs the healthcheck's command. It costs the engine tens of milliseconds, so it first waits until the
    port (if any) answers; meanwhile it tries now and then, since that port may be the wrong one."""

    def __init__(
        self,
        execution: Execution,
        inspected: Mapping[str, Any],
        probe: Probe,
        port: PortAsker | None,
        timeout: float,
    ) -> None:
        super().__init__(timeout, execution.session.settings.probe_interval)
        self._execution = execution
        self._inspected = inspected
        self._probe = probe
        self._port = port  # None once it has answered
        self._last_exec = time.monotonic()
        self._answers: SimpleQueue[Answer | BaseException] = SimpleQueue()
        self._is_running = False  # a healthcheck, in a thread of its own

    def ask(self, elapsed: float) -> str:
        overdue = time.monotonic() - self._last_exec > _EXEC_ANYWAY
        if self._port is not None and not self._knock(self._port) and not (overdue or self._is_running):
            return ""
        answer = self._healthcheck(self.patience - elapsed)
        if answer is None:
            return ""
        if answer.ready:
            return "healthy"
        return "unhealthy" if self._was_unhealthy() else ""

    def pause(self, elapsed: float) -> float:
        return self._port.pause(elapsed) if self._port is not None else super().pause(elapsed)

    def _knock(self, port: PortAsker) -> bool:
        answer = port.knock()
        if answer.ready:
            self._port = None
        if not self.said.text:
            self.said = answer
        return answer.ready

    def _healthcheck(self, left: float) -> Answer | None:
        """What the healthcheck found; None while it runs. It may hang for longer than we may wait."""
        if not self._is_running and not self._begin_healthcheck(left):
            return None
        try:
            answer = self._answers.get(timeout=max(min(_LOOK_UP, left), 0.001))
        except Empty:
            self.said = self.said if self.said.text else Answer(False, "still running")
            return None
        self._is_running = False
        self._last_exec = time.monotonic()
        if isinstance(answer, BaseException):
            raise answer
        self.said = answer if answer.text else self.said
        return answer

    def _begin_healthcheck(self, left: float) -> bool:
        """False if too many healthchecks run already."""
        if not self._execution.exec_slots.acquire(timeout=max(min(_LOOK_UP, left), 0.001)):
            return False
        self._is_running = True
        threading.Thread(target=self._run_healthcheck, args=(left,), name="healthcheck", daemon=True).start()
        return True

    def _run_healthcheck(self, left: float) -> None:
        probe = replace(self._probe, timeout=max(min(self._probe.timeout, left), 0.001))
        try:
            self._execution.check()
            self._answers.put(probes.run_healthcheck(self._execution.engine, self._inspected["Id"], probe))
        except BaseException as error:  # raised in the thread that waits
            self._answers.put(error)
        finally:
            self._execution.exec_slots.release()

    def _was_unhealthy(self) -> bool:
        """Whether the engine, which reports it once, did so before we listened. It also calls a container
        that ended unhealthy, whatever its healthcheck found."""
        health = self._inspected["State"].get("Health") or {}
        return health.get("Status") == "unhealthy" and health.get("FailingStreak", 0) >= self._probe.retries


def choose_asker(
    action: AwaitReady, execution: Execution, inspected: Mapping[str, Any], probe: Probe, proof: float
) -> Asker:
    """How to ask the container that was inspected. `proof` is how long it must run where nothing else tells.
    A `patience` below `action.timeout` is a guess."""
    if action.condition == "service_completed_successfully":
        return Asker(action.timeout)
    settings = execution.session.settings
    interval = settings.probe_interval
    patience = min(_patience(probe, settings.guess), action.timeout)
    session = execution.session
    reach = reach_of(session.engine.endpoint, session.project)
    port = _port_asker(probe, inspected, patience, interval, reach)
    if probe.kind is ProbeKind.HEALTHCHECK:
        return HealthcheckAsker(execution, inspected, probe, port, action.timeout)
    started_at = seconds_of((inspected.get("State") or {}).get("StartedAt", ""))
    return (port if patience else None) or UptimeAsker(action.timeout, interval, proof, started_at)


def _port_asker(
    probe: Probe, inspected: Mapping[str, Any], patience: float, interval: float, reach: Reach
) -> PortAsker | None:
    port = probe.port
    if probe.kind is ProbeKind.HEALTHCHECK:
        port = port or addresses.first_port(inspected)
    address = addresses.reachable(inspected, port, reach) if port else None
    if address is None:
        return None
    others = tuple(
        filter(None, (addresses.reachable(inspected, other, reach) for other in probe.other_ports))
    )
    return PortAsker(patience, interval, probe, address, others)


def _patience(probe: Probe, guess: float) -> float:
    """Nothing may ever listen on a port that is only guessed: one for debuggers or administrators, a worker
    that uses a server's image, a container in which a person starts programs."""
    if probe.declared:
        return math.inf
    return _KNOWN_SERVER if probe.is_known_server and guess else guess

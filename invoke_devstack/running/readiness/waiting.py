"""Waits until a container is ready, and says why if it never will be.

Ready is what comes first: the engine's `health_status: healthy`, or our own question (`asking`), which
is put at once and then repeatedly. What the engine can report (an exit, a verdict) comes as an event
and is never polled for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from invoke_devstack.errors import NotFoundError, ServiceError
from invoke_devstack.events import Notice, ServiceWaiting
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.observed import ENDED, seconds_of
from invoke_devstack.planning.plan import AwaitReady, Probe
from invoke_devstack.planning.probe_choice import probe_of_container
from invoke_devstack.records import record
from invoke_devstack.running.container_events import LOST, ContainerEvent
from invoke_devstack.running.execution import Cancelled, Execution
from invoke_devstack.running.readiness import diagnosis
from invoke_devstack.running.readiness.asking import Asker, choose_asker
from invoke_devstack.running.readiness.lives import CRASHES, Lives, most_restarts, wants_restart
from invoke_devstack.running.session import Session

_TELL_EVERY = 1.0  # seconds
_PROOF_FOR_OTHERS = 1.0  # seconds that a container must run where others need it healthy
_LOOK_UP = 0.1  # seconds after which a wait that may be superseded looks whether it is


@record
class Ready:
    """`state`: running, healthy, or done (exited with code 0)."""

    state: str
    inspected: Mapping[str, Any]


def await_ready(action: AwaitReady, execution: Execution) -> Ready:
    """Returns once the container is ready. Raises ServiceError if it failed or was too late, Cancelled if
    the execution was cancelled, DevstackError if the engine is away."""
    execution.events.wait_until_connected()
    waiting = _Waiting(action, execution, execution.engine.inspect_container(action.target))
    with (
        execution.events.listening(waiting.messages.put, waiting.container_id),
        execution.cancellation.calling(lambda: waiting.messages.put(None)),
    ):
        return waiting.until_ready()


def too_late(action: AwaitReady, session: Session) -> ServiceError:
    """The error of a wait that did not end in time, because the engine answers no question about it."""
    name = action.service or action.target
    wanted = f"{_wanted(action, action.probe)} within {action.timeout:g} s"
    return ServiceError(
        f"{session.label(name, action.target)} was not {wanted}, and the engine does not answer",
        service=name,
        hint="Check the engine: `invoke doctor`.",
    )


def _wanted(action: AwaitReady, probe: Probe) -> str:
    return "done" if action.condition == "service_completed_successfully" else f"ready ({probe})"


class _Waiting:
    """The wait for one container, in one thread: a question, then the events that came meanwhile.

    The container is `up` (and is asked), or down until the engine restarts it, or it has ended.
    """

    def __init__(self, action: AwaitReady, execution: Execution, inspected: Mapping[str, Any]) -> None:
        self.container_id: str = inspected["Id"]
        self.messages: SimpleQueue[ContainerEvent | None] = SimpleQueue()
        self._action = action
        self._execution = execution
        self._inspected = inspected
        self._began = time.monotonic()
        self._started_at = seconds_of((inspected.get("State") or {}).get("StartedAt", ""))
        self._last_told = 0.0
        self._lives = Lives(inspected)
        self._probe = probe_of_container(inspected) if action.late_probe else action.probe
        self._asker = self._choose_asker()
        self._up = (inspected.get("State") or {}).get("Status") != "restarting"

    def until_ready(self) -> Ready:
        ready = self._from_state()
        while ready is None:
            if self._elapsed() > self._action.timeout:
                raise self._late()
            if self._up and self._lives.age() > max(self._asker.patience, self._lives.proof()):
                return self._give_up()
            self._check_superseded()
            ready = self._ask() or self._hear(self._pause())
            self._tell()
        return ready

    def _pause(self) -> float:
        left = self._action.timeout - self._elapsed()
        longest = math.inf if self._execution.session.superseded is None else _LOOK_UP
        return max(min(self._asker.pause(self._lives.age()), left, longest), 0.001)

    def _check_superseded(self) -> None:
        superseded = self._execution.session.superseded
        if superseded is not None and superseded.is_set():
            raise Cancelled("something newer is to be done")

    def _from_state(self) -> Ready | None:
        state = self._inspected.get("State") or {}
        if state.get("Status") in ENDED:
            return self._ended(int(state.get("ExitCode") or 0))
        if not self._up and self._lives.crashes >= CRASHES:
            raise self._keeps_crashing(int(state.get("ExitCode") or 0))
        return self._healthy() if (state.get("Health") or {}).get("Status") == "healthy" else None

    def _ask(self) -> Ready | None:
        state = self._asker.ask(self._lives.age()) if self._up else ""
        if state == "unhealthy":
            raise self._unhealthy()
        return Ready(state, self._inspected) if state else None

    def _give_up(self) -> Ready:
        """A port that was only guessed is not waited for to the end."""
        text = (
            f"{self._label} is running, but did not answer within {self._asker.patience:g} s "
            f"({self._probe}); a `healthcheck:` or `x-devstack.ready` says what to wait for"
        )
        self._execution.session.emit(Notice(text=text, level="warning", service=self._name))
        return Ready("running", self._inspected)

    # what the engine says

    def _hear(self, seconds: float) -> Ready | None:
        """Reacts to events for `seconds`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                event = self.messages.get(timeout=left)
            except Empty:
                return None
            self._execution.check()
            if event is not None and (ready := self._react(event)):
                return ready
        return None

    def _react(self, event: ContainerEvent) -> Ready | None:
        react = _REACTIONS.get(event.action)
        return react(self, event) if react and event.time >= self._started_at else None

    def _on_lost(self, event: ContainerEvent) -> None:
        assert event.error is not None
        raise event.error

    def _on_start(self, event: ContainerEvent) -> None:
        """The engine restarted the container, which may have another address now."""
        if self._up:
            return
        self._up = True
        self._lives.begin(event.time)
        self._inspected = self._execution.engine.inspect_container(self.container_id)
        said = self._asker.said
        self._asker = self._choose_asker()
        self._asker.said = said

    def _choose_asker(self) -> Asker:
        return choose_asker(self._action, self._execution, self._inspected, self._probe, self._proof())

    def _proof(self) -> float:
        """How many seconds it must live to count as running, where nothing else tells. On a busy machine, a
        program that ends at once takes longer for it, and others must not start because of that."""
        proof = self._lives.proof()
        return max(proof, _PROOF_FOR_OTHERS) if self._others_need_it_healthy() else proof

    def _others_need_it_healthy(self) -> bool:
        return self._action.condition == "service_healthy" and bool(self._action.waited_for_by)

    def _on_die(self, event: ContainerEvent) -> Ready | None:
        if self._will_be_restarted(event.exit_code):
            self._up = False
            self._lives.end(event.time)
            if self._lives.crashes < CRASHES:
                return None
            raise self._keeps_crashing(event.exit_code)
        self._lives.end(event.time)
        # An engine tells of the death while its list still has the container as running; it answers this once
        # both agree.
        with suppress(NotFoundError):
            self._inspected = self._execution.engine.inspect_container(self.container_id)
        return self._ended(event.exit_code)

    def _on_destroy(self, event: ContainerEvent) -> None:
        raise self._failure("was removed by someone else while it started", diagnosis.see_logs(self._name))

    def _on_healthy(self, event: ContainerEvent) -> Ready | None:
        return self._healthy()

    def _on_unhealthy(self, event: ContainerEvent) -> None:
        if not self._completes():
            raise self._unhealthy()

    def _healthy(self) -> Ready | None:
        return None if self._completes() else Ready("healthy", self._inspected)

    def _ended(self, code: int) -> Ready | None:
        if code != 0:
            is_loop = self._lives.crashes >= CRASHES
            raise self._keeps_crashing(code) if is_loop else self._crash(code, diagnosis.exited(code))
        is_process = diagnosis.is_process_container(self._inspected)
        says_when_ready = is_process and self._probe.kind is not ProbeKind.RUNNING
        if self._others_need_it_healthy() or (says_when_ready and not self._completes()):
            raise self._crash(code, "exited with code 0 before it was ready")
        if notice := diagnosis.background_notice(self._label, self._inspected):
            self._execution.session.emit(Notice(text=notice, level="warning", service=self._name))
        return Ready("done", self._inspected)

    def _will_be_restarted(self, code: int) -> bool:
        return wants_restart(self._inspected, code) and self._lives.crashes < most_restarts(self._inspected)

    def _keeps_crashing(self, code: int) -> ServiceError:
        times = max(self._lives.crashes, CRASHES)
        return self._crash(code, f"keeps crashing: it exited {times} times, the last time with code {code}")

    # what people are told

    @property
    def _name(self) -> str:
        return self._action.service or self._action.target

    @property
    def _label(self) -> str:
        """With its number, if the service has several containers."""
        return self._execution.session.label(self._name, self._action.target)

    def _completes(self) -> bool:
        return self._action.condition == "service_completed_successfully"

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._last_told < _TELL_EVERY:
            return
        self._last_told = now
        self._execution.session.emit(
            ServiceWaiting(
                service=self._name,
                container=self._action.target,
                probe=str(self._probe),
                last=self._asker.said.text,
            )
        )

    def _failure(self, what: str, hint: str) -> ServiceError:
        return diagnosis.failure(
            self._execution.engine,
            self._inspected,
            f"{self._label} {what}{diagnosis.waited_for(self._action.waited_for_by)}",
            service=self._name,
            hint=hint,
            last_probe=self._asker.said.text,
        )

    def _crash(self, code: int, what: str) -> ServiceError:
        return diagnosis.crash(
            self._execution.engine,
            self._inspected,
            self._name,
            code,
            what,
            label=self._label,
            waiting=self._action.waited_for_by,
            last_probe=self._asker.said.text,
        )

    def _unhealthy(self) -> ServiceError:
        failed = f"its {self._probe} failed {self._probe.retries} times in a row"
        limits = "Its `interval`, `timeout`, `retries` and `start_period` set this limit."
        hint = self._asker.said.hint or f"{diagnosis.see_logs(self._name)} {limits}"
        return self._failure(f"is unhealthy: {failed}", hint)

    def _late(self) -> ServiceError:
        wanted = _wanted(self._action, self._probe)
        return self._failure(f"was not {wanted} within {self._action.timeout:g} s", self._hint())

    def _hint(self) -> str:
        longer = f"To wait longer: `invoke up --wait-timeout {2 * self._action.timeout:g}`."
        return self._asker.said.hint or f"{diagnosis.see_logs(self._name)} {longer}"


_REACTIONS: Mapping[str, Callable[[_Waiting, ContainerEvent], Ready | None]] = {
    LOST: _Waiting._on_lost,
    "start": _Waiting._on_start,
    "die": _Waiting._on_die,
    "destroy": _Waiting._on_destroy,
    "health_status: healthy": _Waiting._on_healthy,
    "health_status: unhealthy": _Waiting._on_unhealthy,
}
"""By the event's action. Events from before the container's last start are ignored."""

"""Waiting until a container is ready, and saying why when it never will be.

Ready is whatever comes first: the engine's own `health_status: healthy`, or our probe. A probe runs
at once and every `probe_interval`; what the engine can tell (a crash, a verdict) comes from its
event stream and is never polled for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Any

from invoke_devstack.engine.protocol import EngineEvent
from invoke_devstack.errors import ServiceError
from invoke_devstack.events import Notice, ServiceWaiting
from invoke_devstack.planning.plan import AwaitReady
from invoke_devstack.planning.probes import probe_of_container
from invoke_devstack.records import record
from invoke_devstack.running import diagnosis, endpoints, probes
from invoke_devstack.running.execution import Execution
from invoke_devstack.running.feed import LOST

_KNOCK_INTERVAL = 0.015  # between two cheap questions over a port
_EXEC_ANYWAY = 0.5  # the healthcheck runs this often though the port does not answer: it may not matter
_LONGEST_PAUSE = 0.25
_BACK_OFF_AFTER = 3.0  # seconds of fast probing
_CRASHES = 3  # of a container that the engine restarts, until it is said to be a loop
_TELL_EVERY = 1.0
_GUESS = 30.0  # seconds that a port is waited for which no healthcheck speaks of
_WEAK_GUESS = 5.0  # the same, for one that is not even published
_LONG_AGO = 5.0  # seconds; more than the clocks of two machines should differ by
_PROVEN_AFTER = 0.15  # seconds that a container with nothing to ask must live


@record
class Ready:
    """`state`: running, healthy, or done (exited 0)."""

    state: str
    inspected: Mapping[str, Any]


def await_ready(action: AwaitReady, execution: Execution) -> Ready:
    """Returns once the container is ready. Raises ServiceError when it failed or is late, Cancelled
    when the execution was."""
    execution.feed.wait_until_connected()
    waiting = _Waiting(action, execution, execution.engine.inspect_container(action.target))
    with (
        execution.feed.listening(waiting.container_id, waiting.messages.put),
        execution.calling_on_cancel(lambda: waiting.messages.put(None)),
    ):
        return waiting.until_ready()


class _Waiting:
    """The wait for one container, in one thread: a probe, then the messages that came meanwhile."""

    def __init__(self, action: AwaitReady, execution: Execution, inspected: Mapping[str, Any]) -> None:
        self.action = action
        self.execution = execution
        self.inspected = inspected
        self.container_id: str = inspected["Id"]
        self.messages: SimpleQueue[EngineEvent | None] = SimpleQueue()
        self._began = time.monotonic()
        self._started_at = _seconds_since_epoch((inspected.get("State") or {}).get("StartedAt", ""))
        self._last_output = ""
        self._last_told = 0.0
        self._crashes = 0
        self._last_exec = 0.0
        self._probe = probe_of_container(inspected) if action.late_probe else action.probe
        self._endpoint = self._find_endpoint()
        self._answers = False
        self._up = (inspected.get("State") or {}).get("Status") != "restarting"

    def until_ready(self) -> Ready:
        ready = self._from_state()
        while ready is None:
            if self._elapsed() > self._patience():
                return self._give_up()
            ready = self._ask() or self._hear(self._pause())
            self._tell()
        return ready

    def _patience(self) -> float:
        """Seconds. A port that is only guessed at may be one that nothing ever listens on: a worker from
        the image of a server, a container that a person starts things in."""
        if self._completes() or self._probe.kind == "healthcheck":
            return self.action.timeout
        serves = self._probe.kind in ("redis", "mysql", "postgres")
        published = any(
            p.container_port == self._probe.port for p in endpoints.published_ports(self.inspected)
        )
        return min(_GUESS if serves or published else _WEAK_GUESS, self.action.timeout)

    def _give_up(self) -> Ready:
        if self._patience() == self.action.timeout:
            raise self._late()
        text = f"{self._name} runs, but nothing answers yet ({self._probe}); a `healthcheck:` would say more"
        self.execution.session.emit(Notice(text=text, level="warning", service=self._name))
        return Ready("running", self.inspected)

    # what the engine says

    def _from_state(self) -> Ready | None:
        state = self.inspected.get("State") or {}
        status = state.get("Status", "")
        if status in ("exited", "dead"):
            return self._ended(int(state.get("ExitCode") or 0))
        if self._completes():
            return None
        if (state.get("Health") or {}).get("Status") == "healthy":
            return Ready("healthy", self.inspected)
        return None

    def _hear(self, seconds: float) -> Ready | None:
        """Reads messages for `seconds`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = self.messages.get(timeout=left)
            except Empty:
                return None
            self.execution.check()
            if message is not None and (ready := self._learn(message)):
                return ready
        return None

    def _learn(self, event: EngineEvent) -> Ready | None:
        if event.action == LOST:
            raise self.execution.feed.loss()
        if event.time < self._started_at:
            return None
        if event.action == "start" and not self._up:
            self._look_again()
        if event.action == "die":
            return self._ended(int(event.attributes.get("exitCode", 0)))
        if event.action == "destroy":
            raise self._fail("was removed by somebody else while it started", diagnosis.see_logs(self._name))
        if self._completes():
            return None
        if event.action == "health_status: healthy":
            return Ready("healthy", self.inspected)
        if event.action == "health_status: unhealthy":
            raise self._unhealthy()
        return None

    def _look_again(self) -> None:
        """A container that the engine restarts may get another address."""
        self.inspected = self.execution.engine.inspect_container(self.container_id)
        self._up = True
        self._endpoint = self._find_endpoint()

    def _find_endpoint(self) -> endpoints.Endpoint | None:
        port = self._probe.port
        if self._probe.kind == "healthcheck":
            port = port or endpoints.first_port(self.inspected)
        return endpoints.reachable(self.inspected, port) if port else None

    def _ended(self, code: int) -> Ready | None:
        if self._will_be_restarted(code):
            self._crashes += 1
            self._up = False
            if self._crashes < _CRASHES:
                return None
            raise self._crashed(
                code, f"keeps crashing: it ended {self._crashes} times, the last time with {code}"
            )
        if code != 0:
            raise self._crashed(code, diagnosis.exited(code))
        if self.action.condition == "service_healthy" and self.action.waited_for_by:
            raise self._crashed(code, "exited with code 0 before it was ready")
        return Ready("done", self.inspected)

    def _will_be_restarted(self, code: int) -> bool:
        policy = (self.inspected.get("HostConfig") or {}).get("RestartPolicy") or {}
        if policy.get("Name") in ("always", "unless-stopped"):
            return True
        most = policy.get("MaximumRetryCount") or _CRASHES
        return policy.get("Name") == "on-failure" and code != 0 and self._crashes < most

    # what we ask

    def _completes(self) -> bool:
        return self.action.condition == "service_completed_successfully"

    def _ask(self) -> Ready | None:
        if self._completes() or not self._up:
            return None
        if self._probe.kind == "healthcheck":
            return self._check_health() if self._worth_an_exec() else None
        if self._endpoint is None:
            return Ready("running", self.inspected) if self._has_lived() else None
        return Ready("running", self.inspected) if self._knock() else None

    def _has_lived(self) -> bool:
        """Whether it ran for long enough not to have crashed at once."""
        return self._elapsed() > _PROVEN_AFTER or time.time() - self._started_at > _LONG_AGO

    def _knock(self) -> bool:
        assert self._endpoint is not None
        probe = self._probe
        kind = "port" if probe.kind == "healthcheck" else probe.kind
        answer = probes.ask(kind, self._endpoint, path=probe.path, timeout=min(probe.timeout, 1.0))
        if probe.kind != "healthcheck" or not self._last_output:
            self._last_output = answer.text
        return answer.ready

    def _worth_an_exec(self) -> bool:
        """An exec costs the engine tens of milliseconds: not before the port answers, or now and then."""
        if not self._answers and self._endpoint is not None:
            self._answers = self._knock()
        overdue = time.monotonic() - max(self._last_exec, self._began) > _EXEC_ANYWAY
        return self._answers or self._endpoint is None or overdue

    def _check_health(self) -> Ready | None:
        with self.execution.exec_slots:
            self.execution.check()
            result = self._run_healthcheck()
        self._last_exec = time.monotonic()
        if not result and self._was_unhealthy():
            raise self._unhealthy()
        return Ready("healthy", self.inspected) if result else None

    def _was_unhealthy(self) -> bool:
        """Whether the engine, which says it once, said so before we listened. Of a container that ended
        it says so too, whatever its healthcheck found."""
        health = self.inspected["State"].get("Health") or {}
        return health.get("Status") == "unhealthy" and health.get("FailingStreak", 0) >= self._probe.retries

    def _run_healthcheck(self) -> bool:
        answer = probes.run_healthcheck(self.execution.engine, self.container_id, self._probe)
        self._last_output = answer.text or self._last_output
        return answer.ready

    def _pause(self) -> float:
        if self._completes():
            return max(self.action.timeout - self._elapsed(), 0.0) + 0.001
        base = self.execution.session.settings.probe_interval
        if not self._answers and self._endpoint is not None:
            base = min(base, _KNOCK_INTERVAL)
        slower = max(1.0, self._elapsed() / _BACK_OFF_AFTER)
        return min(base * slower, max(base, _LONGEST_PAUSE))

    # what people are told

    @property
    def _name(self) -> str:
        return self.action.service or self.action.target

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._last_told < _TELL_EVERY:
            return
        self._last_told = now
        self.execution.session.emit(
            ServiceWaiting(
                service=self._name,
                container=self.action.target,
                probe=str(self._probe),
                last=self._last_output,
            )
        )

    def _fail(self, what: str, hint: str) -> ServiceError:
        return diagnosis.failure(
            self.execution.engine,
            self.inspected,
            f"{self._name} {what}{diagnosis.waited_for(self.action.waited_for_by)}",
            service=self._name,
            hint=hint,
            last_probe=self._last_output,
        )

    def _crashed(self, code: int, what: str) -> ServiceError:
        return diagnosis.crash(
            self.execution.engine,
            self.inspected,
            self._name,
            code,
            what,
            waiting=self.action.waited_for_by,
            last_probe=self._last_output,
        )

    def _unhealthy(self) -> ServiceError:
        failed = f"its {self._probe} failed {self._probe.retries} times in a row"
        return self._fail(f"is unhealthy: {failed}", self._probe_hint())

    def _late(self) -> ServiceError:
        wanted = "done" if self._completes() else f"ready ({self._probe})"
        return self._fail(f"was not {wanted} within {self.action.timeout:g} s", self._probe_hint())

    def _probe_hint(self) -> str:
        if "executable file not found" in self._last_output or "not found" in self._last_output:
            return "The healthcheck's command is not in the image: use one that is, or install it."
        return f"{diagnosis.see_logs(self._name)} More time: `--wait-timeout`."


def _seconds_since_epoch(stamp: str) -> float:
    """An RFC 3339 time of the engine (nanoseconds, UTC); 0 for the zero time and for none."""
    from datetime import datetime

    if not stamp or stamp.startswith("0001"):
        return 0.0
    return datetime.fromisoformat(stamp).timestamp()

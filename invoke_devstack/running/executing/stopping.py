"""Stops one container gracefully and reports how it ended: by itself or killed, after how long, and why."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from invoke_devstack.engine.protocol import Engine, ExecSession
from invoke_devstack.errors import DevstackError, NotFoundError
from invoke_devstack.events import ActionProgress, Notice, ServiceStopped
from invoke_devstack.planning.plan import StopContainer
from invoke_devstack.running.executing import stop_diagnosis
from invoke_devstack.running.execution import Execution, Reached

_SLOW = 3.0  # seconds after which PID 1 is examined, which may take an exec that slows the stop down
_COUNT = 1.0  # seconds between two steps of the countdown
_KILLED = 137
_LOST = 0.3
"""Seconds that the answer to a stop may take once the container has ended, after a second signal."""
_GIVE_UP = 60.0  # seconds for a container that was killed to end
_LATE = 1.0  # seconds after which an exit code that does not come by itself is asked for


def stop(action: StopContainer, execution: Execution) -> None:
    """Stops the container, unless it has already ended. A second signal from the user kills it at once."""
    with suppress(NotFoundError):
        _Stop(action, execution).carry_out()


class _Stop:
    def __init__(self, action: StopContainer, execution: Execution) -> None:
        self._action = action
        self._execution = execution
        self._first: stop_diagnosis.PidOne | None = None
        self._began = time.monotonic()
        self._answer: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._exit_code = _ExitCode(execution.engine, action.target)

    def carry_out(self) -> None:
        self._report_progress(f"stopping; SIGKILL after {self._action.grace:g} s")
        if self._execution.session.explain:
            signal = self._signal_of(self._inspect())
            self._explain(f"{signal}: asks the program to exit; it can finish its work and save its data")
            self._explain(f"grace period: it has {self._action.grace:g} s to do so")
        with (
            self._watched(),
            reporting_end(self._action, self._execution),
            self._execution.session.interrupt.graceful(),
            self._execution.session.interrupt.calling(self._kill_if_forced),
        ):
            threading.Thread(target=self._ask, name=f"stop {self._action.name}", daemon=True).start()
            if (error := self._answer.get()) is not None:
                raise error
        self._report(self._exit_code.read())

    def _ask(self) -> None:
        """In a thread of its own: where the answer is lost, the stop ends without it (`_kill`)."""
        try:
            self._execution.engine.stop(
                self._action.target, signal=self._action.signal, grace=self._action.grace
            )
        except BaseException as error:  # it is raised where it is waited for
            self._answer.put(error)
        else:
            self._answer.put(None)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        ended = threading.Event()
        threading.Thread(target=self._watch, args=(ended,), daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _watch(self, ended: threading.Event) -> None:
        """Examines a stop that takes long, and counts down until the container is killed."""
        if ended.wait(min(_SLOW, self._action.grace / 2)):
            return
        with suppress(DevstackError):
            self._first = stop_diagnosis.examine(self._execution.engine, self._inspect())
        while not ended.is_set():
            left = max(self._action.grace - self._seconds(), 0)
            self._report_progress(f"still stopping; SIGKILL in {left:.0f} s")
            ended.wait(_COUNT)

    def _kill_if_forced(self) -> None:
        if self._execution.session.interrupt.forced.is_set():
            threading.Thread(target=self._kill, name=f"kill {self._action.name}", daemon=True).start()

    def _kill(self) -> None:
        with suppress(DevstackError):
            self._execution.engine.kill(self._action.target)
        if self._exit_code.is_known.wait(_GIVE_UP):
            time.sleep(_LOST)
            self._answer.put(None)

    def _report(self, code: int | None) -> None:
        seconds = self._seconds()
        forced = self._execution.session.interrupt.forced.is_set()
        killed = code == _KILLED and (forced or seconds >= self._action.grace)
        why, advice = "", ""
        if killed:
            why, advice = self._why(forced)
        self._explain_end(seconds, killed=killed, forced=forced)
        self._execution.session.emit(
            ServiceStopped(
                service=self._action.service,
                container=self._action.name,
                exit_code=code,
                seconds=seconds,
                killed=killed,
                why=why,
                advice=advice,
            )
        )

    def _explain_end(self, seconds: float, *, killed: bool, forced: bool) -> None:
        if not killed:
            self._explain(
                f"exited by itself after {seconds:.1f} s of its grace period: no SIGKILL was needed"
            )
        elif forced and seconds < self._action.grace:
            self._explain("SIGKILL: sent early, because of a second interrupt")
        else:
            self._explain("SIGKILL: the grace period is over; the kernel kills the program at once")

    def _explain(self, text: str) -> None:
        """With `--explain`: what `docker stop` does, as it happens."""
        if self._execution.session.explain:
            self._execution.session.emit(Notice(text=text, service=self._action.service))

    def _why(self, forced: bool) -> tuple[str, str]:
        if forced and self._seconds() < self._action.grace:
            return "a second interrupt", ""
        try:
            signal = self._signal_of(self._inspect())
        except NotFoundError:  # run with `--rm`, or removed by another command
            signal = self._action.signal
        return stop_diagnosis.diagnose(self._first, signal, self._action.grace)

    def _signal_of(self, inspected: Mapping[str, Any]) -> str:
        return self._action.signal or (inspected.get("Config") or {}).get("StopSignal") or "SIGTERM"

    def _inspect(self) -> Mapping[str, Any]:
        return self._execution.engine.inspect_container(self._action.target)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _report_progress(self, text: str) -> None:
        self._execution.session.emit(
            ActionProgress(action=self._action.kind, target=self._action.target, text=text)
        )


class _ExitCode:
    """Asks for a container's exit code while it is being stopped: what follows the stop need not wait for one
    more answer, which counts where the engine is far away or busy with ten stops."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._found: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.is_known = threading.Event()
        threading.Thread(target=self._wait, name=f"exit code of {container}", daemon=True).start()

    def _wait(self) -> None:
        code: int | None = None
        with suppress(DevstackError, OSError, ValueError):
            code = self._engine.wait(self._container)
            self.is_known.set()
        self._found.put(code)

    def read(self) -> int | None:
        """Once the stop was answered. None if the container is gone."""
        with suppress(queue.Empty):
            if (code := self._found.get(timeout=_LATE)) is not None:
                return code
        try:
            inspected = self._engine.inspect_container(self._container)
        except NotFoundError:  # run with `--rm`, or removed by another command
            return None
        return int((inspected.get("State") or {}).get("ExitCode") or 0)


@contextmanager
def reporting_end(action: StopContainer, execution: Execution) -> Iterator[None]:
    """While entered, reports to `execution` as soon as the container's process has ended, if another action
    waits for that.

    The engine answers a stop only once it has torn down the container's network, 0.1 s later. It sends an
    event before that (20.10) or after it (28). In all versions it closes a connection that is attached to
    the container's output as soon as the process has ended.
    The stop does not wait for that connection: where it comes too late, the answer to the stop decides.
    """
    if not execution.is_end_awaited(action):
        yield
        return

    answered = threading.Event()
    connected: list[ExecSession] = []

    def listen() -> None:
        attached = _attach(action, execution)
        if attached is None:
            return
        connected.append(attached)
        with suppress(DevstackError, OSError, ValueError):
            while not answered.is_set() and attached.read()[1]:
                pass
            if not answered.is_set():  # after that, the result of the stop decides
                execution.messages.put(Reached(action.end))
        if answered.is_set():
            _close(connected)

    threading.Thread(target=listen, name=f"end of {action.name}", daemon=True).start()
    try:
        yield
    finally:
        answered.set()
        _close(connected)


def _close(connected: list[ExecSession]) -> None:
    """Two threads may call this: each connection is closed by the one that takes it out."""
    with suppress(IndexError):
        while True:
            connected.pop().close()


def _attach(action: StopContainer, execution: Execution) -> ExecSession | None:
    """None if the container is paused or has ended, or if the engine closes connections at another time."""
    if not execution.engine.lets_go_at_end:
        return None
    with suppress(DevstackError):
        return execution.engine.attach(
            action.target, tty=True, stdin=False
        )  # raw, because the output is ignored
    return None


def warn_about_interrupt(execution: Execution) -> None:
    """Tells a user who interrupts a shutdown that it goes on, and what a second signal does."""
    execution.session.emit(
        Notice(
            text="Stopping gracefully. Interrupt once more to kill what is still running.", level="warning"
        )
    )

"""Ends one container gracefully and reports how it went: by itself or killed, how long, and why."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.errors import DevstackError, NotFoundError
from invoke_devstack.events import ActionProgress, Notice, ServiceStopped
from invoke_devstack.planning.plan import StopContainer
from invoke_devstack.running import pid_one
from invoke_devstack.running.execution import Execution

_SLOW = 3.0  # seconds after which PID 1 is looked at, which may take an exec that slows its end down
_KILLED = 137


def stop(action: StopContainer, execution: Execution) -> None:
    """Stops the container; one that is gone or has ended already is left alone. A second signal of
    the user kills it at once."""
    with suppress(NotFoundError):
        _Stop(action, execution).carry_out()


class _Stop:
    def __init__(self, action: StopContainer, execution: Execution) -> None:
        self._action = action
        self._execution = execution
        self._first: pid_one.PidOne | None = None
        self._began = time.monotonic()

    def carry_out(self) -> None:
        self._tell(f"asked to end; SIGKILL after {self._action.grace:g} s")
        self._teach_begin()
        with (
            self._watched(),
            telling_end(self._action, self._execution),
            self._execution.session.interrupt.calling(self._kill_if_forced),
        ):
            self._execution.engine.stop(
                self._action.target, signal=self._action.signal, grace=self._action.grace
            )
        self._report()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        timer = threading.Timer(min(_SLOW, self._action.grace / 2), self._examine)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _examine(self) -> None:
        with suppress(DevstackError):
            self._first = pid_one.examine(self._execution.engine, self._inspect())
        self._tell(f"still ending; SIGKILL in {max(self._action.grace - self._seconds(), 0):.0f} s")

    def _kill_if_forced(self) -> None:
        if self._execution.session.interrupt.forced.is_set():
            threading.Thread(target=self._kill, name=f"kill {self._action.name}", daemon=True).start()

    def _kill(self) -> None:
        with suppress(DevstackError):
            self._execution.engine.kill(self._action.target)

    def _report(self) -> None:
        seconds = self._seconds()
        code, signal = self._ending()
        forced = self._execution.session.interrupt.forced.is_set()
        killed = code == _KILLED and (forced or seconds >= self._action.grace)
        why, advice = "", ""
        if killed:
            why, advice = self._why(forced, signal)
        self._teach_end(seconds, killed=killed, forced=forced)
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

    def _teach_begin(self) -> None:
        if self._execution.session.explain:
            signal = self._signal_of(self._inspect())
            self._teach(f"{signal}: it is asked to end, and may finish its work and save what it holds")
            self._teach(f"grace period: it has {self._action.grace:g} s for that")

    def _teach_end(self, seconds: float, *, killed: bool, forced: bool) -> None:
        if not killed:
            self._teach(f"it ended by itself, {seconds:.1f} s into its grace period: no SIGKILL was needed")
        elif forced and seconds < self._action.grace:
            self._teach("SIGKILL: a second interrupt asked for it, before the grace period was over")
        else:
            self._teach("SIGKILL: the grace period is over; the kernel ended it, whatever it was doing")

    def _teach(self, text: str) -> None:
        """With `--explain`: what `docker stop` does behind its one command, as it happens."""
        if self._execution.session.explain:
            self._execution.session.emit(Notice(text=text, service=self._action.service))

    def _why(self, forced: bool, signal: str) -> tuple[str, str]:
        if forced and self._seconds() < self._action.grace:
            return "a second interrupt asked for it", ""
        return pid_one.judge(self._first, signal, self._action.grace)

    def _ending(self) -> tuple[int | None, str]:
        """Its exit code, and the signal that asked it to end."""
        try:
            inspected = self._inspect()
        except NotFoundError:  # run with `--rm`, or removed by somebody else
            return None, self._action.signal
        return int((inspected.get("State") or {}).get("ExitCode") or 0), self._signal_of(inspected)

    def _signal_of(self, inspected: Mapping[str, Any]) -> str:
        return self._action.signal or (inspected.get("Config") or {}).get("StopSignal") or "SIGTERM"

    def _inspect(self) -> Mapping[str, Any]:
        return self._execution.engine.inspect_container(self._action.target)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _tell(self, text: str) -> None:
        self._execution.session.emit(
            ActionProgress(action=self._action.kind, target=self._action.target, text=text)
        )


@contextmanager
def telling_end(action: StopContainer, execution: Execution) -> Iterator[None]:
    """While entered, `execution` is told as soon as the container's process ends, if another action waits
    for that.

    The engine answers a stop only when it has taken the container's network apart, 0.1 s later, and tells of
    the end by an event before that (20.10) or after it (28). What it attached to the container's output it
    lets go right when the process has ended, in all versions.
    """
    attached = _attach(action, execution) if action.id in execution.awaited_ends else None
    if attached is None:
        yield
        return

    answered = threading.Event()

    def listen() -> None:
        with suppress(DevstackError, OSError, ValueError):
            while attached.read()[1]:
                pass
            if not answered.is_set():  # else the answer to the stop tells how it went
                execution.tell_end(action)

    threading.Thread(target=listen, name=f"end of {action.name}", daemon=True).start()
    try:
        yield
    finally:
        answered.set()
        attached.close()


def _attach(action: StopContainer, execution: Execution) -> ExecSession | None:
    """None where it cannot be: it is paused, or has ended, or the engine lets go at another time."""
    if not execution.engine.lets_go_at_end:
        return None
    with suppress(DevstackError):
        return execution.engine.attach(action.target, tty=True, stdin=False)  # raw: nobody reads what it says
    return None


def warn_about_interrupt(execution: Execution) -> None:
    """Says, once the user interrupts a shutdown, that it goes on and what a second signal does."""
    execution.session.emit(
        Notice(text="Stopping gracefully; interrupt once more to kill what still runs.", level="warning")
    )

"""Actions that were asked for here. One runs at a time: each changes the project, and the lock admits one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from invoke_devstack.acting.console import RunConsole
from invoke_devstack.acting.host import Cancel, ConfirmationError, Host, Wish
from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.watching.stack import Stack
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import SCHEMA_VERSION
from invoke_devstack.running.journal import new_run
from invoke_devstack.running.locks import holder_of

_KEPT = 20
_FIRST_LOOK = 10.0  # seconds that the first action waits for the engine

Told = dict[str, Any]


class BusyError(DevstackError):
    """Somebody else changes the project."""

    reason = "busy"

    def __init__(self, project: str, holder: str) -> None:
        super().__init__(f"project {project} is in use by {holder}", hint="Wait until it ends, or stop it.")
        self.holder = holder


class Run:
    """One action. Its events are kept, and passed on as they come."""

    def __init__(self, wish: Wish, on_event: Callable[[Run, Told], None]) -> None:
        self.id = new_run()
        self.wish = wish
        self.began = time.monotonic()
        self.events: list[Told] = []
        self.confirmation: ConfirmationError | None = None
        self.exit_code: int | None = None
        self._on_event = on_event
        self._listeners: list[Callable[[Told | None], None]] = []
        self._lock = threading.Lock()
        self._cancel: Cancel | None = None
        self._begun = threading.Event()
        self._ended = threading.Event()

    def add(self, event: Told) -> None:
        """From any thread."""
        with self._lock:
            self.events.append(event)
            for listener in self._listeners:
                listener(event)
        self._begun.set()
        self._on_event(self, event)

    def end(self, exit_code: int) -> None:
        with self._lock:
            self.exit_code = exit_code
            for listener in self._listeners:
                listener(None)
        self._ended.set()
        self._begun.set()

    def listen(self, listener: Callable[[Told | None], None]) -> None:
        """Calls it with all events, those so far too, and with None at the end."""
        with self._lock:
            for event in self.events:
                listener(event)
            if self.exit_code is not None:
                listener(None)
            self._listeners.append(listener)

    def wait_until_begun(self, seconds: float) -> None:
        """Returns when it did or said something. One that begins with an error is about to end."""
        self._begun.wait(seconds)
        if self.events and self.events[0]["type"] == "error":
            self._ended.wait(seconds)

    def refusal(self) -> Told | None:
        """The error of one that ended before it did anything, because it was wrong."""
        wrong = self.exit_code == 2 and len(self.events) == 1
        return self.events[0] if wrong and self.events[0]["type"] == "error" else None

    def set_cancel(self, cancel: Cancel) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        """As Ctrl-C would."""
        if self._cancel is not None and self.exit_code is None:
            self._cancel()

    def started(self) -> Told:
        services = list(self.wish.services)
        return {
            "v": SCHEMA_VERSION,
            "type": "run.started",
            "run": self.id,
            "task": self.wish.task,
            "services": services,
        }

    def finished(self) -> Told:
        failures = [event["error"] for event in self.events if event["type"] == "error"]
        return {
            "v": SCHEMA_VERSION,
            "type": "run.finished",
            "run": self.id,
            "exit_code": self.exit_code,
            "seconds": round(time.monotonic() - self.began, 3),
            "error": failures[-1] if failures else "",
        }


class Runs:
    """Starts actions, each in a thread."""

    def __init__(self, host: Host, hub: Hub, stack: Stack) -> None:
        self._host = host
        self._hub = hub
        self._stack = stack
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._current: Run | None = None

    def start(self, wish: Wish) -> Run:
        """Raises BusyError if another command changes the project."""
        with self._lock:
            self._check_free()
            run = Run(wish, self._tell)
            self._current = self._runs[run.id] = run
            for old in [*self._runs][:-_KEPT]:
                del self._runs[old]
        threading.Thread(target=self._carry_out, args=(run,), name=f"run {wish.task}", daemon=True).start()
        return run

    def find(self, run: str) -> Run | None:
        return self._runs.get(run)

    def cancel_all(self) -> None:
        """The server ends."""
        if self._current is not None:
            self._current.cancel()

    def _check_free(self) -> None:
        self._stack.wait_until_seen(_FIRST_LOOK)
        project = self._stack.project()["project"]
        if self._current is not None and self._current.exit_code is None:
            raise BusyError(project, f"`{self._current.wish.task}` from this dashboard")
        session = self._stack.session
        holder = holder_of(session.engine, project)
        if holder is not None:
            raise BusyError(project, str(holder))

    def _carry_out(self, run: Run) -> None:
        console = RunConsole(self._host.secrets, run.add)
        self._stack.tell_busy({"holder": f"`{run.wish.task}` from this dashboard", "run": run.id})
        exit_code = 1
        try:
            exit_code = self._host.run(run.wish, console, run.set_cancel, run.id)
        except ConfirmationError as error:
            run.confirmation, exit_code = error, error.exit_code
        finally:
            run.end(exit_code)
            self._stack.tell_busy(None)
            self._stack.look_again()
            self._hub.tell("event", {"run": run.id, "at": self._at(run), "event": run.finished()})

    def _tell(self, run: Run, event: Told) -> None:
        self._hub.tell("event", {"run": run.id, "at": self._at(run), "event": event})

    def _at(self, run: Run) -> float:
        return round(time.monotonic() - run.began, 3)

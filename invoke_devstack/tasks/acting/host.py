"""Gives a program the stack of this tasks.py, and has its tasks done. See `acting/host.py`."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from invoke_devstack.acting.host import CAPTURE, Cancel, Command, ConfirmationError, Wish
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Emit, Event
from invoke_devstack.running.ending import seen_to
from invoke_devstack.running.hooks import call_action
from invoke_devstack.tasks.acting.offered import OWN, call_of, offered, own
from invoke_devstack.tasks.acting.printing import printing
from invoke_devstack.tasks.boundary import boundary
from invoke_devstack.tasks.calling.naming import PrefixingConsole
from invoke_devstack.tasks.journalling import JournallingConsole
from invoke_devstack.tasks.tracing import as_it_traces

if TYPE_CHECKING:
    from invoke_devstack.console import Console
    from invoke_devstack.running.session import Session
    from invoke_devstack.secrets import SecretValues
    from invoke_devstack.tasks.own_actions import OwnAction
    from invoke_devstack.tasks.work import Work

_RETRY = 1.0  # seconds between two attempts to remove a lock
_releasing = threading.Lock()


class _Silent:
    """A console for work that nobody watches."""

    def __init__(self, secrets: SecretValues) -> None:
        self.secrets = secrets

    def emit(self, event: Event) -> None:
        """Shows nothing."""

    def expect(self, services: Iterable[str]) -> None:
        """Nothing to prepare."""

    def ask(self, question: str) -> str:
        """Nobody is asked."""
        return ""

    def stay(self, pilot: object) -> None:
        """No footer."""

    def close(self) -> None:
        """Nothing to restore."""


class WorkHost:
    """The host that a task makes of its own work."""

    def __init__(self, work: Work, origin: str) -> None:
        """`origin`: who asks, as the journal has it."""
        self._work = work
        self._origin = origin
        self._looking: Work | None = None
        self.directory = work.directory
        self.task_prefix = work.task_prefix
        self.settings = work.settings
        self.secrets = work.console.secrets

    @cached_property
    def project(self) -> str:
        """The name that the task works under, or that of the files if no engine answers."""
        with suppress(DevstackError):
            return self._work.named_definition.name
        return re.sub(r"[^a-z0-9_-]", "", self.directory.name.lower()) or "project"

    def session(self, emit: Emit = lambda event: None) -> Session:
        """Reads the files again. The connection to the engine stays the same."""
        looking = self._work.twin(_Silent(self.secrets))
        if self._looking is not None and self._looking.connected is not None:
            looking.engine = self._looking.engine
            looking.connected = self._looking.connected
        with looking.session(as_it_traces(looking).applied(None)) as session:
            self._looking = looking
            return session

    def give_up(self) -> None:
        """Breaks off what an engine that hangs has not answered: at its end, the interpreter waits for the
        threads that asked."""
        if self._looking is not None and self._looking.connected is not None:
            self._looking.connected.traffic.give_up(self._work.interrupt.error)

    def commands(self) -> Sequence[Command]:
        """The tasks that can be asked for."""
        return (*offered(self._work.declared()), *own(self._work.own_actions()))

    def run(self, wish: Wish, console: Console, on_cancellable: Callable[[Cancel], None], run: str) -> int:
        """Runs the task as the command line would, but in this thread."""
        if self.task_prefix:
            console = PrefixingConsole(console, self.task_prefix, self._work.declared())
        kept = JournallingConsole(
            console, wish.task, {"service": wish.services}, run=run, origin=self._origin
        )
        with ExitStack() as ending:
            ending.callback(self._release_locks)
            shown = console if wish.reads else kept
            context = ending.enter_context(printing(shown.emit, self._work.context))
            work = self._work.twin(shown, context)
            kept.work = work
            work.consent = lambda loses: _check_consent(work, wish, loses)
            on_cancellable(lambda: work.interrupt.deliver(signal.SIGINT))
            ending.callback(lambda: work.connected.close() if work.connected else None)
            ending.enter_context(
                seen_to(work.interrupt, lambda: work.connected, _nothing, _nothing, ends_process=False)
            )
            code = self._run(work, wish)
            kept.end(code)
            return code

    def has(self, task: str) -> bool:
        """Whether there is a task of this full name."""
        return task in self._work.declared()

    def _release_locks(self) -> None:
        """Has locks removed that a task could not remove itself, as soon as an engine answers: this process
        lives on, so others would wait for it."""
        from invoke_devstack.running.locks import has_left_locks

        if has_left_locks():
            threading.Thread(target=self._until_released, name="locks", daemon=True).start()

    def _until_released(self) -> None:
        from invoke_devstack.running.locks import has_left_locks, remove_left_locks

        with _releasing:
            while has_left_locks():
                looking = self._work.twin(_Silent(self.secrets))
                with suppress(DevstackError):
                    remove_left_locks(looking.engine)
                if looking.connected is not None:
                    looking.connected.close()
                if has_left_locks():
                    time.sleep(_RETRY)

    def _call(self, work: Work, wish: Wish) -> None:
        if wish.task == CAPTURE:
            _capture(work, wish)
            return
        if wish.task.startswith(OWN):
            _call_own(self._work.own_actions()[wish.task.removeprefix(OWN)], work, wish.options)
            return
        declared, flags = call_of(wish, self._work.declared())
        if declared.name == "up" and "trace" not in flags:
            flags["trace"] = as_it_traces(work).is_on
        declared.run(work, **flags)

    def _run(self, work: Work, wish: Wish) -> int:
        unconfirmed: ConfirmationError | None = None
        try:
            with boundary(work.tell):
                try:
                    self._call(work, wish)
                except ConfirmationError as error:
                    unconfirmed = error
        except Exit as ended:
            return ended.code
        if unconfirmed is not None:
            raise unconfirmed
        return 0


def _nothing() -> None:
    """Nobody is there to be told."""


def _capture(work: Work, wish: Wish) -> None:
    """Answers with what a command in a container prints."""
    from invoke_devstack.running.inside.capture import capture

    (service,) = wish.services
    work.service(service)
    with work.session() as session:
        done = capture(session, service, wish.options["command"], timeout=wish.options["timeout"])
    data = {"exit_code": done.exit_code, "output": done.text, "left_out": done.left_out}
    work.answer(done.text, data)


def _call_own(action: OwnAction, work: Work, options: Mapping[str, Any]) -> None:
    call_action(action.label, lambda: action.function(work.context, **options))


def _check_consent(work: Work, wish: Wish, loses: str) -> None:
    """What is lost must have been named: the services, else the snapshot or the project."""
    name = wish.options.get("name", "") if wish.task == "snapshots.rm" else ""
    wanted = ", ".join(wish.services) or name or work.project
    if wish.confirmed.strip() != wanted:
        raise ConfirmationError(loses, wanted)

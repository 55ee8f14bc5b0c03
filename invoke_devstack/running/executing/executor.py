"""Executes a plan: starts whatever may run, in parallel. Decides nothing and prints nothing.

If an action fails, no other is started, waits end at once, and what must not be interrupted (a container
that is being created, started or stopped) is completed; then the error is raised. What was running before
keeps running.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from contextlib import nullcontext
from queue import Empty

from invoke_devstack.errors import DevstackError, Interrupted, PlanShown, blocked
from invoke_devstack.events import ActionFailed, ActionFinished, ActionStarted, Document, Notice, PlanMade
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    BuildImage,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    Plan,
    PullImage,
    PushImage,
    RemoveContainer,
    RenameContainer,
    RunCommand,
    RunHook,
    StartContainer,
    StopContainer,
)
from invoke_devstack.planning.schedule import Schedule
from invoke_devstack.running.executing import actions, due_marks, stopping
from invoke_devstack.running.executing.replaced_files import name_replaced_file
from invoke_devstack.running.executing.unset_variables import name_unset_variables
from invoke_devstack.running.execution import (
    Cancelled,
    Ended,
    Execution,
    Message,
    Reached,
    Signalled,
    Skipped,
)
from invoke_devstack.running.session import Session
from invoke_devstack.running.workers import Workers

_SLOW = 5.0
_PATIENT = 0.5
"""Seconds after which a stop only waits for its container's process and no longer keeps the engine busy."""
_SHORT = (CreateNetwork, CreateVolume, CreateContainer, RenameContainer, StartContainer, RemoveContainer)
"""What an engine does within a second, unless it hangs."""
_LATE = 0.3
"""Seconds for which a wait that is over may look for its reason. An engine that hangs gives none."""
_LONG, _LONG_AGAIN = 15.0, 60.0
"""Seconds after which a hook that still runs is told, and between two times: nothing limits it."""
_CANCELLABLE = (AwaitReady, PullImage, PushImage, BuildImage, RunHook)


def announce_and_execute(session: Session, plan: Plan, *, through_interrupt: bool = False) -> Execution:
    announce(session, plan)
    return execute(plan, session, through_interrupt=through_interrupt)


def announce(session: Session, plan: Plan) -> None:
    """Emits PlanMade: what is about to be done, and to which services. A dry run prints the plan and ends
    here, by PlanShown."""
    _require_complete(session)
    if session.dry:
        session.emit(plan_as_answer(plan))
        raise PlanShown
    services = tuple(dict.fromkeys(action.service for action in plan if action.service))
    several = _several(session, plan)
    session.emit(PlanMade(project=session.project, services=services, lines=plan.lines(), several=several))


def _several(session: Session, plan: Plan) -> tuple[str, ...]:
    """The services that are named with the numbers of their containers."""
    acts = (AwaitReady, StopContainer)
    meant = {(action.service, action.target) for action in plan if isinstance(action, acts)}
    counts = Counter(service for service, _ in meant)
    defined = (name for name, service in session.definition.services.items() if service.scale_count() > 1)
    return tuple(sorted({*defined, *(service for service, count in counts.items() if count > 1)}))


def _require_complete(session: Session) -> None:
    """Raises what is missing in the definition, whose values are empty then: nothing is made from those."""
    if session.definition.missing:
        raise blocked(session.definition.missing)


def plan_as_answer(plan: Plan) -> Document:
    """The lines of a plan, as an answer on stdout."""
    lines = plan.lines()
    return Document(text="\n".join(lines) or "nothing to do", data=list(lines))


def execute(plan: Plan, session: Session, *, through_interrupt: bool = False) -> Execution:
    """Does everything in `plan`. Raises the first error, or Interrupted.

    With `through_interrupt` (in a shutdown) the plan goes on after a first signal, and a second one kills
    what still runs; Interrupted is raised when all is done.
    """
    _require_complete(session)
    execution = Execution(session, plan)
    if any(isinstance(action, AwaitReady) for action in plan):
        execution.events.open()
    try:
        due_marks.remember(execution)
        _Executor(execution, through_interrupt).run()
        due_marks.forget(execution, *plan.obsolete)
        session.interrupt.check(is_done=through_interrupt)
        if execution.risen:
            from invoke_devstack.running.readiness.crash_check import check_crashes

            check_crashes(execution)
    finally:
        execution.events.close()
    return execution


class _Executor:
    """The scheduler: runs in the calling thread, actions in threads of their own."""

    def __init__(self, execution: Execution, through_interrupt: bool) -> None:
        self._execution = execution
        self._messages = execution.messages
        self._session = execution.session
        self._through_interrupt = through_interrupt
        self._schedule = Schedule(execution.plan)
        self._free = deque(self._schedule.first)
        self._running: dict[str, Action] = {}
        self._began: dict[str, float] = {}  # when, by the action's id
        self._limits: dict[str, float] = {}  # until when, of waits that are running
        self._long: dict[str, float] = {}  # when to tell that a hook still runs
        self._workers = Workers()
        self._failure: BaseException | None = None
        self._said_slow = False

    def run(self) -> None:
        try:
            with (
                self._session.interrupt.graceful() if self._through_interrupt else nullcontext(),
                self._session.interrupt.calling(lambda: self._messages.put(Signalled())),
            ):
                self._loop()
        finally:
            self._workers.close()
        if self._failure is not None:
            raise self._failure

    def _loop(self) -> None:
        self._begin_free()
        while any(self._must_be_awaited(action) for action in self._running.values()):
            match self._next_message():
                case Signalled():
                    self._on_signal()
                case Reached(end=end):
                    self._happened(end)
                case Ended(action=action, error=error):
                    self._on_end(action, error)
            self._begin_free()

    def _next_message(self) -> Message:
        """Waits for it. Says once that the engine does not answer, when a short action takes long."""
        quiet_since = time.monotonic()
        while True:
            try:
                return self._messages.get(timeout=self._patience())
            except Empty:
                if late := self._late_wait():
                    return self._give_up(late)
                self._begin_free()
                self._tell_long_hooks()
                if time.monotonic() - quiet_since >= _SLOW:
                    self._warn_if_slow()

    def _patience(self) -> float | None:
        limits = [limit - time.monotonic() for limit in self._limits.values()]
        limits += [moment - time.monotonic() for moment in self._long.values()]
        if self._free:
            limits.append(_PATIENT / 2)  # until a stop makes room
        if not self._said_slow:
            limits.append(_SLOW)
        return max(min(limits), 0.0) if limits else None

    def _late_wait(self) -> AwaitReady | None:
        """A wait that is over, but does not end: its thread is held up by the engine."""
        now = time.monotonic()
        waits = (item for item in self._running.values() if isinstance(item, AwaitReady))
        return next((item for item in waits if self._limits[item.id] <= now), None)

    def _warn_if_slow(self) -> None:
        slow = [action for action in self._running.values() if isinstance(action, _SHORT)]
        if slow and not self._said_slow:
            self._said_slow = True
            text = f"The engine has not answered for {_SLOW:g} s (`{slow[0].id}`); still waiting."
            self._session.emit(Notice(text=text, level="warning"))

    def _tell_long_hooks(self) -> None:
        now = time.monotonic()
        for name in [name for name, moment in self._long.items() if moment <= now]:
            action, self._long[name] = self._running[name], now + _LONG_AGAIN
            what = f"`{action.target}`"
            if isinstance(action, RunHook):
                what = f"the hook {what} ({self._session.hooks.functions(action.target)})"
            text = (
                f"{what} has run for {now - self._began[name]:.0f} s, which `--wait-timeout` does not limit;"
                " interrupt the command to end it (Ctrl-C)"
            )
            self._session.emit(Notice(text=text, level="warning", service=action.service))

    def _give_up(self, late: AwaitReady) -> Ended:
        from invoke_devstack.running.readiness.waiting import too_late

        error = too_late(late, self._session)
        self._report_failure(late, time.monotonic() - self._began[late.id], error)
        return Ended(late, actions.unless_optional(late, error, self._execution))

    def _must_be_awaited(self, action: Action) -> bool:
        return self._failure is None or not isinstance(action, _CANCELLABLE)

    def _begin_free(self) -> None:
        if self._failure is not None:
            return
        for _ in range(len(self._free)):
            action = self._free.popleft()
            if isinstance(action, AwaitReady) or self._busy() < self._session.settings.parallel:
                self._begin(action)
            else:
                self._free.append(action)

    def _busy(self) -> int:
        return sum(self._keeps_engine_busy(action) for action in self._running.values())

    def _keeps_engine_busy(self, action: Action) -> bool:
        if isinstance(action, StopContainer):
            return time.monotonic() - self._began[action.id] < _PATIENT
        return not isinstance(action, AwaitReady)

    def _begin(self, action: Action) -> None:
        self._running[action.id] = action
        self._began[action.id] = time.monotonic()
        if isinstance(action, AwaitReady):
            self._limits[action.id] = self._began[action.id] + action.timeout + _LATE
        elif isinstance(action, RunHook | RunCommand):
            self._long[action.id] = self._began[action.id] + _LONG
        self._explain(action)
        self._session.emit(
            ActionStarted(
                action=action.kind,
                target=action.target,
                cause=self._why(action),
                cause_kind=action.cause.kind,
                service=action.service,
            )
        )
        self._workers.submit(lambda: self._messages.put(Ended(action, self._attempt(action))))

    def _why(self, action: Action) -> str:
        """The reason in words; of a hook also what is called, which the plan does not know."""
        if isinstance(action, RunHook):
            return f"{self._session.hooks.functions(action.target)}, {action.cause.text}"
        return action.cause.text

    def _explain(self, action: Action) -> None:
        if self._session.explain:
            from invoke_devstack.planning.explaining.docker_commands import docker_commands

            for step in docker_commands(action):
                self._session.emit(step)

    def _attempt(self, action: Action) -> BaseException | None:
        began = time.monotonic()
        try:
            text = actions.carry_out(action, self._execution) or ""
        except (Cancelled, Interrupted) as ended:
            return ended
        except BaseException as error:  # it must reach the command's own thread, whatever it is
            if isinstance(error, DevstackError):
                name_replaced_file(error, action, self._session.definition)
                name_unset_variables(error, action, self._session.definition)
            self._report_failure(action, time.monotonic() - began, error)
            return error
        self._session.emit(
            ActionFinished(
                action=action.kind,
                target=action.target,
                seconds=time.monotonic() - began,
                service=action.service,
                text=text,
                skipped=isinstance(text, Skipped),
            )
        )
        return None

    def _report_failure(self, action: Action, seconds: float, error: BaseException) -> None:
        message = error.message if isinstance(error, DevstackError) else f"{type(error).__name__}: {error}"
        self._session.emit(
            ActionFailed(
                action=action.kind,
                target=action.target,
                seconds=seconds,
                error=message,
                service=action.service,
            )
        )

    def _on_end(self, action: Action, error: BaseException | None) -> None:
        if self._running.pop(action.id, None) is None:
            return  # a wait that was given up, and ended after all
        self._limits.pop(action.id, None)
        self._long.pop(action.id, None)
        if error is None:
            self._happened(action.id)
            if isinstance(action, StopContainer):
                self._happened(action.end)
        elif not isinstance(error, Cancelled):
            self._fail(error)

    def _happened(self, node: str) -> None:
        self._free.extend(self._schedule.happened(node))

    def _on_signal(self) -> None:
        interrupt = self._session.interrupt
        if not self._through_interrupt or self._only_hooks_run():
            self._fail(interrupt.error())
        if self._stops_something() and not interrupt.forced.is_set():
            stopping.warn_about_interrupt(self._execution)

    def _only_hooks_run(self) -> bool:
        return all(isinstance(action, RunHook) for action in self._running.values())

    def _stops_something(self) -> bool:
        running = self._running.values()
        return self._failure is None or any(isinstance(action, StopContainer) for action in running)

    def _fail(self, error: BaseException) -> None:
        # An interrupt explains every failure that follows from it.
        if self._failure is None or isinstance(error, Interrupted):
            self._failure = error
        self._execution.cancel()

"""Carries a plan out: whatever is free to run, at once. Decides nothing and prints nothing.

When an action fails, nothing new is begun, waits end at once, and what must not be torn in the
middle (a container that is being made, started or stopped) is let end; then the error is raised.
What was running before keeps running.
"""

from __future__ import annotations

import time
from collections import deque
from queue import Empty, SimpleQueue

from invoke_devstack.errors import DevstackError, Interrupted
from invoke_devstack.events import ActionFailed, ActionFinished, ActionStarted, Notice, PlanMade
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
    RunHook,
    StartContainer,
    StopContainer,
)
from invoke_devstack.records import record
from invoke_devstack.running import actions, stopping
from invoke_devstack.running.execution import Cancelled, Execution
from invoke_devstack.running.session import Session
from invoke_devstack.running.workers import Workers

_SLOW = 5.0
_PATIENT = 0.5
"""Seconds after which a stop waits for its container's process, and keeps the engine busy no longer."""
_SHORT = (CreateNetwork, CreateVolume, CreateContainer, RenameContainer, StartContainer, RemoveContainer)
"""What an engine does within a second, unless it hangs."""


def carry_out(session: Session, plan: Plan, *, through_interrupt: bool = False) -> Execution:
    """Tells the plan, then executes it."""
    tell(session, plan)
    return execute(plan, session, through_interrupt=through_interrupt)


def tell(session: Session, plan: Plan) -> None:
    """Emits PlanMade: what is about to be done, and to which services."""
    services = tuple(dict.fromkeys(action.service for action in plan if action.service))
    session.emit(PlanMade(project=session.project, services=services, lines=plan.lines()))


def execute(plan: Plan, session: Session, *, through_interrupt: bool = False) -> Execution:
    """Does all that `plan` says. Raises the first error, or Interrupted.

    With `through_interrupt` (shutting down) a first signal lets the plan go on, and a second one
    kills what still runs; Interrupted is raised when all is done.
    """
    execution = Execution(session, changes(plan))
    if any(isinstance(action, AwaitReady) for action in plan):
        execution.feed.open()
    try:
        _Executor(plan, execution, through_interrupt).run()
    finally:
        execution.feed.close()
    session.interrupt.check()
    return execution


def changes(plan: Plan) -> frozenset[str]:
    """The services (and "" for what belongs to none) for which more than a wait is planned."""
    return frozenset(action.service for action in plan if not isinstance(action, AwaitReady))


@record
class _Outcome:
    """How an action ended; `action` None is a signal that arrived. With `moment` it has not ended yet: the
    process of the container that it stops has."""

    action: Action | None
    error: BaseException | None = None
    moment: str = ""


class _Executor:
    """The scheduler: runs in the calling thread, actions in threads of their own."""

    def __init__(self, plan: Plan, execution: Execution, through_interrupt: bool) -> None:
        self._plan = plan
        self._execution = execution
        self._session = execution.session
        self._through_interrupt = through_interrupt
        self._sorter = plan.schedule()
        execution.awaited_ends = plan.awaited_ends
        execution.tell_end = lambda stop: self._outcomes.put(_Outcome(stop, moment=stop.end))
        self._passed: set[str] = set()  # moments
        self._free: deque[Action] = deque()
        self._running: dict[str, Action] = {}
        self._began: dict[str, float] = {}  # when, by the action's id
        self._outcomes: SimpleQueue[_Outcome] = SimpleQueue()
        self._workers = Workers()
        self._failure: BaseException | None = None
        self._told_slow = False

    def run(self) -> None:
        self._sorter.prepare()
        try:
            with self._session.interrupt.calling(lambda: self._outcomes.put(_Outcome(None))):
                self._loop()
        finally:
            self._workers.close()
        if self._failure is not None:
            raise self._failure

    def _loop(self) -> None:
        self._begin_free()
        while any(self._must_be_awaited(action) for action in self._running.values()):
            outcome = self._next_outcome()
            if outcome.action is None:
                self._on_signal()
            elif outcome.moment:
                self._pass(outcome.moment)
            else:
                self._on_end(outcome.action, outcome.error)
            self._begin_free()

    def _next_outcome(self) -> _Outcome:
        """Waits for it, and says once that the engine does not answer when a short action takes long."""
        quiet_since = time.monotonic()
        while True:
            try:
                return self._outcomes.get(timeout=self._patience())
            except Empty:
                self._begin_free()
                if time.monotonic() - quiet_since >= _SLOW:
                    self._tell_slow()

    def _patience(self) -> float | None:
        if self._free:
            return _PATIENT / 2  # until a stop makes room
        return None if self._told_slow else _SLOW

    def _tell_slow(self) -> None:
        slow = [action for action in self._running.values() if isinstance(action, _SHORT)]
        if slow and not self._told_slow:
            self._told_slow = True
            text = f"The engine has not answered for {_SLOW:g} s (`{slow[0].id}`); still waiting for it."
            self._session.emit(Notice(text=text, level="warning"))

    def _must_be_awaited(self, action: Action) -> bool:
        """Once it has failed, only what would be left in the middle."""
        return self._failure is None or not _can_be_given_up(action)

    def _begin_free(self) -> None:
        if self._failure is not None:
            return
        ready = self._sorter.get_ready()
        self._free.extend(self._plan[item] for item in ready if item in self._plan)  # the others are moments
        for _ in range(len(self._free)):
            action = self._free.popleft()
            if _only_waits(action) or self._busy() < self._session.settings.parallel:
                self._begin(action)
            else:
                self._free.append(action)

    def _busy(self) -> int:
        return sum(self._keeps_engine_busy(action) for action in self._running.values())

    def _keeps_engine_busy(self, action: Action) -> bool:
        if isinstance(action, StopContainer):
            return time.monotonic() - self._began[action.id] < _PATIENT
        return not _only_waits(action)

    def _begin(self, action: Action) -> None:
        self._running[action.id] = action
        self._began[action.id] = time.monotonic()
        self._explain(action)
        self._session.emit(
            ActionStarted(
                action=action.kind, target=action.target, cause=action.cause, service=action.service
            )
        )
        self._workers.submit(lambda: self._outcomes.put(_Outcome(action, self._attempt(action))))

    def _explain(self, action: Action) -> None:
        if self._session.explain:
            from invoke_devstack.planning.explain import explain

            for step in explain(action):
                self._session.emit(step)

    def _attempt(self, action: Action) -> BaseException | None:
        began = time.monotonic()
        try:
            text = actions.carry_out(action, self._execution)
        except Cancelled as cancelled:
            return cancelled
        except BaseException as error:  # it must reach the command's own thread, whatever it is
            self._tell_failed(action, time.monotonic() - began, error)
            return error
        self._session.emit(
            ActionFinished(
                action=action.kind,
                target=action.target,
                seconds=time.monotonic() - began,
                service=action.service,
                text=text,
            )
        )
        return None

    def _tell_failed(self, action: Action, seconds: float, error: BaseException) -> None:
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
        del self._running[action.id]
        if error is None:
            self._sorter.done(action.id)
            if isinstance(action, StopContainer) and action.id in self._execution.awaited_ends:
                self._pass(action.end)
        elif not isinstance(error, Cancelled):
            self._give_up(error)

    def _pass(self, moment: str) -> None:
        """What waits for `moment` may begin. It is told by itself, and once more when its action ends."""
        if moment not in self._passed:
            self._passed.add(moment)
            self._sorter.done(moment)

    def _on_signal(self) -> None:
        interrupt = self._session.interrupt
        if not self._through_interrupt:
            self._give_up(interrupt.error())
        elif not interrupt.forced.is_set():
            stopping.warn_about_interrupt(self._execution)

    def _give_up(self, error: BaseException) -> None:
        # The user's wish explains every failure that follows from it.
        if self._failure is None or isinstance(error, Interrupted):
            self._failure = error
        self._execution.cancel()


def _only_waits(action: Action) -> bool:
    return isinstance(action, AwaitReady)


def _can_be_given_up(action: Action) -> bool:
    return isinstance(action, AwaitReady | PullImage | PushImage | BuildImage | RunHook)

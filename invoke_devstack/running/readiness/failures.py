"""The newest failure of a stack: of what commands met, and of what its containers say now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, Interrupted, ServiceError, UsageError
from invoke_devstack.planning.observed import ENDED, seconds_of
from invoke_devstack.records import record
from invoke_devstack.running.journal import Written
from invoke_devstack.running.readiness import ready_now
from invoke_devstack.running.readiness.ready_now import Readiness

_FAILURES = ("error", "watch.failed")
_ASKED_TO_END = (130, 143)  # exit codes of a program that a person or the engine asked to end
_CLOCK = 2.0  # seconds by which the clock of the engine may be off, and its answer late
_LAST_SIGNAL = 128
NEXT = {
    "service": "logs",
    "definition": "config",
    "build": "build",
    "base-image": "build",
    "hook": "up",
    "blocked": "up",
    "port-taken": "stacks",
}
"""Reason -> the task that shows more, or tries again. For any other, `doctor` examines the machine."""
_TAKE_SERVICE = ("logs", "build", "up")
_WORDS = {"logs": ("--tail", "100"), "up": ("--detach",)}


@record
class Failure:
    """`at`: seconds since the epoch. `command`: what met it, "" if a container failed by itself. `over`: the
    same has succeeded since."""

    cause: str
    at: float
    service: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()
    hint: str = ""
    command: str = ""
    over: bool = False

    @property
    def moment(self) -> str:
        """`at` as RFC 3339."""
        return datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def next(self) -> tuple[str, ...]:
        """The task that shows more or tries again, with its words."""
        task = NEXT.get(self.reason, "logs" if self.service else "doctor")
        service = ("-s", self.service) if self.service and task in _TAKE_SERVICE else ()
        return (task, *service, *_WORDS.get(task, ()))


def newest(
    runs: Sequence[Written], services: Sequence[str], look: Callable[[], Failure | None]
) -> Failure | None:
    """The newest failure of `services` (all if none is named) in `runs`, newest first, and in what `look`
    finds."""
    kept, now = newest_kept(runs, services), _seen(look)
    if kept is None or now is None:
        return now or kept
    if kept.service == now.service and not kept.over:
        now = replace(now, command=kept.command)
    return now if kept.over or now.at > kept.at else kept


def _seen(look: Callable[[], Failure | None]) -> Failure | None:
    """What cannot be looked at is what fails now."""
    try:
        return look()
    except (UsageError, Interrupted):
        raise
    except DevstackError as error:
        where = (str(error.position),) if error.position else ()
        evidence = (*where, *error.details)
        return Failure(error.message, time.time(), "", error.reason, evidence, error.hint)


def newest_kept(runs: Sequence[Written], services: Sequence[str] = ()) -> Failure | None:
    """The newest failure that a command met. Wrong use and Ctrl-C are none."""
    for place, run in enumerate(runs):
        for failure in _failures(run):
            if not services or failure.service in services:
                return replace(failure, over=any(_mends(later, run, failure) for later in runs[:place]))
    return None


def _failures(run: Written) -> Iterator[Failure]:
    """The failures of a run, newest first."""
    for place, (at, event) in reversed([*enumerate(run.events)]):
        wrong_use, exit_code = event.get("reason") == "usage", event.get("exit_code", 1)
        if event["type"] in _FAILURES and not wrong_use and exit_code <= _LAST_SIGNAL:
            yield Failure(
                event["error"],
                run.head.began + at,
                event.get("service") or _service_before(run, place),
                event.get("reason", ""),
                tuple(filter(None, (event.get("position", ""), *event.get("details", ())))),
                event.get("hint", ""),
                run.head.command,
            )


def _service_before(run: Written, place: int) -> str:
    """The service whose action failed before the run did."""
    events = [event for _, event in run.events[:place]]
    return next((event["service"] for event in reversed(events) if event["type"] == "action.failed"), "")


def _mends(later: Written, run: Written, failure: Failure) -> bool:
    """Whether a later run shows that the failure is over."""
    if later.head.task != run.head.task or later.exit_code != 0:
        return False
    if run.head.task == "watch":
        return any(event.get("service") == failure.service for _, event in later.events)
    return not later.head.services or failure.service in later.head.services


def newest_now(engine: Engine, found: Sequence[Readiness], runs: Sequence[Written]) -> Failure | None:
    """The newest failure that the containers show, unless somebody stopped them."""
    failed = (_now(engine, item, runs) for item in found if item.ended and not item.ready)
    return max(filter(None, failed), key=lambda item: item.at, default=None)


def _now(engine: Engine, found: Readiness, runs: Sequence[Written]) -> Failure | None:
    container = found.ended
    assert container is not None
    at = time.time()
    if container.state in ENDED:
        state: dict[str, Any] = engine.inspect_container(container.id).get("State") or {}
        at = seconds_of(state.get("FinishedAt", ""))
        if container.exit_code in _ASKED_TO_END or _was_stopped(container.name, at, runs):
            return None
    return _of(ready_now.failure(engine, found), at)


def _of(error: ServiceError, at: float) -> Failure:
    return Failure(error.message, at, error.service, error.reason, error.details, error.hint)


def _was_stopped(container: str, ended: float, runs: Sequence[Written]) -> bool:
    """Whether a command stopped the container when it ended."""
    return any(
        event["type"] == "service.stopped"
        and event["container"] == container
        and run.head.began + at > ended - _CLOCK
        for run in runs
        for at, event in run.events
    )

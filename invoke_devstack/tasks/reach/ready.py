"""`invoke is-ready`, for scripts."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import seconds
from invoke_devstack.tasks.hosts import as_it_runs

if TYPE_CHECKING:
    from invoke_devstack.running.readiness.ready_now import Readiness
    from invoke_devstack.tasks.work import Work

_PAUSE = 0.1  # seconds between two looks
_LEAST = 0.2  # seconds for a healthcheck that is asked at the last moment
_LATE = _LEAST + 0.25  # seconds for an answer that takes as long as it may


@task(
    "is-ready",
    json="answer",
    shorts={"wait": "w"},
    flags={
        "wait": "Wait until all are ready, at most as long as `up` would; not for what has exited.",
        "timeout": "Seconds to wait, instead of `devstack.wait_timeout`.",
    },
)
def is_ready(work: Work, service: tuple[str, ...] = (), wait: bool = False, timeout: str = "") -> None:
    """Exit with 0 if all services are ready, else 1."""
    from invoke_devstack.errors import CommandExited
    from invoke_devstack.running.readiness.ready_now import failure

    limit = seconds("timeout", timeout)
    limit = work.settings.wait_timeout if limit is None else limit
    deadline = time.monotonic() + limit
    while True:
        found = _readiness_by(work, service, deadline, limit)
        ready = all(item.ready for item in found)
        ended = next((item for item in found if item.ended), None)
        if ready or ended or not wait or time.monotonic() >= deadline:
            break
        work.interrupt.pause(_PAUSE)
    rows = [
        {"service": item.service, "state": item.state, "ready": item.ready, "why": item.why} for item in found
    ]
    columns = ("service", "state", "ready", *(("why",) if any(item.why for item in found) else ()))
    work.table("readiness", columns, rows, "the stack has no services")
    if wait and ended:
        raise failure(work.engine, ended)
    if not ready:
        raise CommandExited(1)


def readiness_within(work: Work, names: tuple[str, ...], limit: float) -> list[Readiness]:
    """How ready the services are now (all if none is named). Raises DevstackError after `limit` seconds."""
    return _readiness_by(work, names, time.monotonic() + limit, limit)


def _readiness_by(work: Work, names: tuple[str, ...], deadline: float, limit: float) -> list[Readiness]:
    from invoke_devstack.engine.transport.cancelling import within
    from invoke_devstack.errors import DevstackError

    left = max(deadline - time.monotonic(), 0.0)
    try:
        return within(left + _LATE, lambda: _readiness(work, names, deadline))
    except TimeoutError:
        raise DevstackError(
            f"the engine has not answered within {limit:g} s", hint="Check it: `invoke doctor`."
        ) from None


def _readiness(work: Work, names: tuple[str, ...], deadline: float) -> list[Readiness]:
    """All services are asked at once: of those that hang, each would take all the time that is left."""
    from invoke_devstack.running.observing import observe
    from invoke_devstack.running.readiness.ready_now import service_ready
    from invoke_devstack.running.workers import at_once

    wanted = work.services(names)
    definition = as_it_runs(work)
    observed = observe(definition, work.engine, inspect=True)  # the list may be out of date
    patience = max(deadline - time.monotonic(), _LEAST)
    ask = partial(service_ready, work.engine, definition, observed=observed, patience=patience)
    services = wanted or tuple(definition.services)
    return at_once([partial(ask, name, guess=work.settings.guess) for name in services])

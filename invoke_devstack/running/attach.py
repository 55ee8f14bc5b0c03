"""An attached `up`: the stack, its logs and the watch, until Ctrl-C stops it gracefully.

As with Compose, containers are stopped and not removed, and what comes first counts: a signal during
the start stops what this command brought up so far.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from invoke_devstack.errors import DevstackError, Interrupted, UsageError
from invoke_devstack.events import Notice, WatchFailed
from invoke_devstack.running import lifecycle, up
from invoke_devstack.running.log_follow import Follower, Mark
from invoke_devstack.running.log_sources import sources
from invoke_devstack.running.logs import Output
from invoke_devstack.running.options import LogOptions, UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch import Watcher, WatchOptions

_LAST_LINES = 1.0  # seconds for what the services say while they end to arrive


def run_attached(session: Session, options: UpOptions, watch: WatchOptions | None = None) -> None:
    """Brings the stack up, then shows its logs and watches its files.

    Returns when all services have ended by themselves. Raises Interrupted after a signal, once the
    services are stopped; what `bring_up` raises.
    """
    began = time.time()
    known = {source.id for source in sources(session.engine, session.project, ())}
    try:
        services = up.bring_up(session, options).services
    except Interrupted:
        _stop(session, up.chosen(session, options))
        raise
    follower = Follower(session, _shown(session, services), Output(session, LogOptions()).stamped)
    watcher = Watcher(session, watch or WatchOptions(services=options.services))
    threads = (
        threading.Thread(target=_follow, args=(session, follower, known, began), name="logs", daemon=True),
        threading.Thread(target=_watch, args=(session, watcher), name="watch", daemon=True),
    )
    for thread in threads:
        thread.start()
    _stay(session, follower)
    watcher.stop()
    if session.interrupt.requested.is_set():
        _stop(session, services)
        follower.finish()
        threads[0].join(_LAST_LINES)
        raise session.interrupt.error()
    session.emit(Notice(text="All services have ended."))


def _shown(session: Session, services: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that the files say to leave out (`attach: false`)."""
    known = {**session.definition.disabled_services, **session.definition.services}
    return tuple(name for name in services if known[name].attach is not False)


def _stay(session: Session, follower: Follower) -> None:
    """Returns at a signal, or when there is nothing more to follow."""
    over = threading.Event()
    follower.on_end(over.set)
    with session.interrupt.calling(over.set):
        over.wait()


def _follow(session: Session, follower: Follower, known: set[str], began: float) -> None:
    """Containers that were there before are shown from the beginning of this command on."""
    marks = {container_id: Mark(since=f"{began:.9f}") for container_id in known}
    try:
        follower.run(marks, until_all_end=True)
    except DevstackError as error:
        session.emit(Notice(text=f"no more logs: {error.message}", level="warning"))
        follower.stop()


def _watch(session: Session, watcher: Watcher) -> None:
    try:
        watcher.run()
    except (Interrupted, UsageError):  # there may be nothing to watch
        return
    except DevstackError as error:
        session.emit(WatchFailed(service="", error=error.message, hint=error.hint, details=error.details))


def _stop(session: Session, services: tuple[str, ...]) -> None:
    """Stops those of the services that have containers."""
    present = {source.service for source in sources(session.engine, session.project, services)}
    if present:
        with suppress(Interrupted):
            lifecycle.stop(session, tuple(name for name in services if name in present))

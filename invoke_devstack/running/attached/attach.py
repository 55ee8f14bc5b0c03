"""An attached `up`: the stack, its logs and the watch, until Ctrl-C stops it gracefully.

As with Compose, containers are stopped, not removed. A signal during the start stops what is up so far.
Somebody at a terminal has a view (`view.py`) whose keys end it too, and is told that all is up once the
logs of the start are there: the addresses stand below them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from invoke_devstack.errors import DevstackError, Interrupted, ServiceError, UsageError
from invoke_devstack.events import Notice, WatchFailed
from invoke_devstack.running.attached.noise import Noise
from invoke_devstack.running.attached.overview import Overview
from invoke_devstack.running.attached.view import View
from invoke_devstack.running.logs.follow import Follower
from invoke_devstack.running.logs.position import Position
from invoke_devstack.running.logs.show import Output
from invoke_devstack.running.logs.sources import sources
from invoke_devstack.running.options import LogOptions, UpOptions
from invoke_devstack.running.ports import tunnel
from invoke_devstack.running.readiness import diagnosis
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import lifecycle, up
from invoke_devstack.running.watch import Watcher, WatchOptions

LAST_LINES = 1.0  # seconds for the last lines of the stopped services to arrive
_RUNS_ON = (
    "Detached; the stack runs on, and its files are no longer watched. "
    "Back to it: `invoke up`; stop it: `invoke stop`."
)


def run_attached(
    session: Session,
    options: UpOptions,
    watch: WatchOptions | None = None,
    *,
    logs: LogOptions | None = None,
    unseen: tuple[str, ...] = (),
    view: View | None = None,
) -> None:
    """Brings the stack up, then shows its logs, as `logs` says and without those of `unseen` services, and
    watches its files.

    Returns when all services have exited, or when a key of `view` said so. Raises Interrupted after a signal,
    once the services are stopped, ServiceError if all have exited and one failed, and what `bring_up` raises.
    """
    began = time.time()
    known = {source.id for source in sources(session.engine, session.project, ())}
    try:
        result = (up.bring_up if view is None else up.bring_up_untold)(session, options)
    except Interrupted:
        raise session.interrupt.error(
            is_done=stop_services(session, up.chosen(session, options), options.timeout)
        ) from None
    session.stopping.clear()  # what was stopped to be replaced has ended; its name is the new container's
    services = result.services
    noise = Noise(Output(session, logs or LogOptions()).stamped)
    follower = Follower(session, shown_services(session, services, unseen), noise.stamped)
    watcher = Watcher(session, watch or WatchOptions(services=options.services))
    over = threading.Event()
    reading = threading.Thread(
        target=follow_logs, args=(session, follower, known, began, over), name="logs", daemon=True
    )
    with _seen(session, view, services, over):
        reading.start()
        if view is not None:
            noise.wait_until_quiet(over)
            up.tell_finished(session, result)
        threading.Thread(target=_watch, args=(session, watcher), name="watch", daemon=True).start()
        with session.interrupt.graceful(), session.interrupt.calling(over.set):
            over.wait()
        watcher.stop()
    wish = view.wish if view is not None else ""
    if session.interrupt.requested.is_set() or wish == "stop":
        is_done = stop_services(session, services, options.timeout)
        follower.finish()
        reading.join(LAST_LINES)
        if session.interrupt.requested.is_set():
            raise session.interrupt.error(is_done=is_done)
    elif wish == "detach":
        follower.stop()
        session.emit(Notice(text=_RUNS_ON))
    else:
        _report_end(session, follower.endings.failed)


@contextmanager
def _seen(
    session: Session, view: View | None, services: tuple[str, ...], over: threading.Event
) -> Iterator[None]:
    """While entered, the view shows how the services are."""
    if view is None:
        yield
        return
    overview = Overview(session, services, view.show)
    view.begin(session.project, over.set)
    try:
        with overview.shown():
            yield
    finally:
        view.end()


def _report_end(session: Session, failed: dict[str, int]) -> None:
    """All services have exited. Raises ServiceError if one of them failed."""
    if not failed:
        session.emit(Notice(text="All services have exited."))
        return
    first = min(failed)
    codes = ", ".join(f"{name} with code {code}" for name, code in sorted(failed.items()))
    raise ServiceError(f"all services have exited: {codes}", service=first, hint=diagnosis.see_logs(first))


def shown_services(
    session: Session, services: tuple[str, ...], unseen: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The services whose logs are shown: without those that have `attach: false`, and `unseen` ones."""
    known = session.definition.all_services
    return tuple(name for name in services if known[name].attach is not False and name not in unseen)


def follow_logs(
    session: Session, follower: Follower, known: set[str], began: float, over: threading.Event
) -> None:
    """Shows containers that existed before only from the start of this command on. Sets `over` at the end."""
    positions = {container_id: Position(since=f"{began:.9f}") for container_id in known}
    try:
        follower.run(positions, until_all_end=True)
    except Interrupted:
        return  # the command says itself that it ends
    except DevstackError as error:
        session.emit(Notice(text=f"no more logs: {error.message}", level="warning"))
    finally:
        over.set()


def _watch(session: Session, watcher: Watcher) -> None:
    try:
        watcher.run()
    except (Interrupted, UsageError):  # UsageError: nothing to watch
        return
    except DevstackError as error:
        session.emit(WatchFailed(service="", error=error.message, hint=error.hint, details=error.details))


def stop_services(session: Session, services: tuple[str, ...], timeout: float | None = None) -> bool:
    """Stops the services that have containers. Returns whether it came to its end."""
    tunnel.close(session)
    with session.interrupt.graceful():
        try:
            present = {source.service for source in sources(session.engine, session.project, services)}
            if present:
                lifecycle.stop(session, tuple(name for name in services if name in present), timeout=timeout)
        except Interrupted as interrupted:
            return interrupted.is_done
    return True

"""An attached `up` that ends with the first container that exits, as a CI job runs its tests
(`--abort-on-container-exit`, `--abort-on-container-failure`, `--exit-code-from`).

Unlike Compose, a one-shot that others wait for (`service_completed_successfully`) ends nothing when it has
done its work. Files are not watched: a container that is replaced would be one that exits.
"""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue

from invoke_devstack.errors import DevstackError, Interrupted, NotFoundError, ServiceError
from invoke_devstack.events import Notice
from invoke_devstack.planning.verdicts.one_shots import is_awaited_to_end
from invoke_devstack.records import record
from invoke_devstack.running.attached.attach import LAST_LINES, follow_logs, shown_services, stop_services
from invoke_devstack.running.container_events import ContainerEvent, ContainerEvents
from invoke_devstack.running.logs.follow import Follower
from invoke_devstack.running.logs.show import Output
from invoke_devstack.running.logs.sources import sources
from invoke_devstack.running.options import LogOptions, UpOptions
from invoke_devstack.running.readiness import lives
from invoke_devstack.running.selection import find_containers
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import up


@record(kw_only=True)
class Ending:
    """When it ends by itself: once a container exits, or once one fails. Its exit code is that of the first
    container of `code_from` that exited, else of the container that ended it."""

    only_failures: bool = False
    code_from: str = ""


def run_until_exit(
    session: Session,
    options: UpOptions,
    ending: Ending,
    *,
    logs: LogOptions | None = None,
    unseen: tuple[str, ...] = (),
) -> int:
    """Brings the stack up, shows its logs, and stops it once a container exits. Returns the exit code.

    Raises Interrupted after a signal, once the services are stopped, and what `bring_up` raises if it failed
    for another reason than a container that exited.
    """
    exits = _Exits(session, ending)
    began = time.time()
    known = {source.id for source in sources(session.engine, session.project, ())}
    with exits:
        failure: ServiceError | None = None
        services = up.chosen(session, options)
        try:
            up.bring_up(session, options)
        except Interrupted:
            stopped = stop_services(session, services, options.timeout)
            raise session.interrupt.error(is_done=stopped) from None
        except ServiceError as error:
            failure = error
        follower = Follower(
            session,
            shown_services(session, services, unseen),
            Output(session, logs or LogOptions()).stamped,
        )

        def read() -> None:
            follow_logs(session, follower, known, began, threading.Event())
            exits.end()

        reading = threading.Thread(target=read, name="logs", daemon=True)
        reading.start()
        first = _exit_of(session, failure) if failure else exits.first(services)
        if first:
            text = f"{first.name} exited with code {first.exit_code}: stopping the others"
            session.emit(Notice(text=text, service=first.service))
        is_done = stop_services(session, services, options.timeout)
        follower.finish()
        reading.join(LAST_LINES)
        if session.interrupt.requested.is_set():
            raise session.interrupt.error(is_done=is_done)
        if failure and first is None:
            raise failure
        return _code_of(session, ending.code_from or (first.service if first else ""), exits, first)


class _Exits:
    """The containers of the project that have exited since it was entered, as the engine's events tell."""

    def __init__(self, session: Session, ending: Ending) -> None:
        self._session = session
        self._ending = ending
        self._events = ContainerEvents(session.engine, session.project)
        self._queue: SimpleQueue[ContainerEvent | None] = SimpleQueue()
        self.codes: dict[str, int] = {}
        """Service -> the exit code of its first container that exited."""

    def __enter__(self) -> None:
        self._listening = self._events.listening(self._on_event)
        self._listening.__enter__()
        self._events.open()
        self._events.wait_until_connected()

    def __exit__(self, *_: object) -> None:
        self._listening.__exit__(None, None, None)
        self._events.close()

    def _on_event(self, event: ContainerEvent) -> None:
        if event.action == "die" and event.service and event.name not in self._session.stopping:
            self._queue.put(event)

    def end(self) -> None:
        """Nothing will exit any more."""
        self._queue.put(None)

    def first(self, services: tuple[str, ...]) -> ContainerEvent | None:
        """The first exit that ends the command; None after a signal, and
        if all exited without one."""
        interrupt = self._session.interrupt
        with interrupt.graceful(), interrupt.calling(self.end):
            while (event := self._queue.get()) is not None:
                if event.service in services and self._counts(event):
                    return event
        return None

    def _counts(self, event: ContainerEvent) -> bool:
        if lives.is_restarted(_inspect(self._session, event), event.exit_code):
            return False
        self.codes.setdefault(event.service, event.exit_code)
        if event.exit_code:
            return True
        done = is_awaited_to_end(self._session.definition, event.service)
        return not (done or self._ending.only_failures)


def _inspect(session: Session, event: ContainerEvent) -> dict[str, object]:
    try:
        return dict(session.engine.inspect_container(event.container))
    except NotFoundError:
        return {}


def _exit_of(session: Session, failure: ServiceError) -> ContainerEvent | None:
    """The exit because of which the start failed; None if it failed for another reason."""
    for item in find_containers(session.engine, session.definition, failure.service):
        state = session.engine.inspect_container(item["Id"]).get("State") or {}
        if state.get("Status") == "exited":
            name = str(item["Names"][0]).lstrip("/")
            return ContainerEvent("die", item["Id"], name, failure.service, 0.0, int(state["ExitCode"]))
    return None


def _code_of(session: Session, service: str, exits: _Exits, first: ContainerEvent | None) -> int:
    if first and service == first.service:
        return first.exit_code
    if not service or service in exits.codes:
        return exits.codes.get(service, 0)
    for item in find_containers(session.engine, session.definition, service):
        state = session.engine.inspect_container(item["Id"]).get("State") or {}
        if state.get("Status") == "exited":
            return int(state["ExitCode"])
    raise DevstackError(
        f"`{service}` never ran, so it has no exit code",
        hint=f"Read the logs: `invoke logs{f' {first.service}' if first else ''}`.",
    )

"""What is done for one service, one thing after the other, in a thread of its own while there is work.

Syncs and rebuilds have a lane each: a save goes on arriving in the old container while the new one
is built, and what comes during a build becomes one next build.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from invoke_devstack.errors import DevstackError, NotFoundError
from invoke_devstack.events import Notice, Synced, WatchFailed
from invoke_devstack.planning.explain_commands import explain_sync
from invoke_devstack.planning.watching import Copy, Rule, ServiceTurn, relative, turn
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch.catchup import differences
from invoke_devstack.running.watch.commands import run_commands
from invoke_devstack.running.watch.parcel import Parcel, make_parcel
from invoke_devstack.running.watch.record import read_record, vanished, write_record
from invoke_devstack.running.watch.target import Delivery, DiskFullError, SyncError, Target, find_targets
from invoke_devstack.running.workers import Workers

_PATHS_IN_AN_EVENT = 20
_FILES_AT_ONCE = 2000
_DELETIONS_REMEMBERED = 5000


@dataclass(slots=True)
class _Pending:
    """What waits to be done. `since` is when the first change of it was noticed."""

    turn: ServiceTurn | None = None
    since: float = 0.0
    stale: bool = False  # containers came or went
    restarted: set[str] = field(default_factory=set)  # ids of containers whose state changed
    catch_up: set[str] = field(default_factory=set)  # ids; "" for all


class Serial:
    """Calls `work` in one thread at a time, again for as long as `nudge` was called meanwhile."""

    def __init__(self, workers: Workers, work: Callable[[], object]) -> None:
        self._workers = workers
        self._work = work
        self._lock = threading.Lock()
        self._again = False
        self._running = False
        self.idle = threading.Event()
        self.idle.set()

    def nudge(self) -> None:
        with self._lock:
            self._again = True
            if self._running:
                return
            self._running = True
            self.idle.clear()
        self._workers.submit(self._run)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._again:
                    self._running = False
                    self.idle.set()
                    return
                self._again = False
            self._work()


class ServiceLane:
    """The syncs and rebuilds of one service."""

    def __init__(self, session: Session, service: str, rules: tuple[Rule, ...], workers: Workers) -> None:
        self._session = session
        self._service = service
        self._syncing = tuple(rule for rule in rules if rule.service == service and rule.syncs)
        self._lock = threading.Lock()
        self._pending = _Pending(stale=True)
        self._targets: list[Target] = []
        self._deleted: dict[str, Copy] = {}  # host path -> the latest deletions, to be done again
        self._to_build: dict[str, None] = {}
        self._syncs = Serial(workers, lambda: self._attempt(self._do_pending))
        self._builds = Serial(workers, lambda: self._attempt(self._build))

    def submit(self, wanted: ServiceTurn, since: float) -> None:
        """Has a turn done after what is under way; turns that wait become one."""
        with self._lock:
            self._to_build |= dict.fromkeys(wanted.rebuild)
            held = self._pending.turn
            self._pending.turn = wanted if held is None else held.merged(wanted)
            self._pending.since = since if held is None else self._pending.since
        if wanted.rebuild:
            self._builds.nudge()
        self._syncs.nudge()

    def catch_up(self, container: str = "") -> None:
        """Has compared what a container (or each) has with what the host has, and brings what differs."""
        with self._lock:
            self._pending.stale = True
            self._pending.catch_up.add(container)
        self._syncs.nudge()

    def on_event(self, action: str, container: str) -> None:
        """An event of one of the service's containers."""
        with self._lock:
            known = next((target for target in self._targets if target.id == container), None)
            self._pending.stale |= action in ("create", "destroy", "rename") or known is None
            if known is not None:
                self._pending.restarted.add(container)
            if action == "start" and (known is None or known.memory or not known.caught_up):
                self._pending.catch_up.add(container)
        if action != "create":
            self._syncs.nudge()

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether all is done within `seconds`."""
        return self._syncs.idle.wait(seconds) and self._builds.idle.wait(seconds)

    def close(self) -> None:
        """Ends the helpers in the containers."""
        for target in self._targets:
            target.close()

    def _attempt(self, work: Callable[[], object]) -> bool:
        """Whether `work` went well; if not its failure is told, and the watch goes on."""
        try:
            work()
        except DevstackError as error:
            if not self._session.interrupt.requested.is_set():
                self._tell_failure(error.message, error.hint, error.details)
        except Exception as error:
            self._tell_failure(f"{type(error).__name__}: {error}")
        else:
            return True
        return False

    def _tell_failure(self, text: str, hint: str = "", details: tuple[str, ...] = ()) -> None:
        self._session.emit(WatchFailed(service=self._service, error=text, hint=hint, details=tuple(details)))

    def _do_pending(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, _Pending()
        if pending.stale:
            self._refresh_targets()
        for target in self._targets:
            if target.id in pending.restarted:
                self._attempt(partial(self._resume, target))
        if pending.turn is not None:
            self._attempt(partial(self._do, pending.turn, pending.since))
        for target in tuple(self._targets):
            if target.id in pending.catch_up or "" in pending.catch_up:
                self._catch_up(target)
                target.warm()

    def _refresh_targets(self) -> None:
        found = find_targets(self._session.engine, self._session.project, self._service, self._targets)
        with self._lock:
            self._targets = found

    def _resume(self, target: Target) -> None:
        try:
            target.refresh()
            began = time.monotonic()
            delivery = target.flush() if target.running else Delivery()
        except NotFoundError:
            return  # its removal has an event of its own
        self._tell_synced(delivery, (), began)
        target.warm()

    def _do(self, wanted: ServiceTurn, since: float) -> None:
        if not self._sync(wanted, since):
            return
        if wanted.restart:
            self._restart()
        run_commands(self._session, self._targets, wanted.commands)

    def _restart(self) -> None:
        from invoke_devstack.running.watch import replacing

        replacing.restart(self._session, self._service)
        self._refresh_targets()
        for target in self._targets:
            target.refresh()

    def _remember(self, deletions: Iterable[Copy]) -> None:
        for copy in deletions:
            self._deleted.pop(copy.host, None)
            self._deleted[copy.host] = copy
        while len(self._deleted) > _DELETIONS_REMEMBERED:
            del self._deleted[next(iter(self._deleted))]

    def _sync(self, wanted: ServiceTurn, since: float) -> bool:
        """Whether all that could be read arrived in all containers."""
        began = time.monotonic()
        try:
            deliveries = self._deliver(wanted)
        except NotFoundError:
            self._refresh_targets()
            deliveries = self._deliver(wanted)
        arrived = [delivery for delivery in deliveries if delivery is not None]
        most = max(arrived, key=lambda item: item.files + item.deleted + item.waiting, default=Delivery())
        self._explain(wanted)
        self._tell_synced(most, tuple(item.host for item in wanted.copies), since or began)
        self._remember(wanted.deletions)
        return len(arrived) == len(deliveries)

    def _deliver(self, wanted: ServiceTurn) -> list[Delivery | None]:
        """What each container got; None where it failed. Raises NotFoundError when one is gone."""
        totals: dict[str, Delivery | None] = {target.id: Delivery() for target in self._targets}
        for copies, deletions in _portions(wanted):
            parcel = make_parcel(copies, deletions)
            for path, reason in parcel.unreadable:
                hint = "Mend its permissions, and save it again."
                self._tell_failure(f"{path} cannot be read: {reason}", hint)
            for target in self._targets if parcel else ():
                total = totals[target.id]
                if total is not None:
                    totals[target.id] = self._deliver_to(target, parcel, total)
        return list(totals.values())

    def _deliver_to(self, target: Target, parcel: Parcel, total: Delivery) -> Delivery | None:
        try:
            return total + target.deliver(parcel)
        except SyncError as error:
            self._tell_failure(error.message, error.hint)
            if isinstance(error, DiskFullError):
                self._compare_next_time(target)
            return None

    def _compare_next_time(self, target: Target) -> None:
        with self._lock:
            self._pending.catch_up.add(target.id)

    def _explain(self, wanted: ServiceTurn) -> None:
        if not self._session.explain:
            return
        shown = wanted.copies[:_PATHS_IN_AN_EVENT], wanted.deletions[:_PATHS_IN_AN_EVENT]
        for target in self._targets:
            for step in explain_sync(target.name, *shown):
                self._session.emit(step)

    def _tell_synced(self, delivery: Delivery, paths: tuple[str, ...], since: float) -> None:
        if delivery.files or delivery.deleted:
            self._session.emit(
                Synced(
                    service=self._service,
                    files=delivery.files,
                    deleted=delivery.deleted,
                    seconds=time.monotonic() - since,
                    paths=self._named(paths[:_PATHS_IN_AN_EVENT]),
                )
            )
        if delivery.waiting:
            text = f"not running: {delivery.waiting} deletions wait until it is started"
            self._session.emit(Notice(text=text, service=self._service))

    def _catch_up(self, target: Target) -> None:
        began = time.monotonic()
        record = read_record(target)
        for rule in self._syncing:
            self._attempt(partial(self._catch_up_with, target, rule, record, began))
        self._attempt(partial(self._delete_again, began))
        self._attempt(partial(write_record, target, self._syncing, record))
        target.caught_up = True

    def _catch_up_with(self, target: Target, rule: Rule, record: bytes, since: float) -> None:
        try:
            changes = (*vanished(record, rule), *differences(target, rule))
        except NotFoundError:
            return  # the container went away again
        for wanted in turn(changes, (rule,)).values():
            self._do(wanted, since)

    def _delete_again(self, since: float) -> None:
        """What was deleted while an image was built is in the image still."""
        deletions = tuple(copy for copy in self._deleted.values() if not os.path.lexists(copy.host))
        if deletions:
            self._do(ServiceTurn(self._service, deletions=deletions), since)

    def _build(self) -> None:
        with self._lock:
            paths = tuple(self._to_build)
            self._to_build = {}
        if paths:
            from invoke_devstack.running.watch import replacing

            replacing.rebuild(self._session, self._service, self._named(paths))

    def _named(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The paths as people know them: from the project's directory where they are in it."""
        home = str(self._session.definition.working_dir)
        return tuple(relative(path, home) or path for path in paths)


def _portions(wanted: ServiceTurn) -> Iterator[tuple[tuple[Copy, ...], tuple[Copy, ...]]]:
    """(copies, deletions) in parts that fit into memory; deletions come first."""
    yield wanted.copies[:_FILES_AT_ONCE], wanted.deletions
    for start in range(_FILES_AT_ONCE, len(wanted.copies), _FILES_AT_ONCE):
        yield wanted.copies[start : start + _FILES_AT_ONCE], ()

"""Syncs files into all containers of one service."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

from invoke_devstack.errors import DevstackError, NotFoundError
from invoke_devstack.planning.watching.actions import (
    CompiledRule,
    ExecCommand,
    PathPair,
    ServiceActions,
    actions_for,
)
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch.delivery.catch_up import differences
from invoke_devstack.running.watch.delivery.reports import ServiceReports
from invoke_devstack.running.watch.delivery.sync_container import (
    Delivery,
    SyncContainer,
    find_sync_containers,
)
from invoke_devstack.running.watch.delivery.sync_errors import DiskFullError, SyncError
from invoke_devstack.running.watch.delivery.sync_state import deleted_since, read_sync_state, write_sync_state
from invoke_devstack.running.watch.delivery.upload import Upload, read_upload

_FILES_AT_ONCE = 2000
_MAX_DELETIONS = 5000


class ServiceSync:
    """Used by one thread at a time; `containers` may be read by others."""

    def __init__(
        self, session: Session, service: str, rules: tuple[CompiledRule, ...], reports: ServiceReports
    ) -> None:
        """`rules` are the service's sync rules."""
        self._session = session
        self._service = service
        self._rules = rules
        self._reports = reports
        self._deletions: dict[str, PathPair] = {}  # the latest, by host path
        self.containers: list[SyncContainer] = []

    def refresh_containers(self) -> None:
        """Finds the service's containers again."""
        self.containers = find_sync_containers(
            self._session.engine, self._session.project, self._service, self.containers
        )

    def close(self) -> None:
        """Ends the shells in the containers."""
        for container in self.containers:
            container.close()

    def resume(self, container: SyncContainer) -> None:
        """After a container was started or stopped: carries out the deletions that waited for it."""
        try:
            container.refresh()
            began = time.monotonic()
            delivery = container.flush() if container.running else Delivery()
        except NotFoundError:
            return  # its removal is another event
        self._reports.synced(delivery, (), began)
        container.open_shell()

    def carry_out(self, actions: ServiceActions, since: float) -> None:
        """Syncs, then restarts and runs commands if every container received everything. Raises what
        those raise."""
        if not self._sync(actions, since):
            return
        if actions.restart:
            from invoke_devstack.running.watch.replacement import restart

            restart(self._session, self._service)
            self.refresh_containers()
            for container in self.containers:
                container.refresh()
        run_commands(self._session, self.containers, actions.commands)

    def _sync(self, actions: ServiceActions, since: float) -> bool:
        """Whether every container received everything that could be read."""
        began = time.monotonic()
        try:
            deliveries = self._deliver(actions)
        except NotFoundError:
            self.refresh_containers()
            deliveries = self._deliver(actions)
        complete = [delivery for delivery in deliveries if delivery is not None]
        largest = max(complete, key=lambda item: item.total, default=Delivery())
        self._reports.explain(actions, (container.name for container in self.containers))
        paths = [item.host for item in (*actions.copies, *actions.deletions)]
        self._reports.synced(largest, paths, since or began)
        for pair in actions.deletions:
            self._deletions.pop(pair.host, None)
            self._deletions[pair.host] = pair
        while len(self._deletions) > _MAX_DELETIONS:
            del self._deletions[next(iter(self._deletions))]
        return len(complete) == len(deliveries)

    def _deliver(self, actions: ServiceActions) -> list[Delivery | None]:
        """What each container received; None where it failed. Raises NotFoundError if one is gone."""
        totals: dict[str, Delivery | None] = {container.id: Delivery() for container in self.containers}
        for copies, deletions in _portions(actions):
            upload = read_upload(copies, deletions)
            for path, reason in upload.unreadable:
                self._reports.failed(
                    f"cannot read {path}: {reason}", "Fix its permissions and save it again."
                )
            for container in self.containers if upload else ():
                total = totals[container.id]
                if total is not None:
                    totals[container.id] = self._deliver_to(container, upload, total)
        return list(totals.values())

    def _deliver_to(self, container: SyncContainer, upload: Upload, total: Delivery) -> Delivery | None:
        try:
            return total + container.deliver(upload)
        except SyncError as error:
            self._reports.failed(error.message, error.hint)
            container.incomplete |= isinstance(error, DiskFullError)
            return None

    def catch_up(self, container: SyncContainer) -> None:
        """Compares a container with the host and syncs what differs."""
        began = time.monotonic()
        container.incomplete = False
        state = read_sync_state(container)
        for rule in self._rules:
            self._reports.attempt(self._catch_up_with, container, rule, state, began)
        self._reports.attempt(self._delete_again, began)
        self._reports.attempt(write_sync_state, container, self._rules, state)
        container.caught_up = True
        container.open_shell()

    def _catch_up_with(
        self, container: SyncContainer, rule: CompiledRule, state: bytes, since: float
    ) -> None:
        try:
            changes = (*deleted_since(state, rule), *differences(container, rule))
        except NotFoundError:
            return  # the container is gone again
        for actions in actions_for(changes, (rule,)).values():
            self.carry_out(actions, since)

    def _delete_again(self, since: float) -> None:
        """A new image still contains what was deleted while it was built."""
        deletions = tuple(pair for pair in self._deletions.values() if not os.path.lexists(pair.host))
        if deletions:
            self.carry_out(ServiceActions(self._service, deletions=deletions), since)


def _portions(actions: ServiceActions) -> Iterator[tuple[tuple[PathPair, ...], tuple[PathPair, ...]]]:
    """(copies, deletions) in parts that fit into memory; deletions come first."""
    yield actions.copies[:_FILES_AT_ONCE], actions.deletions
    for start in range(_FILES_AT_ONCE, len(actions.copies), _FILES_AT_ONCE):
        yield actions.copies[start : start + _FILES_AT_ONCE], ()


_OUTPUT_LINES = 20


class ExecFailedError(DevstackError):
    """The command ended with a code other than 0."""


def run_commands(
    session: Session, containers: Iterable[SyncContainer], commands: Iterable[ExecCommand]
) -> None:
    """Runs each command in each running container. Raises ExecFailedError."""
    wanted = tuple(commands)
    for container in containers:
        for command in wanted if container.running else ():
            _run(session, container, command)


def _run(session: Session, container: SyncContainer, command: ExecCommand) -> None:
    result = session.engine.exec(
        container.id,
        command.command,
        user=command.user,
        working_dir=command.working_dir,
        environment=command.environment,
        privileged=command.privileged,
    )
    if result.exit_code:
        raise ExecFailedError(
            f"`{' '.join(command.command)}` in {container.name} exited with code {result.exit_code}",
            details=result.output.decode("utf-8", "replace").splitlines()[-_OUTPUT_LINES:],
        )

"""Keeps a service's data unchanged while it is copied: the containers that write it are stopped gracefully,
and those that depend on them are paused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from invoke_devstack.errors import DevstackError, EngineError, NotFoundError, ServiceError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.graph import in_order
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plans.down import dependency_graph
from invoke_devstack.planning.plans.lifecycle import plan_start, plan_stop
from invoke_devstack.running.executing.executor import announce_and_execute
from invoke_devstack.running.observing import observe
from invoke_devstack.running.session import Session


@dataclass(frozen=True, slots=True)
class Users:
    """The running containers that mount the volumes, and those that depend on them, directly or not."""

    writers: tuple[ObservedContainer, ...]
    dependents: tuple[ObservedContainer, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.service for item in (*self.writers, *self.dependents)))


def users_of(session: Session, observed: Observed, volumes: Iterable[str]) -> Users:
    """The users of `volumes`, which are names on the engine. Raises DevstackError if another project's
    container mounts one of them, ServiceError for a paused container, which could not stop gracefully."""
    names = set(volumes)
    _check_other_projects(session, names)
    own = [item for item in observed.containers if item.is_active and not item.oneoff]
    writers = tuple(item for item in own if names & {mount.name for mount in item.mounts})
    for item in writers:
        if item.state == "paused":
            raise ServiceError(
                f"`{item.service}` is paused, so it cannot flush its data to disk",
                service=item.service,
                hint=f"Unpause it and try again: `invoke unpause -s {item.service}`.",
            )
    first = {item.service for item in writers}
    depending = _dependents(session, observed, first)
    return Users(writers, tuple(item for item in own if item.service in depending))


def _check_other_projects(session: Session, volumes: Iterable[str]) -> None:
    for volume in sorted(volumes):
        for entry in session.engine.list_containers({"volume": [volume]}, all_=False):
            own = entry.get("Labels") or {}
            is_own = own.get(labels.PROJECT) == session.project
            if not is_own or own.get(labels.ONEOFF) == "True":
                name = (entry.get("Names") or [entry["Id"][:12]])[0].lstrip("/")
                raise DevstackError(
                    f"the container {name} also uses the volume {volume}, and may be writing to it",
                    hint=f"Stop it first: `docker stop {name}`.",
                )


def _dependents(session: Session, observed: Observed, services: set[str]) -> set[str]:
    graph = dependency_graph(session.definition, observed)
    found: set[str] = set()
    for name in in_order(graph):
        if name not in services and (services | found) & set(graph.get(name, ())):
            found.add(name)
    return found


@contextmanager
def quiesced(session: Session, users: Users) -> Iterator[None]:
    """Stops the writers and pauses their dependents while the body runs; then resumes all of them, whatever
    happened. Raises what starting them raises."""
    paused = _pause(session, users.dependents)
    try:
        stop(session, tuple(dict.fromkeys(item.service for item in users.writers)))
        yield
    except BaseException:
        start_again(session, Users(users.writers, ()))
        raise
    else:
        start(session, users.writers)
    finally:
        _unpause(session, paused)


def stop(session: Session, services: Sequence[str]) -> None:
    """Stops them gracefully, dependents first."""
    if services:
        observed = observe(session.definition, session.engine, inspect=True)
        announce_and_execute(session, plan_stop(session.definition, observed, tuple(services)))


def start(session: Session, containers: Sequence[ObservedContainer]) -> None:
    """Starts them and waits until they are ready."""
    services = tuple(dict.fromkeys(item.service for item in containers))
    if services:
        observed = observe(session.definition, session.engine, inspect=True)
        patience = session.settings.wait_timeout
        announce_and_execute(
            session, plan_start(session.definition, observed, services, wait_timeout=patience)
        )


def start_again(session: Session, users: Users) -> None:
    """After a failure: starts what was stopped, as far as possible. The failure itself is reported."""
    everyone = (*users.writers, *users.dependents)
    if session.interrupt.requested.is_set():
        # After Ctrl-C: does not wait until they are ready, but leaves nothing stopped.
        for item in everyone:
            with suppress(EngineError):
                session.engine.start(item.id)
    else:
        with suppress(DevstackError):
            start(session, everyone)


def _pause(session: Session, containers: Sequence[ObservedContainer]) -> list[ObservedContainer]:
    """Pauses the running ones and returns them. Where the engine cannot (rootless, without cgroups), they
    keep running and lose their dependency for a moment."""
    paused: list[ObservedContainer] = []
    for item in containers:
        if not item.is_running:
            continue
        try:
            session.engine.pause(item.id)
        except EngineError as error:
            session.emit(
                Notice(text=f"cannot pause it, so it keeps running: {error.message}", service=item.service)
            )
        else:
            paused.append(item)
    return paused


def _unpause(session: Session, containers: Sequence[ObservedContainer]) -> None:
    for item in containers:
        try:
            session.engine.unpause(item.id)
        except NotFoundError:
            continue
        except EngineError as error:
            text = f"may still be paused: {error.message}. Resume it: `invoke unpause -s {item.service}`"
            session.emit(Notice(text=text, level="warning", service=item.service))

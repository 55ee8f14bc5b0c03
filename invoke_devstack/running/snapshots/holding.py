"""Keeps a service's data still while they are copied: whoever writes them is stopped, gracefully, and what
depends on it waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from invoke_devstack.errors import DevstackError, EngineError, NotFoundError, ServiceError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.down import dependency_graph
from invoke_devstack.planning.graph import in_order
from invoke_devstack.planning.lifecycle import plan_start, plan_stop
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.running.executor import carry_out
from invoke_devstack.running.observing import observe
from invoke_devstack.running.session import Session

_ACTIVE = ("running", "paused", "restarting")


@dataclass(frozen=True, slots=True)
class Users:
    """The running containers that mount the volumes, and those that depend on them, however far."""

    writers: tuple[ObservedContainer, ...]
    dependents: tuple[ObservedContainer, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.service for item in (*self.writers, *self.dependents)))


def users_of(session: Session, observed: Observed, volumes: Iterable[str]) -> Users:
    """Who has to hold still. Raises DevstackError where somebody else's container has one of the volumes
    (names on the engine), ServiceError for a paused one, which could not end gracefully."""
    names = set(volumes)
    _check_strangers(session, names)
    own = [item for item in observed.containers if item.state in _ACTIVE and not item.oneoff]
    writers = tuple(item for item in own if names & {mount.name for mount in item.mounts})
    for item in writers:
        if item.state == "paused":
            raise ServiceError(
                f"`{item.service}` is paused and could not write down what it has in memory",
                service=item.service,
                hint=f"`invoke unpause -s {item.service}`, then try again.",
            )
    first = {item.service for item in writers}
    depending = _dependents(session, observed, first)
    return Users(writers, tuple(item for item in own if item.service in depending))


def _check_strangers(session: Session, volumes: Iterable[str]) -> None:
    for volume in sorted(volumes):
        for entry in session.engine.list_containers({"volume": [volume]}, all_=False):
            labels = entry.get("Labels") or {}
            is_own = labels.get(label.PROJECT) == session.project
            if not is_own or labels.get(label.ONEOFF) == "True":
                name = (entry.get("Names") or [entry["Id"][:12]])[0].lstrip("/")
                raise DevstackError(
                    f"the container {name} uses the volume {volume} too, and may be writing to it",
                    hint=f"End it first: `docker stop {name}`.",
                )


def _dependents(session: Session, observed: Observed, services: set[str]) -> set[str]:
    graph = dependency_graph(session.definition, observed)
    found: set[str] = set()
    for name in in_order(graph):
        if name not in services and (services | found) & set(graph.get(name, ())):
            found.add(name)
    return found


@contextmanager
def held_still(session: Session, users: Users) -> Iterator[None]:
    """While entered, the writers are stopped and what depends on them is paused; then all go on, whatever
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
        carry_out(session, plan_stop(session.definition, observed, tuple(services)))


def start(session: Session, containers: Sequence[ObservedContainer]) -> None:
    """Starts them and waits until they are ready."""
    services = tuple(dict.fromkeys(item.service for item in containers))
    if services:
        observed = observe(session.definition, session.engine, inspect=True)
        patience = session.settings.wait_timeout
        carry_out(session, plan_start(session.definition, observed, services, wait_timeout=patience))


def start_again(session: Session, users: Users) -> None:
    """After a failure: what was stopped goes on as well as it can, and the failure is what is told."""
    everyone = (*users.writers, *users.dependents)
    if session.interrupt.requested.is_set():
        _start_at_once(session, everyone)
    else:
        with suppress(DevstackError):
            start(session, everyone)


def _start_at_once(session: Session, containers: Sequence[ObservedContainer]) -> None:
    """The same after Ctrl-C: nobody waits for readiness any more, but nothing stays stopped."""
    for item in containers:
        with suppress(EngineError):
            session.engine.start(item.id)


def _pause(session: Session, containers: Sequence[ObservedContainer]) -> list[ObservedContainer]:
    """Pauses what runs; where the engine cannot (rootless, without cgroups), it goes on and sees its
    dependency go away for a moment."""
    paused: list[ObservedContainer] = []
    for item in containers:
        if item.state != "running":
            continue
        try:
            session.engine.pause(item.id)
        except EngineError as error:
            session.emit(
                Notice(text=f"goes on while the data are copied: {error.message}", service=item.service)
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
            text = f"may be paused still: {error.message}; `invoke unpause -s {item.service}` lets it go on"
            session.emit(Notice(text=text, level="warning", service=item.service))

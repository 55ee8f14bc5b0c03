"""What a killed command left behind, which must be ended before the next one changes anything."""

from __future__ import annotations

from contextlib import suppress

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, EngineError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plans.snapshots import is_interrupted
from invoke_devstack.running import locks
from invoke_devstack.running.executing import half_started
from invoke_devstack.running.session import Session


def end_leftovers(session: Session, observed: Observed, *, starts: bool = True) -> bool:
    """Settles interrupted snapshots, restores and resets, because nothing may start with incomplete data;
    removes networks that the engine has twice; ends processes that it has forgotten. Returns whether there
    were any: then `observed` is out of date. Also ends copies of any stack that have outlived their time.
    Asks the engine nothing if there is nothing.

    Raises UnfinishedError or HalfStartedError if one cannot be settled now. With `starts=False` this is only
    a warning: for commands that start nothing."""
    if session.dry:
        return False
    try:
        forgotten = half_started.end_forgotten(session, observed)
        return _end_those_of_commands(session, observed) or forgotten
    except DevstackError as error:
        if starts:
            raise
        text = f"{error.message}. {error.hint}" if error.hint else error.message
        session.emit(Notice(text=text, level="warning"))
    return True


def _end_those_of_commands(session: Session, observed: Observed) -> bool:
    left = [item for item in observed.containers if labels.COPY_CONTAINER in item.labels]
    doubled = any(network.doubled for network in observed.networks.values())
    if not (left or observed.ours or doubled):
        return False
    if doubled:
        doubled = end_doubles(session.engine, session.project)
    locks.remove_remains(session.engine, session.project, observed.ours)
    _end_expired_copies(session, observed)
    if not left and not is_interrupted(observed):
        return doubled
    from invoke_devstack.running import unfinished

    unfinished.settle_all(session, observed, left)
    return True


def _end_expired_copies(session: Session, observed: Observed) -> None:
    """Of any stack on the engine: their marks are among the volumes that were observed, so that looking for
    them takes no request."""
    if any(labels.COPY in volume.labels for volume in observed.ours):
        from invoke_devstack.planning.copies.copies import copies_among
        from invoke_devstack.running.copies.ending import end_expired

        copies = copies_among(volume.labels for volume in observed.ours)
        end_expired(session, (copy for copy in copies if copy.project != session.project))


def end_doubles(engine: Engine, project: str) -> bool:
    """Leaves one of the project's networks of each name; returns whether there were more. An engine may end
    the creation by a killed command after the next command has created the network again, and then starts
    nothing in either."""
    found: dict[str, list[str]] = {}
    for entry in engine.list_networks({"label": [f"{labels.PROJECT}={project}"]}):
        found.setdefault(entry["Name"], []).append(entry["Id"])
    more = [_leave_one(engine, networks) for networks in found.values()]
    return any(more)


def _leave_one(engine: Engine, networks: list[str]) -> bool:
    """Removes networks, given by their ids, until one is left or all are in use."""
    left = len(networks)
    for network in networks:
        if left > 1:
            with suppress(EngineError):
                engine.remove_network(network)
                left -= 1
    return left < len(networks)

"""Adds a copy: claims its name, puts the data of a snapshot in place, and brings it up."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, EngineError, Interrupted, UsageError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.copies.copies import Copy, copies_among, read_copy
from invoke_devstack.planning.plans.snapshots import Snapshot
from invoke_devstack.running.copies import folder
from invoke_devstack.running.copies.ending import end
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots.restoring import fill
from invoke_devstack.running.stack.up import bring_up
from invoke_devstack.settings import COPY_VARIABLE


def add(session: Session, copy: Copy, home: Path, snapshots: Sequence[Snapshot] = ()) -> None:
    """Brings up the copy, whose definition the session has, with the data of `snapshots` of the stack. `home`
    is the directory of tasks.py.

    Raises UsageError if its name is in use. If its data cannot be put in place, or a signal came, nothing of
    it stays. If a service does not come up, the copy stays to be looked at, and the error's hint says how.
    """
    _check_free(session.engine, copy)
    _claim(session.engine, copy)
    folder.write(copy, home, session.engine.endpoint.url)
    try:
        for snapshot in snapshots:
            fill(session, snapshot)
        if copy.snapshot:
            session.engine.create_volume(copy.filled_mark, {"Labels": copy.labels()})
        bring_up(session, UpOptions(ports="fixed"))
    except BaseException as error:
        if not _is_worth_a_look(session.engine, copy, error):
            with suppress(EngineError):  # an engine that is gone: the copy is listed until it is ended
                end(session, copy)
                _tell_interrupted(session, copy)
        raise
    _check_still_there(session, copy)


def _check_free(engine: Engine, copy: Copy) -> None:
    """Nothing that is not the copy's may have the name of its project, or it would be ended with it."""
    wanted = {"label": [f"{labels.PROJECT}={copy.project}"]}
    found = [
        *(item for item in engine.list_volumes({"name": [copy.mark]}) if item["Name"] == copy.mark),
        *engine.list_containers(wanted),
        *engine.list_volumes(wanted),
        *engine.list_networks(wanted),
    ]
    for other in copies_among(entry.get("Labels") or {} for entry in found):
        raise _in_use(other)
    if found:
        raise UsageError(
            f"the project {copy.project} exists already, and is no copy of {copy.of}",
            hint="Choose another name. `invoke stacks` lists what is there.",
        )


def _claim(engine: Engine, copy: Copy) -> None:
    """Creates the mark; the engine lets one caller do so."""
    other = read_copy(engine.claim_volume(copy.mark, copy.labels()))
    if other != copy:
        raise _in_use(other or copy)


def _in_use(other: Copy) -> UsageError:
    until = f" until {other.expires_at[:19]}Z" if other.expires_at else ""
    return UsageError(
        f"there is a copy `{other.name}` already{until}, of the stack in {other.directory}",
        hint=f"Choose another name, or end it: `invoke copies.end {other.name}`.",
    )


def _is_worth_a_look(engine: Engine, copy: Copy, error: BaseException) -> bool:
    """Whether the copy stays: it came far enough to have containers. The error's hint then says how to
    look at them."""
    if not isinstance(error, DevstackError) or isinstance(error, Interrupted):
        return False
    try:
        containers = engine.list_containers({"label": [f"{labels.PROJECT}={copy.project}"]})
    except EngineError:
        return False
    if not any(labels.COPY_CONTAINER not in (entry.get("Labels") or {}) for entry in containers):
        return False
    hint = error.hint.replace("`invoke ", f"`{COPY_VARIABLE}={copy.name} invoke ")
    error.hint = f"{hint} The copy stays until you end it: `invoke copies.end {copy.name}`.".strip()
    return True


def _tell_interrupted(session: Session, copy: Copy) -> None:
    """Raises Interrupted after a signal, once it has said how things were left."""
    if session.interrupt.requested.is_set():
        session.emit(Notice(text=f"Interrupted. Nothing of the copy {copy.name} is left.", level="warning"))
        session.interrupt.check(is_done=True)


def _check_still_there(session: Session, copy: Copy) -> None:
    """Somebody may have ended it while it came up: then what came up since must not stay."""
    there = session.engine.list_volumes({"name": [copy.mark]})
    if any(read_copy(entry.get("Labels") or {}) == copy for entry in there if entry["Name"] == copy.mark):
        return
    end(session, copy)
    raise DevstackError(
        f"the copy `{copy.name}` was ended while it came up", hint="Add it again, with a longer `--ttl`."
    )

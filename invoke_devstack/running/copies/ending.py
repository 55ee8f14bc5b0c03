"""Ends copies: removes all that belongs to one, and its mark last, so that whatever is left is listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import ConflictError, DevstackError, EngineError, Interrupted, NotFoundError
from invoke_devstack.events import Event, Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.copies.copies import Copy
from invoke_devstack.planning.plan import Body
from invoke_devstack.planning.plans import snapshots
from invoke_devstack.running.copies import folder
from invoke_devstack.running.locks import holder_of, project_lock
from invoke_devstack.running.ports import tunnel
from invoke_devstack.running.session import Session

_ROUNDS = 20
_PAUSE = 0.25  # seconds between two rounds; the last request of a killed command may still be running
_AT_ONCE = 8


def end(session: Session, copy: Copy) -> None:
    """Removes the copy: containers, networks, volumes with their data, its own images and snapshots, and its
    mark. Nothing else is touched. Waits for a command that changes the copy. Raises EngineError for what
    cannot be removed; the copy is listed until it is."""
    own = _session_of(session, copy)
    tunnel.close(own)
    with project_lock(own):
        _remove(session.engine, copy)
    _remove_mark(session.engine, copy)


def end_expired(session: Session, copies: Iterable[Copy]) -> tuple[Copy, ...]:
    """Ends each of `copies` that has outlived its time, and says so. Leaves one that a command is changing to
    the next command. Returns those that it ended; an error is only a warning."""
    now = datetime.now(UTC)
    return tuple(copy for copy in copies if copy.is_expired(now) and _ended(session, copy))


def _ended(session: Session, copy: Copy) -> bool:
    own = replace(_session_of(session, copy), emit=_say_nothing)
    try:
        holder = holder_of(session.engine, copy.project)
        if holder is not None and not holder.is_parent():
            return False
        tunnel.close(own)
        with project_lock(own, timeout=0.0):
            _remove(session.engine, copy)
        _remove_mark(session.engine, copy)
    except Interrupted:
        raise
    except DevstackError as error:
        with suppress(DevstackError):
            if holder_of(session.engine, copy.project):
                return False
        text = f"copy {copy.name} of {copy.of} has outlived its time and cannot be ended: {error.message}"
        session.emit(Notice(text=text, level="warning"))
        return False
    session.emit(Notice(text=f"copy {copy.name} of {copy.of} has outlived its {copy.lifetime()}: ended"))
    return True


def _say_nothing(event: Event) -> None:
    """That another command is ending it too is no news."""


def _session_of(session: Session, copy: Copy) -> Session:
    """The files of the copy are not needed, and may be gone."""
    from invoke_devstack.definition.model import Definition

    definition = Definition(name=copy.project, working_dir=Path(copy.directory or "/"))
    return replace(session, definition=definition, explain=False, dry=False)


def _remove(engine: Engine, copy: Copy) -> None:
    project = copy.project
    remove_rounds(lambda: _left_of(engine, project), f"the copy {copy.name} of {copy.of}")
    _remove_images(engine, project)
    with suppress(NotFoundError):
        engine.remove_volume(copy.filled_mark)


def _remove_mark(engine: Engine, copy: Copy) -> None:
    """Last, when the lock is gone too: a command that is killed before leaves it, and the copy is listed."""
    with suppress(NotFoundError):
        engine.remove_volume(copy.mark)
    folder.remove(copy)


Removal = Callable[[], object]


def remove_rounds(left: Callable[[], Sequence[Sequence[Removal]]], what: str) -> None:
    """Calls what `left` returns, group after group, until it returns nothing. Raises EngineError if there is
    still something after several seconds."""
    for turn in range(_ROUNDS):
        groups = left()
        if not any(groups):
            return
        if turn:
            time.sleep(_PAUSE)
        for group in groups:
            _all_at_once(group)
    raise EngineError(f"could not remove {what}", hint="Try again: `invoke copies.end NAME`.")


def _all_at_once(removals: Sequence[Removal]) -> None:
    if removals:
        with ThreadPoolExecutor(min(_AT_ONCE, len(removals))) as pool:
            for _ in pool.map(_try, removals):
                pass


def _try(remove: Removal) -> None:
    """Ignores what is already gone. What is still in use is tried again in the next round."""
    try:
        remove()
    except (NotFoundError, ConflictError):
        return
    except EngineError as error:
        if error.status is None or error.status >= 500 or error.status == 403:
            return
        raise


def _left_of(engine: Engine, project: str) -> list[list[Removal]]:
    """What removes containers, then networks and volumes."""
    wanted = {"label": [f"{labels.PROJECT}={project}"]}
    containers = [str(entry["Id"]) for entry in engine.list_containers(wanted)]
    networks = [str(entry["Id"]) for entry in engine.list_networks(wanted)]
    volumes = [*_volumes_of(engine.list_volumes({}), project)]
    return [
        [partial(engine.remove_container, name, force=True) for name in containers],
        [
            *(partial(engine.remove_network, name) for name in networks),
            *(partial(engine.remove_volume, name) for name in volumes),
        ],
    ]


def _volumes_of(entries: Iterable[Body], project: str) -> Iterator[str]:
    """Its volumes, the snapshots that were taken of it, and what interrupted commands left. Not its marks."""
    for entry in entries:
        own: Mapping[str, str] = entry.get("Labels") or {}
        owners = (own.get(key) for key in (labels.PROJECT, snapshots.PROJECT, labels.HOOK_DUE_PROJECT))
        is_left = labels.UNFINISHED in own and entry["Name"].startswith(f"{project}.unfinished.")
        if is_left or project in owners:
            yield str(entry["Name"])


def _remove_images(engine: Engine, project: str) -> None:
    """The tags of what was built for it. What others have named too stays under their names."""
    for entry in engine.list_images({"label": [f"{labels.PROJECT}={project}"]}):
        for tag in entry.get("RepoTags") or ():
            if tag.startswith(f"{project}-"):
                with suppress(NotFoundError, ConflictError):
                    engine.remove_image(tag)

"""Isolated copies of the stack, each for one job: list, add and end them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from pathlib import Path

    from invoke_devstack.planning.copies.copies import Copy
    from invoke_devstack.planning.plans.snapshots import Snapshot
    from invoke_devstack.running.copies.found import FoundCopy
    from invoke_devstack.tasks.work import Work

_COLUMNS = ("state", "running", "created_at", "expires_at", "snapshot")


@task(
    "list",
    json="answer",
    flags={"all_": "Those of every stack on this engine, with their directories."},
)
def list_(work: Work, all_: bool = False) -> None:
    """List isolated copies of this stack.

    First ends those that have outlived their time.
    """
    rows = list_copies(work, every=all_)
    columns = ("project", *_COLUMNS[:-1], "directory") if all_ else ("copy", *_COLUMNS)
    work.table("copies", columns, rows, "no copies; add one with `invoke copies.add NAME`")


@task(
    "add",
    json="answer",
    flags={
        "name": "What to call it.",
        "from_snapshot": "Begin with the data of this snapshot, of every service that has one of this name.",
        "ttl": "How long it lasts: `2h`, `1h30m`, `2d`. Then the next command ends it.",
    },
)
def add(work: Work, name: str, from_snapshot: str = "", ttl: str = "") -> None:
    """Add an isolated copy of the stack for a job.

    It has its own containers, ports, networks and volumes. `DEVSTACK_COPY=NAME` before a command acts on it.
    """
    made = add_copy(work, name, from_snapshot=from_snapshot, ttl=ttl)
    until = f"; it lasts until {made['expires_at'][:19]}Z" if made["expires_at"] else ""
    lines = [f"copy {name} is up as {made['project']}{until}"]
    lines += [f"  {item['service']}  {item['address']}" for item in made["addresses"]]
    lines.append(f"act on it: `DEVSTACK_COPY={name} invoke ps`; end it: `invoke copies.end {name}`")
    lines += [f"or run `invoke` in {made['folder']}"] if made["folder"] else []
    work.answer("\n".join(lines), made)


@task("end", json="answer", flags={"name": "The copy; see `invoke copies.list`."})
def end(work: Work, name: str) -> None:
    """End an isolated copy: remove it with its data.

    Asks nothing, and touches nothing else.
    """
    ended = end_copy(work, name)
    work.answer(f"copy {ended['copy']} is ended; nothing of {ended['project']} is left", ended)


def list_copies(work: Work, *, every: bool = False) -> list[dict[str, object]]:
    """A row for each copy of this stack, or of `every` one on the engine, as docs/json.md describes it. First
    ends those that have outlived their time."""
    from invoke_devstack.running.copies.found import rows

    return rows(_found(work, every=every))


def add_copy(work: Work, name: str, *, from_snapshot: str = "", ttl: str = "") -> dict[str, Any]:
    """Adds a copy and brings it up: `copy`, `project`, `expires_at`, `snapshot`, `folder` and `addresses`.
    `work` acts on the copy from then on. Raises UsageError for a wrong value, and what
    `running.copies.adding.add` raises."""
    from invoke_devstack.running.copies import adding, folder
    from invoke_devstack.tasks.reach.urls import addresses

    copy, snapshots = _planned(work, name, from_snapshot, ttl)
    _found(work, every=True)
    work.enter_copy(copy)
    _tell_differences(work)
    work.stdout_taken = True  # what hooks print is no answer
    with _inherited(copy), work.session() as session:
        adding.add(session, copy, work.home, snapshots)
    return {
        "copy": copy.name,
        "project": copy.project,
        "expires_at": copy.expires_at,
        "snapshot": copy.snapshot,
        "folder": folder.find(copy),
        "addresses": addresses(work),
    }


def end_copy(work: Work, name: str) -> dict[str, Any]:
    """Ends a copy of this stack, or any on the engine by its project's name: `copy` and `project`. Raises
    UsageError for an unknown one."""
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.planning.copies.copies import find_copy, is_of
    from invoke_devstack.running.copies import ending
    from invoke_devstack.running.copies.found import all_copies

    place = _place(work)
    known = [one.copy for one in all_copies(work.engine)]
    copy = find_copy((item for item in known if item.project == name or is_of(item, *map(str, place))), name)
    definition = Definition(name=copy.project, working_dir=work.directory)
    with work.session(definition=definition) as session:
        ending.end(session, copy)
    return {"copy": copy.name, "project": copy.project}


def _planned(work: Work, name: str, snapshot: str, ttl: str) -> tuple[Copy, tuple[Snapshot, ...]]:
    """The copy that is to be, and the snapshots whose data it gets."""
    import secrets
    from datetime import UTC, datetime

    from invoke_devstack.planning.copies.copies import Copy, check_copy_name, expiry

    check_copy_name(name)
    now = datetime.now(UTC)
    expires = expiry(ttl, now)
    _leave_copy(work)
    definition = work.bound_definition
    copy = Copy(
        name=name,
        of=definition.name,
        directory=str(definition.working_dir),
        created_at=now.isoformat(timespec="milliseconds"),
        expires_at=expires,
        snapshot=snapshot,
        token=secrets.token_hex(6),
    )
    return copy, _snapshots(work, snapshot)


def _snapshots(work: Work, name: str) -> tuple[Snapshot, ...]:
    """All snapshots of this name, of whichever service. Raises UsageError if there is none."""
    if not name:
        return ()
    from invoke_devstack.planning.plans.snapshots import find_snapshot
    from invoke_devstack.running.snapshots.common import list_snapshots

    every = list_snapshots(work.engine, work.project)
    return tuple(item for item in every if item.name == name) or (find_snapshot(every, name),)


def _found(work: Work, *, every: bool) -> Sequence[FoundCopy]:
    """The copies that are left once those are ended that have outlived their time."""
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.planning.copies.copies import is_of
    from invoke_devstack.running.copies.ending import end_expired
    from invoke_devstack.running.copies.found import all_copies

    directory, project = _place(work)
    known = all_copies(work.engine)
    with work.session(definition=Definition(name=directory.name, working_dir=directory)) as session:
        gone = end_expired(session, (one.copy for one in known))
    left = [one for one in known if one.copy not in gone]
    return [one for one in left if every or is_of(one.copy, str(directory), project)]


def _place(work: Work) -> tuple[Path, str]:
    """As `Work.place`. Files that cannot be read are no reason to keep a copy."""
    from invoke_devstack.errors import DefinitionError

    _leave_copy(work)
    try:
        return work.place()
    except DefinitionError:
        return work.directory, ""


def _leave_copy(work: Work) -> None:
    """These tasks are about the stack itself, also where a variable names a copy."""
    work.copy_name = ""


def _tell_differences(work: Work) -> None:
    from invoke_devstack.events import Notice
    from invoke_devstack.planning.copies.isolated import shared_folders

    for service, path in dict.fromkeys(shared_folders(work.bound_definition)):
        work.tell(Notice(text=f"shares {path} with the stack, because it is a bind mount", service=service))
    for name in sorted(work.left_out):
        work.tell(Notice(text="left out, because it is a process of this machine", service=name))


@contextmanager
def _inherited(copy: Copy) -> Iterator[None]:
    """While entered, programs that hooks start by themselves act on the copy, as those started with Invoke's
    context do. Not where other threads act on the stack meanwhile: the environment is theirs too."""
    from invoke_devstack.settings import COPY_VARIABLE

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = {COPY_VARIABLE: copy.name, "COMPOSE_PROJECT_NAME": copy.project}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value

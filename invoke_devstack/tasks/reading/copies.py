"""Finds the copy of the stack that a task acts on."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import EngineError, UsageError
from invoke_devstack.running.session import Session
from invoke_devstack.settings import COPY_VARIABLE

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.events import Emit
    from invoke_devstack.planning.copies.copies import Copy
    from invoke_devstack.running.interrupt import Interrupt


def end_due_copies(engine: Engine, emit: Emit, interrupt: Interrupt) -> None:
    """Ends copies on this engine that have outlived their time, where a note of this user says that there
    are any. Takes no request otherwise. An error is only a warning."""
    from invoke_devstack.running.copies import folder

    now = datetime.now(UTC)
    due = folder.due(engine.endpoint.url, now)
    if not due:
        return
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.running.copies.ending import end_expired
    from invoke_devstack.running.copies.found import all_copies

    with suppress(EngineError):
        over = {one.copy.project: one.copy for one in all_copies(engine) if one.copy.is_expired(now)}
        for project in due - {*over}:  # somebody else has ended it
            folder.forget_end(project)
        session = Session(
            definition=Definition(name="", working_dir=Path("/")),
            engine=engine,
            emit=emit,
            interrupt=interrupt,
        )
        end_expired(session, (over[project] for project in sorted(due & {*over})))


def chosen_copy(engine: Engine, emit: Emit, name: str, directory: Path, project: str) -> Copy:
    """The copy called `name`, which is there and whole. Ends it if it has outlived its time. Raises
    UsageError if no task can act on it."""
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.planning.copies.copies import find_copy, is_of
    from invoke_devstack.running.copies.ending import end_expired
    from invoke_devstack.running.copies.found import all_copies, copies_with_volumes

    own = partial(is_of, directory=str(directory), project=project)
    found = [one for one in copies_with_volumes(engine) if own(one.copy)]
    if not any(name in (one.copy.name, one.copy.project) for one in found):
        found = [one for one in all_copies(engine) if own(one.copy)]
    copy = find_copy((one.copy for one in found), name)
    session = Session(
        definition=Definition(name=copy.project, working_dir=directory), engine=engine, emit=emit
    )
    end_expired(session, [copy])
    if copy.is_expired(datetime.now(UTC)):  # another command may be ending it
        raise UsageError(
            f"the time of the copy `{name}` is over",
            hint=f"Add it again: `invoke copies.add {name}`. For the stack itself: `unset {COPY_VARIABLE}`.",
        )
    if not next(one for one in found if one.copy == copy).filled:
        raise UsageError(
            f"the copy `{name}` does not have the data of `{copy.snapshot}` yet",
            hint=f"If nothing is adding it any more, end it: `invoke copies.end {name}`.",
        )
    return copy

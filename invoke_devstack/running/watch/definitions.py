"""Reacts to changed Compose files: reports what `up` would do, or does it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Notice, WatchFailed
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

Reload = Callable[[], "Definition"]


def definition_files(definition: Definition) -> frozenset[str]:
    """The files that the definition was read from, including its environment files."""
    files = {os.path.realpath(file) for file in (*definition.files, *definition.env_files)}
    files.add(os.path.realpath(definition.working_dir) + "/.env")
    for service in definition.services.values():
        files |= {os.path.realpath(file.path) for file in service.env_file}
    return frozenset(files)


class LastReading:
    """Whether the Compose files could be read when they last changed."""

    failed = False


def changed_definition(
    session: Session, reload: Reload, services: tuple[str, ...], last: LastReading, *, apply: bool
) -> Definition | None:
    """The definition to use from now on; None to keep the present one. With `apply`, its changes have been
    carried out. Problems become events, and so does their end."""
    from invoke_devstack.running.options import UpOptions
    from invoke_devstack.running.stack import up

    try:
        failed, last.failed = last.failed, True
        definition = reload()
        last.failed = False
        if failed:
            session.emit(Notice(text="the Compose files can be read again"))
        if definition == session.definition:
            return None
        later = replace(session, definition=definition)
        chosen = tuple(service for service in services if service in definition.services)
        options = UpOptions(services=chosen)
        plan = up.plan(later, options)
        if not len(plan):
            return definition  # only the watch rules changed
        if not apply:
            _report(session, plan.lines())
            return None
        up.bring_up(later, options)
    except DevstackError as error:
        place = f" ({error.position})" if error.position else ""
        session.emit(
            WatchFailed(service="", error=f"{error.message}{place}", hint=error.hint, details=error.details)
        )
        return None
    return definition


def _report(session: Session, lines: tuple[str, ...]) -> None:
    text = "\n".join(
        (
            "the Compose files changed. `invoke up` would do this (`--apply-definitions` does it for you):",
            *(f"  {line}" for line in lines),
        )
    )
    session.emit(Notice(text=text))

"""Notices that the Compose files themselves changed: says what `up` would change, or does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Notice, WatchFailed
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

Reload = Callable[[], "Definition"]


def definition_files(definition: Definition) -> frozenset[str]:
    """The files that the definition was read from, with those of its environment."""
    files = {str(file.resolve()) for file in (*definition.files, *definition.env_files)}
    files.add(str(definition.working_dir.resolve() / ".env"))
    for service in definition.services.values():
        files |= {str(Path(file.path).resolve()) for file in service.env_file}
    return frozenset(files)


def changed_definition(
    session: Session, reload: Reload, services: tuple[str, ...], *, apply: bool
) -> Definition | None:
    """The definition that holds from now on, None for the one that held. With `apply` what it changes
    has been carried out. Problems are told as events."""
    from invoke_devstack.running import up
    from invoke_devstack.running.options import UpOptions

    try:
        definition = reload()
        if definition == session.definition:
            return None
        later = replace(session, definition=definition)
        chosen = tuple(service for service in services if service in definition.services)
        options = UpOptions(services=chosen)
        plan = up.plan(later, options)
        if not len(plan):
            return definition  # only what the watch itself reads
        if not apply:
            _tell(session, plan.lines())
            return None
        up.bring_up(later, options)
    except DevstackError as error:
        place = f" ({error.position})" if error.position else ""
        session.emit(
            WatchFailed(service="", error=f"{error.message}{place}", hint=error.hint, details=error.details)
        )
        return None
    return definition


def _tell(session: Session, lines: tuple[str, ...]) -> None:
    text = "\n".join(
        (
            "the Compose files changed. `invoke up` would now do this (`--apply-definitions` does it):",
            *(f"  {line}" for line in lines),
        )
    )
    session.emit(Notice(text=text))

"""Files of secrets and configs that a container was created with, and that are directories now, or the other
way round."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError, DevstackError
from invoke_devstack.planning.host_files import referenced_files
from invoke_devstack.planning.plan import Action

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, FileReference, Service

_REASON = "mount-mismatch"


def name_replaced_file(error: DevstackError, action: Action, definition: Definition) -> None:
    """Says instead of the engine's error which file is another kind of thing than it was."""
    reasons = {error.reason, getattr(error.__cause__, "reason", "")}
    service = definition.all_services.get(action.service)
    if _REASON not in reasons or service is None:
        return
    for reference, path in referenced_files(definition, service):
        if any(path in line for line in error.details) and Path(path).exists():
            told = replaced_file(definition, service, reference, path)
            error.message, error.hint, error.position = told.message, told.hint, told.position
            error.details = ()


def replaced_file(
    definition: Definition, service: Service, reference: FileReference, path: str
) -> DefinitionError:
    """The error about one of them."""
    kind = "secret" if reference in service.secrets else "config"
    now, before = ("directory", "file") if Path(path).is_dir() else ("file", "directory")
    place = definition.origins.get(f"{kind}s.{reference.source}.file")
    return DefinitionError(
        f"{path}, which the {kind} `{reference.source}` comes from, is a {now}; it was a {before} when the "
        f"container of {service.name} was created",
        hint=f"Put the {before} back, or recreate the container: `invoke up --force-recreate -s "
        f"{service.name}`.",
        position=place.position if place else None,
    )

"""Variables that are set nowhere as the cause of an action that failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.plan import (
    Action,
    BuildImage,
    CreateNetwork,
    CreateVolume,
    PullImage,
)

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Network, Volume


def name_unset_variables(error: DevstackError, action: Action, definition: Definition) -> None:
    """Adds to the hint of `error` the variables that are empty in what the action was made from."""
    parts = tuple(_parts(action, definition)) if definition.unset else ()
    names = [
        name
        for name, places in definition.unset.items()
        if any((place.key or "").startswith(parts) for place in places)
    ]
    if names:
        verb = "are" if len(names) > 1 else "is"
        error.hint = f"{', '.join(names)} {verb} not set, which may be the cause. {error.hint}".rstrip()


def _parts(action: Action, definition: Definition) -> Iterator[str]:
    """The keys of the definition that the action depends on, as beginnings."""
    match action:
        case PullImage() | BuildImage():
            key = "image" if isinstance(action, PullImage) else "build"
            for name, service in definition.services.items():
                if service.image_name(definition.name) == action.target:
                    yield f"services.{name}.{key}"
        case CreateNetwork():
            yield from _keys("networks", definition.networks, action.target)
        case CreateVolume():
            yield from _keys("volumes", definition.volumes, action.target)
        case _ if action.service:
            yield f"services.{action.service}."


def _keys(kind: str, named: Mapping[str, Network | Volume], target: str) -> Iterator[str]:
    return (f"{kind}.{key}." for key, item in named.items() if item.name == target)

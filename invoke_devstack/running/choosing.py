"""The services, and the containers of theirs, that a task was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from invoke_devstack.planning import labels
from invoke_devstack.planning.select import check_names

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.plan import Body


def check_services(definition: Definition, names: Iterable[str]) -> None:
    """Raises UsageError, with the nearest right name, for a service that the files do not have. One of a
    profile that is not active is a service too."""
    check_names(names, {**definition.disabled_services, **definition.services})


def find_service(definition: Definition, name: str) -> Service:
    """The service, of an active profile or not. Raises UsageError."""
    check_services(definition, (name,))
    return definition.services.get(name) or definition.disabled_services[name]


def split_number(definition: Definition, text: str) -> tuple[str, int]:
    """`web.2`, the second container of `web`, as (web, 2); a service's name alone with 0. A name may have
    dots and numbers of its own."""
    name, dot, number = text.rpartition(".")
    known = {**definition.disabled_services, **definition.services}
    if dot and number.isdecimal() and text not in known:
        return name, int(number)
    return text, 0


def find_containers(engine: Engine, definition: Definition, text: str) -> list[Body]:
    """The containers of a service (`web`), or its second one alone (`web.2`), by their numbers, running or
    not, as `GET /containers/json` gives them. Raises UsageError for a service that does not exist."""
    name, number = split_number(definition, text)
    check_services(definition, (name,))
    marks = (
        f"{labels.PROJECT}={definition.name}",
        f"{labels.SERVICE}={name}",
        f"{labels.ONEOFF}=False",
        *((f"{labels.NUMBER}={number}",) if number else ()),
    )
    return sorted(engine.list_containers({"label": marks}), key=_number)


def _number(listed: Body) -> int:
    return int((listed.get("Labels") or {}).get(labels.NUMBER) or 0)

"""Finds the services and containers that a task's arguments name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from invoke_devstack.planning import labels
from invoke_devstack.planning.selection import check_names

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.plan import Body


def check_services(definition: Definition, names: Iterable[str]) -> None:
    """Raises UsageError, which suggests a similar name, for an unknown service. Services of inactive profiles
    are known."""
    check_names(names, definition.all_services)


def find_service(definition: Definition, name: str) -> Service:
    """The service, even of an inactive profile. Raises UsageError."""
    check_services(definition, (name,))
    return definition.all_services[name]


def split_number(definition: Definition, text: str) -> tuple[str, int]:
    """`web.2`, the second container of `web`, as (web, 2); a service's name as (web, 0). The name itself may
    contain dots and numbers."""
    name, dot, number = text.rpartition(".")
    known = definition.all_services
    if dot and number.isdecimal() and text not in known:
        return name, int(number)
    return text, 0


def hint_for(definition: Definition, text: str, hint: str) -> str:
    """`hint`, which says how a service gets its container; of one that the files do not ask for (`web.9`),
    how to have so many."""
    name, number = split_number(definition, text)
    wanted = definition.all_services[name].scale_count()
    if number <= wanted:
        return hint
    asked = f"{wanted} container{'s' if wanted != 1 else ''}"
    return f"The files ask for {asked} of `{name}`. More: `invoke scale {name}={number}`."


def find_containers(
    engine: Engine, definition: Definition, text: str, *, one_offs: bool = False
) -> list[Body]:
    """The containers of a service (`web`) by their numbers, or only its second one (`web.2`), running or not,
    as in `GET /containers/json`; with `one_offs` those of `run` too. Raises UsageError for an unknown
    service."""
    name, number = split_number(definition, text)
    check_services(definition, (name,))
    marks = (
        f"{labels.PROJECT}={definition.name}",
        f"{labels.SERVICE}={name}",
        *(() if one_offs else (f"{labels.ONEOFF}=False",)),
        *((f"{labels.NUMBER}={number}",) if number else ()),
    )
    return sorted(engine.list_containers({"label": marks}), key=_number)


def _number(listed: Body) -> int:
    return int((listed.get("Labels") or {}).get(labels.NUMBER) or 0)

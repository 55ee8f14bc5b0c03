"""All values that files give, each with the place of its key among the declared ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from invoke_devstack.definition.attributes.part import Part
from invoke_devstack.records import record


@record
class Given:
    """A value of a key. `declared` is the key's place with `*` for any name and `[]` for an entry, as
    `services.*.ports[].target`; `key` the place of this value, as `services.web.ports[0].target`."""

    declared: str
    key: str
    value: Any


def given_below(value: Any, declared: str, key: str) -> Iterator[Given]:
    """The values below one."""
    match value:
        case Part():
            yield from _in_part(value, declared, key)
        case Mapping():
            for name, item in value.items():
                yield from given_below(item, f"{declared}.*", f"{key}.{name}")
        case tuple():
            for index, item in enumerate(value):
                yield from given_below(item, f"{declared}[]", f"{key}[{index}]")


def _in_part(part: Part, declared: str, key: str) -> Iterator[Given]:
    for own in part.keys.values():
        if own.name in part.__dict__ and own.file_name == own.name:
            place, where = f"{declared}.{own.name}", f"{key}.{own.name}"
            yield Given(place, where, part.__dict__[own.name])
            yield from given_below(part.__dict__[own.name], place, where)

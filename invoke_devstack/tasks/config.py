"""The definition as it is understood, and where each of its values comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.definition import Explanation
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.errors import Position
    from invoke_devstack.tasks.context import Work

_SOURCES = {
    "environment": "your environment",
    "default": "the default beside it",
    "project": "the project itself",
    "unset": "nothing: it is not set",
}


@command(
    "config",
    json="answer",
    flags={
        "format": "`yaml` (default) or `json`.",
        "explain": "Say which file, line and variable a key or a variable comes from.",
        "services": "Only the names of the services.",
        "images": "Only the images that they use.",
        "volumes": "Only the names of the volumes.",
        "profiles": "Only the names of the profiles.",
        "hash": "Only each service's hash, by which a change is noticed; the same as Compose's.",
        "show_secrets": "Do not mask passwords and the like.",
    },
)
def config(
    work: Work,
    format: str = "yaml",  # noqa: A002 - the flag's name
    explain: str = "",
    services: bool = False,
    images: bool = False,
    volumes: bool = False,
    profiles: bool = False,
    hash: bool = False,  # noqa: A002 - the flag's name
    show_secrets: bool = False,
    json: bool = False,
) -> None:
    """Show the definition: merged, variables filled in."""
    values.at_most_one(
        explain=explain, services=services, images=images, volumes=volumes, profiles=profiles, hash=hash
    )
    style = values.choice("format", format, ("yaml", "json"))
    if explain:
        _explain(work, explain, show_secrets=show_secrets)
        return
    wanted = {"services": services, "images": images, "volumes": volumes, "profiles": profiles, "hash": hash}
    part = next((name for name, chosen in wanted.items() if chosen), "")
    if part:
        _show_list(work, _LISTS[part](work.definition))
    else:
        _show_whole(work, style, show_secrets=show_secrets)


def _show_list(work: Work, items: list[str]) -> None:
    work.answer("\n".join(items), items)


def _show_whole(work: Work, style: str, *, show_secrets: bool) -> None:
    from invoke_devstack.definition import to_config, to_document, to_yaml

    data = to_config(work.definition, show_secrets=show_secrets)
    if style == "json":
        import json as json_module

        text = json_module.dumps(data, indent=2, ensure_ascii=False)
    else:
        text = to_yaml(to_document(work.definition, show_secrets=show_secrets))
    work.answer(text, data)


def _images(definition: Definition) -> list[str]:
    return [service.image_name(definition.name) for service in definition.services.values()]


def _profiles(definition: Definition) -> list[str]:
    every = (*definition.services.values(), *definition.disabled_services.values())
    return sorted({profile for service in every for profile in service.profiles})


def _hashes(definition: Definition) -> list[str]:
    from invoke_devstack.definition import config_hash

    return [f"{name} {config_hash(definition, name)}" for name in sorted(definition.services)]


_LISTS: Mapping[str, Callable[[Definition], list[str]]] = {
    "services": lambda definition: list(definition.services),
    "images": _images,
    "volumes": lambda definition: list(definition.volumes),
    "profiles": _profiles,
    "hash": _hashes,
}


def _explain(work: Work, asked: str, *, show_secrets: bool) -> None:
    from invoke_devstack.definition import explain

    found = explain(work.definition, asked, show_secrets=show_secrets)
    data = [_as_data(item) for item in found]
    work.answer("\n".join(line for item in found for line in about(item)), data)


def _as_data(explanation: Explanation) -> dict[str, object]:
    return {
        **asdict(explanation),
        "position": str(explanation.position or ""),
        "overridden": [str(place) for place in explanation.overridden],
    }


def about(explanation: Explanation) -> Iterator[str]:
    """What a person is told of one value and its origin."""
    shown = explanation.value if explanation.value not in (None, "") else "(empty)"
    yield f"{explanation.key}: {' '.join(str(shown).split())}"
    place = explanation.position
    yield f"  from {_place(place)}" if place else "  from nowhere: it is the default"
    for variable in explanation.variables:
        source = _SOURCES.get(variable.source, variable.source)
        yield f"  {variable.name} is `{variable.value}`, from {source}"
    yield from (f"  in place of {_place(other)}" for other in explanation.overridden)
    yield from (f"  {file} sets it too, and is not asked" for file in explanation.unused)


def _place(position: Position) -> str:
    return f"{position.file}:{position.line}" if position.line else str(position.file)

"""`invoke config`: the definition as it is read, and where each of its values comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.tasks import flags
from invoke_devstack.tasks.declare import STRICT_HELP, task

if TYPE_CHECKING:
    from invoke_devstack.definition import ValueOrigin
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.errors import Position
    from invoke_devstack.tasks.work import Work

_EVERY = "*"  # in the place of services, as Compose takes it
_SOURCES = {
    "environment": "your environment",
    "default": "its default in the file",
    "project": "the project",
    "unset": "nowhere (not set)",
}


@task(
    "config",
    json="answer",
    shorts={"output": "o", "quiet": "q"},
    other_services=True,  # `*`
    flags={
        "format": "`yaml` (default) or `json`.",
        "explain": "Show which file, line and variable this key or variable comes from.",
        "services": "Only the names of the services.",
        "images": "Only the images of the services.",
        "volumes": "Only the names of the volumes.",
        "networks": "Only the names of the networks.",
        "profiles": "Only the names of the profiles.",
        "models": "Only the names of the models.",
        "variables": "Only the variables that the files use: defaults, and what sets them.",
        "environment": "Only the environment from which variables are filled in, as NAME=value.",
        "hash": "Only the config hash of each service, or of these (`--hash web`); same as Compose's.",
        "service": "With `--hash`: only these services; `*` is all.",
        "output": "Write to this file instead of stdout.",
        "quiet": "Print nothing: only check the files.",
        "show_secrets": "Do not mask passwords and other secrets.",
        "strict": STRICT_HELP,
    },
)
def config(
    work: Work,
    format: str = "yaml",  # noqa: A002 - the flag's name
    explain: str = "",
    services: bool = False,
    images: bool = False,
    volumes: bool = False,
    networks: bool = False,
    profiles: bool = False,
    models: bool = False,
    variables: bool = False,
    environment: bool = False,
    hash: bool = False,  # noqa: A002 - the flag's name
    service: tuple[str, ...] = (),
    output: str = "",
    quiet: bool = False,
    show_secrets: bool = False,
    strict: bool = False,
) -> None:
    """Show the merged and interpolated Compose files."""
    wanted = {
        "services": services,
        "images": images,
        "volumes": volumes,
        "networks": networks,
        "profiles": profiles,
        "models": models,
        "hash": hash,
    }
    flags.at_most_one(explain=explain, variables=variables, environment=environment, **wanted)
    flags.at_most_one(variables=variables, output=output, quiet=quiet)
    style = flags.choice("format", format, ("yaml", "json"))
    if service and not hash:
        raise UsageError(
            "`config` takes services only with `--hash`",
            hint="Their hashes: `invoke config --hash`.",
        )
    if explain:
        _explain(work, explain, show_secrets=show_secrets)
        return
    if variables:
        _show_variables(work)
        return
    if environment:
        _show_environment(work, output, show_secrets=show_secrets)
        return
    if hash and not quiet:
        names = () if _EVERY in service else work.services(service)
        hashes = _hashes(work.compose_definition, names)
        _show(work, output, "\n".join(hashes), hashes)
        return
    part = next((name for name, chosen in wanted.items() if chosen), "")
    if quiet:
        _ = work.compose_definition
    elif part:
        items = _LISTS[part](work.named_definition if images else work.compose_definition)
        _show(work, output, "\n".join(items), items)
    else:
        _show_whole(work, style, output, show_secrets=show_secrets)


def _show(work: Work, output: str, text: str, data: object, *, with_secrets: bool = False) -> None:
    """Prints it, or writes it to the file `output`. Secrets are masked there too."""
    if not output:
        work.answer(text, data, with_secrets=with_secrets)
        return
    from pathlib import Path

    from invoke_devstack.events import Notice
    from invoke_devstack.local_files.replacing import replace_text

    shown = text if with_secrets else work.console.secrets.hide(text)
    replace_text(Path(output), shown if shown.endswith("\n") else f"{shown}\n")
    work.tell(Notice(text=f"written to {output}"))


def _show_whole(work: Work, style: str, output: str, *, show_secrets: bool) -> None:
    from invoke_devstack.definition import to_config, to_document, to_yaml

    data = to_config(work.named_definition, show_secrets=show_secrets)
    if style == "json":
        import json as json_module

        text = json_module.dumps(data, indent=2, ensure_ascii=False)
    else:
        text = to_yaml(to_document(work.compose_definition, show_secrets=show_secrets))
    _show(work, output, text, data, with_secrets=show_secrets)


def _show_variables(work: Work) -> None:
    from invoke_devstack.definition.output.variables import COLUMNS, used_variables

    work.gathers = True  # those that must be set, and are not, are shown too
    rows = used_variables(work.compose_definition)
    work.table("variables", COLUMNS, rows, empty="the files use no variables")


def _show_environment(work: Work, output: str, *, show_secrets: bool) -> None:
    """What is secret by its name is masked, of the shell's own variables too."""
    data = dict(sorted(work.compose_definition.environment.items()))
    work.console.secrets.learn(data)
    text = "\n".join(f"{name}={value}" for name, value in data.items())
    _show(work, output, text, data, with_secrets=show_secrets)


def _images(definition: Definition) -> list[str]:
    return [service.image_name(definition.name) for service in definition.services.values()]


def _profiles(definition: Definition) -> list[str]:
    return sorted({profile for service in definition.all_services.values() for profile in service.profiles})


def _hashes(definition: Definition, names: tuple[str, ...]) -> list[str]:
    from invoke_devstack.definition import config_hash

    return [f"{name} {config_hash(definition, name)}" for name in sorted(names or definition.services)]


_LISTS: Mapping[str, Callable[[Definition], list[str]]] = {
    "services": lambda definition: list(definition.services),
    "images": _images,
    "volumes": lambda definition: list(definition.volumes),
    "networks": lambda definition: list(definition.networks),
    "profiles": _profiles,
    "models": lambda definition: list(definition.models),
}


def _explain(work: Work, asked: str, *, show_secrets: bool) -> None:
    from invoke_devstack.definition import trace

    found = trace(work.compose_definition, asked, show_secrets=show_secrets)
    data = [_as_data(item) for item in found]
    text = "\n".join(line for item in found for line in about(item))
    work.answer(text, data, with_secrets=show_secrets)


def _as_data(origin: ValueOrigin) -> dict[str, object]:
    return {
        **asdict(origin),
        "position": str(origin.position or ""),
        "overridden": [str(place) for place in origin.overridden],
    }


def about(origin: ValueOrigin) -> Iterator[str]:
    """Lines that say what a value is and where it comes from."""
    shown = origin.value if origin.value not in (None, "") else "(empty)"
    yield f"{origin.key}: {' '.join(str(shown).split())}"
    place = origin.position
    if place:
        yield f"  from {_place(place)}"
    elif not origin.variables:
        yield "  from nowhere: this is the default"
    for variable in origin.variables:
        source = _SOURCES.get(variable.source, variable.source)
        yield f"  {variable.name} is `{variable.value}`, from {source}"
    yield from (f"  overrides {_place(other)}" for other in origin.overridden)
    yield from (f"  {file} sets it too, but is not used" for file in origin.unused)


def _place(position: Position) -> str:
    return f"{position.file}:{position.line}" if position.line else str(position.file)

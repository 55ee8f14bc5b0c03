"""What would become public with a definition's files: values of variables, what looks secret, bind mounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.processes.image import is_process
from invoke_devstack.records import record
from invoke_devstack.secrets import looks_secret, without_logins

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


@record
class Disclosure:
    """Each is a list of texts for people, without the values themselves: `web: COLOUR`."""

    variables: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    bind_mounts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.variables or self.secrets or self.bind_mounts)


def check_publishable(definition: Definition) -> None:
    """Raises UsageError for what would not work elsewhere: an image that only this machine has, and files
    that others refer to."""
    services = definition.all_services
    unnamed = sorted(name for name, item in services.items() if item.image is None and item.provider is None)
    if unnamed:
        raise UsageError(
            f"without `image`, nobody else can run {', '.join(f'`{name}`' for name in unnamed)}",
            hint="Set `image: registry.example.com/NAME:TAG` next to `build`; it is pushed first.",
        )
    further = [str(file) for file in definition.read_files if file not in definition.files]
    if further:
        raise UsageError(
            f"these files are included or extended, and would be missing: {', '.join(further)}",
            hint="`docker compose publish` takes files of `extends` along. Or publish what "
            "`invoke config --output FILE` writes.",
        )
    named = sorted(name for name, item in services.items() if item.env_file and not is_process(item))
    if named:
        raise UsageError(
            f"`env_file` of {', '.join(f'`{name}`' for name in named)} would be missing",
            hint="`docker compose publish --with-env` takes it along.",
        )


def disclosed(definition: Definition, roots: Iterable[Any]) -> Disclosure:
    """What the files say in plain text; `roots` are their contents as read, before variables are replaced. A
    value that is only a reference (`${NAME}`) is not in the files."""
    trees = [root for root in roots if isinstance(root, Mapping)]
    values = [item for root in trees for item in _values(root)]
    secrets = [place for place, name, value in values if looks_secret(name) or without_logins(value) != value]
    return Disclosure(
        variables=tuple(dict.fromkeys(place for place, _, _ in values if place not in secrets)),
        secrets=tuple(dict.fromkeys(secrets)),
        bind_mounts=tuple(
            f"{name}: {mount.source}"
            for name, service in sorted(definition.all_services.items())
            for mount in service.volumes
            if mount.type == "bind"
        ),
    )


def _values(root: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(place, name, value) of the variables of services and builds, and of what configs and secrets hold."""
    for service, keys in _tables(root.get("services")):
        for block in (keys, keys.get("build")):
            if isinstance(block, Mapping):
                for key in ("environment", "args"):
                    for name, value in _pairs(block.get(key)):
                        yield f"{service}: {name}", name, value
    for kind in ("configs", "secrets"):
        for name, keys in _tables(root.get(kind)):
            content = keys.get("content")
            if isinstance(content, str) and "$" not in content:
                yield f"{kind}: {name}", name, content


def _tables(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, keys in value.items() if isinstance(value, Mapping) else ():
        if isinstance(keys, Mapping):
            yield name, keys


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    """The variables with a value of their own, of a mapping or a list of `NAME=value`."""
    if isinstance(value, Mapping):
        pairs = [(str(name), "" if item is None else str(item)) for name, item in value.items()]
    else:
        texts = value if isinstance(value, list) else ()
        pairs = [(name, item) for name, _, item in (str(text).partition("=") for text in texts)]
    yield from ((name, item) for name, item in pairs if item and "$" not in item)

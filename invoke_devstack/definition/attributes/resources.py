"""`volumes`, `secrets`, `configs` and `models` at the top level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.definition.attributes import merge, paths
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.part import Part, Rewrite, ValueType, derived, key
from invoke_devstack.definition.syntax.tree import Location, Steps, Table, dotted, fail

FILLED_CONTENT = "x-#content"
"""The key of a secret's value from the environment: no file can have `content` in a secret."""


class _External(Part):
    """The old form: `external: {name: …}`."""

    name: str | None = key(t.TEXT)


EXTERNAL: ValueType[bool] = t.SWITCH.but(part=_External)


def expand_external(resource: Any, location: Location, steps: Steps) -> Any:
    """Long form of a resource: `external: {name: …}` becomes `external: true` and `name`."""
    external = resource.get("external") if isinstance(resource, Table) else None
    if not isinstance(external, Table):
        return resource
    resource["external"] = True
    if "name" in external:
        own = external.location_of("name")
        if "name" in resource and resource["name"] != external["name"]:
            raise fail(f"`{dotted(steps)}` has two names", own, steps, "Remove `external.name`.")
        resource.put("name", external["name"], own)
    return resource


class Volume(Part):
    """A named volume. `name` is what the engine calls it; an external one is not created here."""

    name: str = key(t.TEXT, default="")
    driver: str | None = key(t.TEXT)
    driver_opts: Mapping[str, str] = key(t.OPTIONS)
    external: bool = key(EXTERNAL)
    labels: Mapping[str, str] = key(t.LABELS.but(promote=merge.as_list))


def _verify_volume(volume: Any, location: Location, steps: Steps) -> Any:
    if isinstance(volume, Table) and volume.get("external") is True:
        for name in volume:
            if name not in ("name", "external") and not name.startswith("x-"):
                message = f"`{dotted(steps)}` is external, so it cannot have `{name}`"
                hint = "Keep only `external` and `name`."
                raise fail(message, volume.location_of(name), (*steps, name), hint)
    return volume


def _resolve_volume(volume: Any, location: Location, steps: Steps, base: paths.Base) -> Any:
    if isinstance(volume, Table) and volume.get("driver") == "local":
        options = volume.get("driver_opts")
        if isinstance(options, Table) and options.get("o") == "bind" and "device" in options:
            options["device"] = paths.host_path(options["device"], location, steps, base)
    return volume


VOLUMES: ValueType[Mapping[str, Volume]] = t.named(
    t.part(Volume, nothing=True, expand=expand_external, verify=_verify_volume, resolve=_resolve_volume)
)


def _one_source(*keys: str) -> Rewrite:
    wanted = f"{', '.join(f'`{name}`' for name in keys[:-1])} or `{keys[-1]}`"

    def verify(value: Table, location: Location, steps: Steps) -> Table:
        found = [name for name in keys if name in value]
        if len(found) > 1:
            message = f"`{dotted(steps)}` has both `{found[0]}` and `{found[1]}`"
            raise fail(message, value.location_of(found[1]), steps, "Keep one of them.")
        if not found and "driver" not in value and "external" not in value:
            raise fail(f"`{dotted(steps)}` needs {wanted}", value.location, steps)
        return value

    return verify


class FileObject(Part):
    """A secret or config: from a `file` (absolute path), or from a variable of the `environment`, whose value
    is then in `content`."""

    name: str = key(t.TEXT, default="")
    file: str | None = key(t.TEXT.but(resolve=paths.host_path))
    environment: str | None = key(t.TEXT)
    content: str | None = derived(None)
    external: bool = key(EXTERNAL.but(lenient=True), carried_out=False)
    labels: Mapping[str, str] = key(t.LABELS, carried_out=False)
    driver: str | None = derived(None)
    driver_opts: Mapping[str, str] = derived({})
    template_driver: str | None = key(t.TEXT, carried_out=False)


class Secret(FileObject):
    """A secret."""

    content: str | None = key(t.TEXT, file_name=FILLED_CONTENT, keep_zero=True, printed=False, shown=False)
    driver: str | None = key(t.TEXT, carried_out=False)
    driver_opts: Mapping[str, str] = key(t.TEXT_OPTIONS, carried_out=False)


class Config(FileObject):
    """A config, whose `content` the file may hold too."""

    content: str | None = key(t.TEXT, shown=False)


SECRETS: ValueType[Mapping[str, Secret]] = t.named(
    t.part(Secret, expand=expand_external, verify=_one_source("file", "environment"))
)
CONFIGS: ValueType[Mapping[str, Config]] = t.named(
    t.part(Config, expand=expand_external, verify=_one_source("file", "environment", "content"))
)


class Model(Part):
    """A model that a provider serves."""

    name: str | None = key(t.TEXT)
    model: str = key(t.TEXT, default="", required=True)
    context_size: int | None = key(t.COUNT.but(text=False, cast=None))
    runtime_flags: tuple[str, ...] = key(t.TEXTS)


MODELS: ValueType[Mapping[str, Model]] = t.named(t.part(Model), lenient=True)

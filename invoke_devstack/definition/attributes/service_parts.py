"""The smaller parts of a service: healthcheck, hooks, dependencies, devices, env files, limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from invoke_devstack.definition.attributes import decode, merge, paths
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.part import Part, ValueType, key
from invoke_devstack.definition.syntax.tree import (
    Items,
    Location,
    Steps,
    Table,
    dotted,
    fail,
    kind_of,
    table_of,
)
from invoke_devstack.definition.syntax.units import Bytes, Seconds


class Healthcheck(Part):
    """How an engine finds out that a container is healthy. `test` starts with NONE, CMD or CMD-SHELL."""

    test: tuple[str, ...] = key(t.replaced(t.TEXTS.but(text=True, decode=decode.healthcheck_test)))
    timeout: Seconds | None = key(t.DURATION, keep_zero=True)
    interval: Seconds | None = key(t.DURATION, keep_zero=True)
    retries: int | None = key(t.NUMBER.but(decode=decode.count), keep_zero=True)
    start_period: Seconds | None = key(t.DURATION, keep_zero=True)
    start_interval: Seconds | None = key(t.DURATION, keep_zero=True)
    disable: bool = key(t.SWITCH)


class Hook(Part):
    """A command to run in a container (`post_start`, `pre_stop`)."""

    command: tuple[str, ...] | None = key(t.COMMAND, required=True, always=True)
    user: str | None = key(t.TEXT)
    privileged: bool = key(t.SWITCH)
    working_dir: str | None = key(t.TEXT)
    environment: Mapping[str, str | None] = key(t.VARIABLES)


class PreStartHook(Hook):
    """A command to run in a separate container before the service's container starts."""

    command: tuple[str, ...] | None = key(t.COMMAND, always=True)
    image: str | None = key(t.TEXT)
    per_replica: bool = key(t.SWITCH)


class Logging(Part):
    """The log driver of a container."""

    driver: str | None = key(t.TEXT)
    options: Mapping[str, str] = key(t.OPTIONS.but(values=t.TEXT.but(number=True, nothing=True)))


def _merge_logging(base: Any, over: Any, kind: ValueType[Any], steps: Steps, location: Location) -> Any:
    for value in (base, over):
        if not isinstance(value, Table):
            raise fail(f"`{dotted(steps)}` must be a mapping, not {kind_of(value)}", location, steps)
    same_driver = base.get("driver") == over.get("driver")
    if same_driver or "driver" not in base or "driver" not in over:
        return merge.merge(base, over, kind, steps)
    return over


LOGGING: ValueType[Logging | None] = t.part(Logging, merge=_merge_logging)


class Dependency(Part):
    """What a service waits for of another one, and whether it restarts with it."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = key(
        t.one_of("service_started", "service_healthy", "service_completed_successfully"),
        default="service_started",
        required=True,
    )
    restart: bool = key(t.SWITCH)
    required: bool = key(t.FLAG, default=True, keep_zero=True)


def _as_dependencies(value: Any, location: Location, steps: Steps) -> Table:
    names = merge.by_name(value, location, steps)
    if isinstance(value, Items):
        for name in names:
            own = names.location_of(name)
            names[name] = table_of({"condition": "service_started", "required": True}, own)
    return names


def _expand_dependencies(value: Any, location: Location, steps: Steps) -> Table:
    dependencies = _as_dependencies(value, location, steps)
    for dependency in dependencies.values():
        dependency.setdefault("required", True)
    return dependencies


DEPENDS_ON: ValueType[Mapping[str, Dependency]] = t.named(
    t.part(Dependency),
    items=t.TEXT,
    distinct=True,
    promote=_as_dependencies,
    expand=_expand_dependencies,
)


class FileReference(Part):
    """A secret or config as a service uses it. `mode` is an octal text such as `0440`."""

    source: str = key(t.TEXT, default="")
    target: str | None = key(t.TEXT)
    uid: str | None = key(t.TEXT)
    gid: str | None = key(t.TEXT)
    mode: str | None = key(t.TEXT.but(number=True, decode=decode.octal_mode))


FILE_REFERENCE: ValueType[FileReference | None] = t.part(FileReference, text=True, expand=t.text_as("source"))


def file_references(folder: str, **settings: Any) -> ValueType[tuple[FileReference, ...]]:
    """Files that Compose mounts into `folder` where they have no target."""

    def identity(value: Any, location: Location, steps: Steps) -> str:
        if isinstance(value, Table):
            return str(value.get("target", f"{folder}/{value.get('source')}"))
        if isinstance(value, str):
            return f"{folder}/{value}"
        message = f"`{dotted(steps)}` must be a string or a mapping, not {kind_of(value)}"
        raise fail(message, location, steps)

    return t.list_of(FILE_REFERENCE.but(**settings), unique=merge.unique_by(identity))


def default_secret_target(reference: Table, location: Location, steps: Steps) -> Table:
    """Completes a secret's target."""
    reference.setdefault("target", f"/run/secrets/{reference.get('source') or ''}")
    return reference


class EnvFile(Part, extensible=False):
    """A file of environment variables. `format` None is Compose's own; `raw` takes values as they are."""

    path: str = key(t.TEXT.but(resolve=paths.path), default="", required=True)
    required: bool = key(t.SWITCH, default=True, keep_zero=True)
    format: str | None = key(t.TEXT)


def _path_of(value: Any, location: Location, steps: Steps) -> str:
    if isinstance(value, Table):
        if not isinstance(value.get("path"), str):
            raise fail(f"`{dotted(steps)}` needs a `path`", location, steps, "Add the path of the file.")
        return str(value["path"])
    return value if isinstance(value, str) else ""


def _expand_env_file(value: Any, location: Location, steps: Steps) -> Any:
    entry = table_of({"path": value}, location) if isinstance(value, str) else value
    entry.setdefault("required", True)
    return entry


ENV_FILES: ValueType[tuple[EnvFile, ...]] = t.list_of(
    t.part(EnvFile, text=True, expand=_expand_env_file),
    text=True,
    promote=merge.as_list,
    unique=merge.unique_by(_path_of),
    expand=t.listed,
)


class Extends(Part, extensible=False):
    """`extends`, which is carried out while files are read."""

    service: str = key(t.TEXT, default="", required=True)
    file: str | None = key(t.TEXT.but(resolve=paths.path))


class Device(Part):
    """A host device in a container."""

    source: str = key(t.TEXT, default="", required=True)
    target: str = key(t.TEXT, default="")
    permissions: str = key(t.TEXT, default="")


def _expand_device(value: Any, location: Location, steps: Steps) -> Any:
    if not isinstance(value, str):
        return value
    sections = value.split(":")
    if len(sections) > 3:
        raise fail(f"invalid device `{value}`", location, steps, "Write SOURCE:TARGET:PERMISSIONS.")
    target = sections[1] if len(sections) > 1 and sections[1] else sections[0]
    permissions = sections[2] if len(sections) == 3 else "rwm"
    return table_of({"source": sections[0], "target": target, "permissions": permissions}, location)


def _device_target(value: Any, location: Location, steps: Steps) -> str:
    if isinstance(value, str):
        sections = value.split(":")
        return sections[0] if len(sections) == 1 else sections[1]
    return merge.target(value, location, steps)


DEVICES: ValueType[tuple[Device, ...]] = t.list_of(
    t.part(Device, text=True, expand=_expand_device), unique=merge.unique_by(_device_target)
)


class WeightDevice(Part, extensible=False):
    """A block device and its share of I/O."""

    path: str = key(t.TEXT, default="", always=True, json_name="Path")
    weight: int = key(
        t.COUNT.but(decode=decode.count_up_to(65535), cast=None), default=0, always=True, json_name="Weight"
    )


class ThrottleDevice(Part, extensible=False):
    """A block device and its highest rate, in bytes or operations a second."""

    path: str = key(t.TEXT, default="", always=True, json_name="Path")
    rate: Bytes = key(t.WHOLE_SIZE, default=Bytes(0), always=True, json_name="Rate")


class BlkioConfig(Part, extensible=False):
    """Limits of block I/O."""

    weight: int | None = key(t.COUNT.but(decode=decode.count_up_to(65535), cast=None))
    weight_device: tuple[WeightDevice, ...] = key(t.list_of(t.part(WeightDevice)))
    device_read_bps: tuple[ThrottleDevice, ...] = key(t.list_of(t.part(ThrottleDevice)))
    device_read_iops: tuple[ThrottleDevice, ...] = key(t.list_of(t.part(ThrottleDevice)))
    device_write_bps: tuple[ThrottleDevice, ...] = key(t.list_of(t.part(ThrottleDevice)))
    device_write_iops: tuple[ThrottleDevice, ...] = key(t.list_of(t.part(ThrottleDevice)))


class CredentialSpec(Part):
    """Credentials of a managed Windows service account."""

    config: str | None = key(t.TEXT)
    file: str | None = key(t.TEXT)
    registry: str | None = key(t.TEXT)


_OPTION: ValueType[str | None] = t.TEXT.but(number=True, boolean=True)
_NO_OPTIONS: Mapping[str, tuple[str, ...]] = {}
_OPTIONS: ValueType[Mapping[str, tuple[str, ...]]] = ValueType(
    decode.option_lists, _NO_OPTIONS, values=_OPTION.but(items=_OPTION), names=t.ANY_TEXT, lenient=True
)


class Provider(Part):
    """A program that provides the service in place of containers."""

    type: str = key(t.TEXT, default="", required=True)
    options: Mapping[str, tuple[str, ...]] = key(_OPTIONS)


class ServiceModel(Part):
    """The variables that tell a service about a model."""

    endpoint_var: str | None = key(t.TEXT)
    model_var: str | None = key(t.TEXT)


class Ulimit(Part):
    """A limit with a soft and a hard value."""

    soft: int = key(t.COUNT.but(decode=decode.integer), default=0, required=True)
    hard: int = key(t.COUNT.but(decode=decode.integer), default=0, required=True)


_ULIMIT_NAME = re.compile(r"[a-z]+\Z")


def ulimits_of(kind: type[Ulimit], **settings: Any) -> ValueType[Mapping[str, int | Ulimit]]:
    """Limits by name; a single number is both values."""
    pair = t.part(kind)

    def decode_limit(value: Any) -> int | Ulimit:
        if value is None or isinstance(value, dict | Part):
            return pair.decode(value) or kind()
        return decode.integer(value) or kind()

    limit: ValueType[Any] = t.COUNT.but(decode=decode_limit, part=kind, **settings)
    return t.named(limit, names=_ULIMIT_NAME, lenient=True)


def _addresses(items: Any) -> list[str]:
    return [str(item) for item in items] if isinstance(items, list) else [decode.text(items)]


def _host_pairs(entry: str) -> list[tuple[str, str]]:
    separator = "=" if "=" in entry else ":"
    host, found, addresses = entry.partition(separator)
    if not found:
        raise decode.InvalidValueError(f"`{entry}` has no address; write HOST=ADDRESS")
    return [(host, address) for address in addresses.split(",")]


def _hosts(value: Any) -> tuple[str, ...]:
    """`name=address` texts, in order."""
    pairs = (
        [(host, item) for host, items in value.items() for item in _addresses(items)]
        if isinstance(value, dict)
        else [pair for item in value or () for pair in _host_pairs(str(item))]
    )
    for host, _ in pairs:
        if not host or set(host) & set(":="):
            raise decode.InvalidValueError(f"invalid host name `{host}`")
    bare = (
        (host, item[1:-1] if len(item) > 2 and item[0] + item[-1] == "[]" else item) for host, item in pairs
    )
    return tuple(sorted(f"{host}={address}" for host, address in bare))


EXTRA_HOSTS: ValueType[tuple[str, ...]] = ValueType(
    _hosts,
    (),
    items=t.TEXT,
    distinct=True,
    values=t.TEXT.but(items=t.TEXT),
    names=t.ANY_TEXT,
    pairs=True,
    promote=merge.as_list,
    merge=merge.append_new,
)

"""`build`, and `develop`, which rebuilds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invoke_devstack.definition.attributes import decode, paths
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.part import Part, ValueType, derived, key
from invoke_devstack.definition.attributes.service_parts import (
    EXTRA_HOSTS,
    FILE_REFERENCE,
    FileReference,
    Hook,
    Ulimit,
    ulimits_of,
)
from invoke_devstack.definition.syntax.tree import Items, Location, Steps, Table, fail
from invoke_devstack.definition.syntax.units import Bytes


class BuildUlimit(Ulimit):
    """A limit of a build, which Compose does not take from a variable."""

    soft: int = key(t.COUNT.but(decode=decode.integer, cast=None), default=0, required=True)
    hard: int = key(t.COUNT.but(decode=decode.integer, cast=None), default=0, required=True)


class SshKey(Part):
    """A key or agent that a build may use. Without `path`, the user's agent."""

    printed_as_text: ClassVar[bool] = True

    id: str = derived("")
    path: str | None = derived(None)

    def __str__(self) -> str:
        return f"{self.id}: {self.path}" if self.path else self.id


def _ssh_keys(value: Any) -> tuple[SshKey, ...]:
    return tuple(
        SshKey(id=name, **({"path": decode.text(path)} if path is not None else {}))
        for name, path in value.items()
    )


def _expand_ssh(value: Any, location: Location, steps: Steps) -> Any:
    if not isinstance(value, Items):
        return value
    result = Table(value.location)
    for text, own in value.entries():
        name, equals, path = text.partition("=")
        if not equals and name != "default":
            hint = "Write `default` or ID=PATH."
            raise fail(f"invalid SSH key `{text}`", own, steps, hint)
        result.put(name, path if equals else None, own)
    return result


def _expand_contexts(value: Any, location: Location, steps: Steps) -> Any:
    if not isinstance(value, Items):
        return value
    result = Table(value.location)
    for text, own in value.entries():
        name, equals, context = text.partition("=")
        if not equals:
            raise fail(f"invalid additional context `{text}`", own, steps, "Write NAME=CONTEXT.")
        result.put(name, context, own)
    return result


_CONTEXTS: ValueType[Mapping[str, str]] = t.paths_of(
    t.merged(t.LABELS).but(expand=_expand_contexts), paths.build_context
)
_SSH: ValueType[tuple[SshKey, ...]] = ValueType(
    _ssh_keys,
    (),
    items=t.TEXT,
    distinct=True,
    values=t.SCALAR.but(resolve=paths.host_path),
    names=t.ANY_TEXT,
    expand=_expand_ssh,
)


class Build(Part):
    """How a service's image is built. `context` is an absolute path or a URL."""

    context: str | None = key(t.TEXT.but(resolve=paths.build_context))
    dockerfile: str | None = key(t.TEXT)
    dockerfile_inline: str | None = key(t.TEXT)
    entitlements: tuple[str, ...] = key(t.TEXTS)
    args: Mapping[str, str | None] = key(t.merged(t.VARIABLES))
    provenance: str | None = key(t.SWITCH_OR_TEXT)
    sbom: str | None = key(t.SWITCH_OR_TEXT)
    ssh: tuple[SshKey, ...] = key(_SSH)
    labels: Mapping[str, str] = key(t.merged(t.LABELS))
    cache_from: tuple[str, ...] = key(t.TEXTS)
    cache_to: tuple[str, ...] = key(t.TEXTS)
    no_cache: bool = key(t.SWITCH)
    no_cache_filter: tuple[str, ...] = key(t.TEXT_OR_LIST)
    additional_contexts: Mapping[str, str] = key(_CONTEXTS)
    pull: bool = key(t.SWITCH)
    extra_hosts: tuple[str, ...] = key(EXTRA_HOSTS)
    isolation: str | None = key(t.TEXT)
    network: str | None = key(t.TEXT)
    target: str | None = key(t.TEXT)
    secrets: tuple[FileReference, ...] = key(t.list_of(FILE_REFERENCE))
    shm_size: Bytes | None = key(t.WHOLE_SIZE)
    tags: tuple[str, ...] = key(t.unique(t.TEXTS))
    ulimits: Mapping[str, int | Ulimit] = key(ulimits_of(BuildUlimit, cast=None))
    platforms: tuple[str, ...] = key(t.TEXTS)
    privileged: bool = key(t.SWITCH)


def _as_context(value: Any, location: Location, steps: Steps) -> Table:
    if isinstance(value, Table):
        return value
    result = Table(location)
    if isinstance(value, str):
        result.put("context", value, location)
    return result


BUILD: ValueType[Build | None] = t.part(
    Build, text=True, promote=_as_context, expand=t.text_as("context"), complete=t.defaults(context=".")
)


class WatchRule(Part):
    """One rule of `develop.watch`: what to do when something under `path` (absolute) changes."""

    path: str = key(t.TEXT.but(resolve=paths.watched_path), default="", required=True, always=True)
    action: Literal["sync", "rebuild", "restart", "sync+restart", "sync+exec"] = key(
        t.one_of("rebuild", "sync", "restart", "sync+restart", "sync+exec"), required=True, always=True
    )
    target: str | None = key(t.TEXT)
    exec: Hook | None = key(t.part(Hook), always=True)
    include: tuple[str, ...] = key(t.TEXT_OR_LIST.but(expand=t.listed))
    ignore: tuple[str, ...] = key(t.TEXT_OR_LIST.but(expand=t.listed))
    initial_sync: bool = key(t.FLAG)


def _verify_rule(rule: Table, location: Location, steps: Steps) -> Table:
    if rule.get("path") == "":
        raise fail("`path` is empty", rule.location_of("path"), (*steps, "path"), "Write `.` or a path.")
    return rule


class Develop(Part):
    """What the watch does for a service."""

    watch: tuple[WatchRule, ...] = key(t.list_of(t.part(WatchRule, verify=_verify_rule)))

"""`volumes` of a service, in long form and short (`SOURCE:TARGET:OPTIONS`)."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, Literal

from invoke_devstack.definition.attributes import decode, merge, paths
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.part import Part, ValueType, key
from invoke_devstack.definition.syntax.tree import Location, Steps, Table, dotted, fail, table_of
from invoke_devstack.definition.syntax.units import Bytes

_PROPAGATIONS = frozenset(("rprivate", "private", "rshared", "shared", "rslave", "slave"))


class BindOptions(Part):
    """Options of a mount of type bind."""

    selinux: str | None = key(t.one_of("z", "Z"))
    propagation: str | None = key(t.TEXT)
    create_host_path: bool = key(t.SWITCH)
    recursive: str | None = key(t.one_of("enabled", "disabled", "writable", "readonly"))


class VolumeOptions(Part):
    """Options of a mount of type volume."""

    labels: Mapping[str, str] = key(t.LABELS)
    nocopy: bool = key(t.SWITCH)
    subpath: str | None = key(t.TEXT)


class TmpfsOptions(Part):
    """Options of a mount of type tmpfs."""

    size: Bytes | None = key(t.between(t.WHOLE_SIZE, 0))
    mode: int | None = key(t.NUMBER.but(decode=decode.count_up_to(2**32 - 1), cast=None))


class ImageOptions(Part):
    """Options of a mount of type image."""

    subpath: str | None = key(t.TEXT)


class Mount(Part):
    """A mount. Of a volume `source` is its key in `volumes` (None: anonymous), of a bind an absolute path."""

    type: Literal["bind", "volume", "tmpfs", "cluster", "npipe", "image"] = key(
        t.one_of("bind", "volume", "tmpfs", "cluster", "npipe", "image"), required=True
    )
    source: str | None = key(t.TEXT)
    target: str | None = key(t.TEXT)
    read_only: bool = key(t.SWITCH)
    consistency: str | None = key(t.TEXT)
    bind: BindOptions | None = key(t.part(BindOptions), keep_zero=True)
    volume: VolumeOptions | None = key(t.part(VolumeOptions), keep_zero=True)
    tmpfs: TmpfsOptions | None = key(t.part(TmpfsOptions), keep_zero=True)
    image: ImageOptions | None = key(t.part(ImageOptions), keep_zero=True)


def _expand(value: Any, location: Location, steps: Steps) -> Any:
    return parse_mount(value, location, steps) if isinstance(value, str) else value


def _target(value: Any, location: Location, steps: Steps) -> str:
    if isinstance(value, str):
        return str(parse_mount(value, location, steps).get("target", ""))
    return merge.target(value, location, steps)


def _resolve(value: Any, location: Location, steps: Steps, base: paths.Base) -> Any:
    if not isinstance(value, Table) or value.get("type") != "bind":
        return value
    if not isinstance(value.get("source"), str):
        hint = "Add the path on this machine."
        raise fail(f"the bind mount `{dotted(steps)}` needs a `source`", location, steps, hint)
    value["source"] = paths.host_path(value["source"], location, steps, base)
    return value


MOUNTS: ValueType[tuple[Mount, ...]] = t.list_of(
    t.part(Mount, text=True, expand=_expand, resolve=_resolve),
    distinct=True,
    unique=merge.unique_by(_target),
)


def parse_mount(text: str, location: Location, steps: Steps) -> Table:
    """The long form of a mount. Raises DefinitionError for one that cannot be read."""
    if not text:
        raise fail(f"`{dotted(steps)}` is empty", location, steps, "Write SOURCE:TARGET or TARGET.")
    if len(text) <= 2:
        return table_of({"type": "volume", "target": text}, location)
    sections = _sections(text)
    if "" in sections:
        hint = "Write SOURCE:TARGET."
        raise fail(f"invalid mount `{text}`: nothing between two colons", location, steps, hint)
    if len(sections) > 3:
        hint = "Write SOURCE:TARGET:OPTIONS."
        raise fail(f"invalid mount `{text}`: too many colons", location, steps, hint)
    source = sections[0] if len(sections) > 1 else ""
    options = sections[2].split(",") if len(sections) == 3 else []
    result = Table(location)
    result.put("type", "bind" if is_path(source) else "volume", location)
    if source:
        result.put("source", source, location)
    result.put("target", posixpath.normpath(sections[1] if source else sections[0]), location)
    _put_options(result, options, location)
    return result


def _sections(text: str) -> list[str]:
    """The parts between colons; that of a Windows drive does not count."""
    sections = [""]
    for character in text:
        current = sections[-1]
        if character == ":" and not (len(current) == 1 and current.isalpha()):
            sections.append("")
        else:
            sections[-1] += character
    return sections


def _put_options(mount: Table, options: list[str], location: Location) -> None:
    bind, volume = Table(location), Table(location)
    for option in options:
        if option in ("ro", "rw"):
            mount.put("read_only", option == "ro", location)
        elif option == "nocopy":
            volume.put("nocopy", True, location)
        elif option in _PROPAGATIONS:
            bind.put("propagation", option, location)
        elif option in ("z", "Z"):
            bind.put("selinux", option, location)
    if mount["type"] == "bind":
        bind.put("create_host_path", True, location)
    if bind or mount["type"] == "bind":
        mount.put("bind", bind, location)
    if volume or mount["type"] == "volume":
        mount.put("volume", volume, location)
    if not mount.get("read_only"):
        mount.pop("read_only", None)


def is_path(source: str) -> bool:
    """Whether a mount's source is a path of the host rather than the name of a volume."""
    if source[:1] in ("", ".", "/", "~"):
        return bool(source)
    return source.startswith("\\\\") or (len(source) > 1 and source[0].isalpha() and source[1] == ":")

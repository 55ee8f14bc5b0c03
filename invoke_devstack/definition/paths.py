"""Relative paths of a definition, made absolute from the project directory."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from invoke_devstack.definition.tree import Items, Mark, Rules, Steps, Table, dotted, fail
from invoke_devstack.records import record


@record
class Base:
    """What relative paths start from, and what `~` stands for where that is known."""

    folder: Path
    home: str | None = None


Resolver = Callable[[Any, Base, Mark, Steps], Any]

_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")
_WINDOWS_ROOT = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def resolve_paths(root: Table, base: Base) -> None:
    """Makes the paths in `root` absolute, in place. Raises DefinitionError for a bind without a source."""
    _resolve(root, base, (), _RESOLVERS, root.mark)


def _resolve(value: Any, base: Base, steps: Steps, rules: Rules[Resolver], mark: Mark) -> Any:
    if rules.here is not None:
        return rules.here(value, base, mark, steps)
    if isinstance(value, Table):
        for key, item in value.items():
            below = rules.below(key)
            if below is not None:
                value[key] = _resolve(item, base, (*steps, key), below, value.mark_of(key))
    elif isinstance(value, Items):
        below = rules.below("*")
        for index, (item, own) in enumerate(value.entries()):
            if below is not None:
                value[index] = _resolve(item, base, (*steps, f"[{index}]"), below, own)
    return value


def expand_user(path: str, home: str | None) -> str:
    """`~` at the start as the home directory."""
    return clean(f"{home}/{path[1:]}") if path.startswith("~") and home else path


def clean(path: str) -> str:
    """A path without `.`, `..` and doubled slashes, as Go's `filepath.Clean` writes it."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def absolute(path: str, base: Base) -> str:
    """A path from `base`; an empty one stays empty."""
    path = expand_user(path, base.home)
    return path if not path or path.startswith("/") else clean(f"{base.folder}/{path}")


def is_remote_context(context: str) -> bool:
    """Whether a build context is no directory of this machine."""
    return "://" in context or context.startswith(("service:", *_REMOTE))


def _path(value: Any, base: Base, mark: Mark, steps: Steps) -> Any:
    return absolute(value, base) if isinstance(value, str) else value


def _context(value: Any, base: Base, mark: Mark, steps: Steps) -> Any:
    return value if not isinstance(value, str) or is_remote_context(value) else absolute(value, base)


def _host_path(value: Any, base: Base, mark: Mark, steps: Steps) -> Any:
    """A path that may be one of Windows, for an engine that runs there."""
    if not isinstance(value, str):
        return value
    path = expand_user(value, base.home)
    if path.startswith("/") or _WINDOWS_ROOT.match(path):
        return path
    return clean(f"{base.folder}/{path}")


def _watched(value: Any, base: Base, mark: Mark, steps: Steps) -> Any:
    path = absolute(value, base)
    for parent in [*reversed(Path(path).parents), Path(path)]:
        if parent.is_symlink():
            return path.replace(str(parent), str(parent.resolve()), 1)
    return path


def _mount(value: Any, base: Base, mark: Mark, steps: Steps) -> Any:
    if not isinstance(value, Table) or value.get("type") != "bind":
        return value
    if not isinstance(value.get("source"), str):
        raise fail(f"`{dotted(steps)}` is a bind and needs a `source`", mark, steps)
    value["source"] = _host_path(value["source"], base, mark, steps)
    return value


def _volume(value: Any, base: Base, mark: Mark, steps: Steps) -> Any:
    if not isinstance(value, Table) or value.get("driver") != "local":
        return value
    options = value.get("driver_opts")
    if isinstance(options, Table) and options.get("o") == "bind" and "device" in options:
        options["device"] = _host_path(options["device"], base, mark, steps)
    return value


_RESOLVERS: Rules[Resolver] = Rules(
    {
        "services.*.build.context": _context,
        "services.*.build.additional_contexts.*": _context,
        "services.*.build.ssh.*": _host_path,
        "services.*.env_file.*.path": _path,
        "services.*.extends.file": _path,
        "services.*.label_file.*": _path,
        "services.*.develop.watch.*.path": _watched,
        "services.*.volumes.*": _mount,
        "configs.*.file": _host_path,
        "secrets.*.file": _host_path,
        "volumes.*": _volume,
    }
)

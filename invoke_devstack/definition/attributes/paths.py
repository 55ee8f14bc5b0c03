"""Makes relative paths absolute. Keys that hold a path are declared with one of these rules (`resolve`)."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from invoke_devstack.definition.syntax.tree import Location, Steps
from invoke_devstack.records import record


@record
class Base:
    """The directory that relative paths start from, and what `~` means, if that is known."""

    folder: Path
    home: str | None = None


_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")
_WINDOWS_ROOT = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def clean(path: str) -> str:
    """A path without `.`, `..` and doubled slashes, as Go's `filepath.Clean` writes it."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def absolute(path: str, base: Base) -> str:
    """A path from `base`; an empty one stays empty."""
    path = _expand_home(path, base.home)
    return path if not path or path.startswith("/") else clean(f"{base.folder}/{path}")


def _expand_home(path: str, home: str | None) -> str:
    return clean(f"{home}/{path[1:]}") if path.startswith("~") and home else path


def is_remote_context(context: str) -> bool:
    """Whether a build context is something other than a directory of this machine."""
    return "://" in context or context.startswith(("service:", *_REMOTE))


def path(value: Any, location: Location, steps: Steps, base: Base) -> Any:
    """A path of this machine."""
    return absolute(value, base) if isinstance(value, str) else value


def build_context(value: Any, location: Location, steps: Steps, base: Base) -> Any:
    """A path, or the address of a remote context."""
    return value if not isinstance(value, str) or is_remote_context(value) else absolute(value, base)


def host_path(value: Any, location: Location, steps: Steps, base: Base) -> Any:
    """A path on the engine's machine, which may run Windows."""
    if not isinstance(value, str):
        return value
    expanded = _expand_home(value, base.home)
    if expanded.startswith("/") or _WINDOWS_ROOT.match(expanded):
        return expanded
    return clean(f"{base.folder}/{expanded}")


def watched_path(value: Any, location: Location, steps: Steps, base: Base) -> Any:
    """A path whose first symbolic link is followed."""
    found = absolute(value, base)
    for parent in [*reversed(Path(found).parents), Path(found)]:
        if parent.is_symlink():
            return found.replace(str(parent), os.path.realpath(parent), 1)
    return found

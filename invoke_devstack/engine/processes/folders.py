"""Where the processes of this machine are kept: a private folder of the user, one subfolder for each project.

DIRECTORY/PROJECT/supervisord.conf, socket              the supervisor
DIRECTORY/PROJECT/lock                                  locked by whoever changes what is there
DIRECTORY/PROJECT/events                                what happened, a line of JSON each
DIRECTORY/PROJECT/processes/ID/container.json           the body that the process was created with
DIRECTORY/PROJECT/processes/ID/state.json, lock, log    written by its recorder

A shell with another XDG_RUNTIME_DIR, or none, finds them too: whoever makes such a folder leaves a link to it
at a place that depends on the user alone, BASE/invoke-devstack-UID/elsewhere.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from invoke_devstack.errors import FileError

BASE = "/tmp"
"""A folder that every shell on this machine knows."""
_NAME = "invoke-devstack"
_ELSEWHERE = "elsewhere"
_SHORT_AND_PLAIN = re.compile(r"[\w./+-]{1,45}")
"""A socket's path has at most 103 characters on macOS, 107 on Linux, and supervisord's configuration splits
paths at spaces."""


def directory_of(engine_url: str) -> Path:
    """The folder of new projects on the engine at `engine_url`. It may not exist."""
    scheme, separator, path = engine_url.partition("://")
    if scheme == "unix":
        engine_url = scheme + separator + os.path.realpath(path)  # /var/run is /run
    return _runtime_directory() / _short_name(engine_url, 8)


def folder_of(directory: Path, project: str) -> Path:
    """The folder of one project: where it is already, else in `directory`."""
    name = _short_name(project, 12)
    found = (item / name for item in directories(directory) if (item / name).is_dir())
    return next(found, directory / name)


def directories(directory: Path) -> Iterator[Path]:
    """`directory`, and those for the same engine below other runtime directories of this user. None that
    somebody else could have written."""
    roots = (directory.parent, *_roots())
    return (root / directory.name for root in dict.fromkeys(roots) if is_ours(root))


def make_private(folder: Path) -> None:
    """Makes the folder and those above it for this user alone. Raises FileError if somebody else owns one."""
    root = next((item for item in _roots() if item in folder.parents), _runtime_directory())
    for path in (root, *reversed([item for item in folder.parents if root in item.parents]), folder):
        _make_one_private(path)
    _leave_link(root)


def _make_one_private(path: Path) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    state = path.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
        hint = f"Another user owns it; ask them to remove it, or set XDG_RUNTIME_DIR. Path: {path}"
        raise FileError(f"{path} cannot hold the processes of this user", hint=hint, reason="permission")
    if stat.S_IMODE(state.st_mode) != 0o700:
        path.chmod(0o700)


def _leave_link(root: Path) -> None:
    """So that every shell finds it, and removes links to what is gone. Without a place for links it goes on:
    shells like this one find it."""
    place = _fixed_place() / _ELSEWHERE
    link = place / _short_name(str(root), 12)
    if root == _fixed_place() or link.is_symlink():
        return
    with suppress(FileError, OSError):
        _make_one_private(place.parent)
        _make_one_private(place)
        for other in place.iterdir():
            if not other.exists():
                other.unlink(missing_ok=True)
        link.symlink_to(root)


def hold_any() -> bool:
    """Whether this user has a process, on any engine: takes neither a hash nor a pattern."""
    roots = filter(is_ours, dict.fromkeys(_roots()))
    projects = (project for root in roots for engine in _inside(root) for project in _inside(engine))
    return any(_inside(project / "processes") for project in projects)


def _inside(folder: Path) -> list[Path]:
    try:
        return [*folder.iterdir()]
    except OSError:
        return []


def process_folders(directory: Path) -> Iterator[Path]:
    """The folders of all processes, of all projects."""
    for place in directories(directory):
        yield from (item.parent for item in sorted(place.glob("*/processes/*/container.json")))


def _roots() -> Iterator[Path]:
    """All runtime directories of this user that are known."""
    yield _runtime_directory()
    fixed = _fixed_place()
    yield fixed
    if is_ours(fixed):
        with suppress(OSError):
            for link in sorted((fixed / _ELSEWHERE).iterdir()):
                yield link.readlink()


def _short_name(text: str, length: int) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _fixed_place() -> Path:
    return Path(BASE) / f"{_NAME}-{os.getuid()}"


def is_ours(path: Path) -> bool:
    """Whether nobody else could have written there: in /tmp everybody may make it before this user does."""
    try:
        state = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o022


def _runtime_directory() -> Path:
    """Below XDG_RUNTIME_DIR (https://specifications.freedesktop.org/basedir-spec/), if that will do."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if Path(runtime).is_absolute() and Path(runtime).is_dir() and _SHORT_AND_PLAIN.fullmatch(runtime):
        return Path(runtime, _NAME)
    base = tempfile.gettempdir()
    return Path(base if _SHORT_AND_PLAIN.fullmatch(base) else BASE) / f"{_NAME}-{os.getuid()}"

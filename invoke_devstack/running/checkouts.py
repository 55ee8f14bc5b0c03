"""Several checkouts of one repository on one machine: chooses a project name for each, and recognises stacks
of the same repository."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.reading.discover import normalised_name
from invoke_devstack.late_patterns import late
from invoke_devstack.planning import labels
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Lists
    from invoke_devstack.planning.plan import Body

_ORIGIN = late(r'^\[remote "origin"\]$(?:\n[ \t]+.*)*?\n[ \t]*url[ \t]*=[ \t]*(\S+)', re.MULTILINE)


@record
class Identity:
    """The project's name, and the directory of the other checkout (or "") that has the name which Compose
    would choose."""

    name: str
    other: str = ""


def choose_identity(engine: Lists, name: str, directory: Path) -> Identity:
    """The project's name for the checkout in `directory`, for which Compose would choose `name`.

    It is `name`, unless another checkout that still exists has containers (running or not) or volumes of
    that name. Then it is `name` and the folder's name. Our containers and volumes keep it from then on, so
    that neither the order of commands nor another branch changes it.
    """
    known = _known_name(engine, name, directory)
    if known:
        return Identity(known)
    other = _claimed_by(engine, name, directory)
    if not other:
        return Identity(name)
    others = tuple(_other_names(name, directory))
    free = (item for item in others if not _claimed_by(engine, item, directory))
    return Identity(next(free, others[-1]), other)


def _other_names(name: str, directory: Path) -> Iterator[str]:
    """For ~/b/app `app-b`; for ~/app-feature with `name: app` in its files `app-feature`."""
    folder = normalised_name(directory.name)
    if folder == name:
        folder = normalised_name(directory.parent.name)
    if folder and folder != name:
        yield folder if folder.startswith(f"{name}-") else f"{name}-{folder}"
    import hashlib  # the names before it are nearly always enough

    yield f"{name}-{hashlib.sha256(str(directory).encode()).hexdigest()[:8]}"


def _known_name(engine: Lists, name: str, directory: Path) -> str:
    """The first of its names that this checkout's containers, else its volumes, have; "" for a new one."""
    for find, key in ((engine.list_containers, labels.WORKING_DIR), (engine.list_volumes, labels.DIRECTORY)):
        entries = find({"label": [f"{key}={directory}"]})
        own = {_stack_of(entry.get("Labels") or {}) for entry in entries}
        names = chain((name,), _other_names(name, directory)) if own else ()
        for candidate in names:
            if candidate in own:
                return candidate
    return ""


def _stack_of(own: Mapping[str, str]) -> str | None:
    """The project; of something that belongs to a copy, that of the stack itself."""
    return own.get(labels.COPY_OF) or own.get(labels.PROJECT)


def _claimed_by(engine: Lists, name: str, directory: Path) -> str:
    """The directory of the checkout that has the project `name`, if it is another one. A directory that does
    not exist (moved, deleted, or on another machine) claims nothing."""
    wanted = {"label": [f"{labels.PROJECT}={name}"]}
    for entries, key in (
        (engine.list_containers(wanted), labels.WORKING_DIR),
        (engine.list_volumes(wanted), labels.DIRECTORY),
    ):
        places = _places(entries, key)
        if places:
            others = [place for place in places if _is_other(Path(place), directory)]
            return others[0] if len(others) == len(places) else ""
    return ""


def _places(entries: Iterable[Body], key: str) -> list[str]:
    found = {(entry.get("Labels") or {}).get(key, "") for entry in entries}
    return sorted(place for place in found if place)


def _is_other(place: Path, directory: Path) -> bool:
    try:
        return place.is_dir() and not place.samefile(directory)
    except OSError:
        return False


def is_same_repository(one: Path, other: Path, files: Sequence[Path]) -> bool:
    """Whether two directories are the same place in two checkouts of one repository: worktrees, clones of one
    origin, or, without git, equally named copies with the same `files` (absolute paths below `one`)."""
    roots = (_root(one), _root(other))
    if roots[0] and roots[1]:
        if roots[0] == roots[1] or one.relative_to(roots[0]) != other.relative_to(roots[1]):
            return False
        repositories = (_repository(roots[0]), _repository(roots[1]))
        return repositories[0] == repositories[1] or _same_origin(*repositories)
    if any(roots) or one == other or one.name != other.name:
        return False
    return bool(files) and all(_same_content(file, other / file.name, one) for file in files)


def _same_content(file: Path, twin: Path, base: Path) -> bool:
    twin = twin if file.parent == base else twin.parent / file.relative_to(base)
    try:
        return file.read_bytes() == twin.read_bytes()
    except OSError:
        return False


def _root(directory: Path) -> Path | None:
    """The root of the checkout that contains `directory`."""
    return next((item for item in (directory, *directory.parents) if (item / ".git").exists()), None)


def _repository(root: Path) -> Path:
    """The git directory that all worktrees of a repository share (see git's "gitrepository-layout")."""
    entry = root / ".git"
    if entry.is_dir():
        return entry.resolve()
    try:
        own = (root / entry.read_text(errors="replace").strip().removeprefix("gitdir: ")).resolve()
        return (own / (own / "commondir").read_text(errors="replace").strip()).resolve()
    except OSError:
        return entry.resolve()


def _same_origin(*repositories: Path) -> bool:
    origins = {_origin(repository) for repository in repositories}
    return len(origins) == 1 and None not in origins


def _origin(repository: Path) -> str | None:
    try:
        found = _ORIGIN.search((repository / "config").read_text(errors="replace"))
    except OSError:
        return None
    return found[1] if found else None

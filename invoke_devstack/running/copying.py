"""Copies files between this machine and a service's container (`invoke cp`), by the rules of `docker cp`:
https://docs.docker.com/reference/cli/docker/container/cp/
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke_devstack.errors import DevstackError, NotFoundError, ServiceError, UsageError
from invoke_devstack.events import Notice
from invoke_devstack.planning.explain_commands import explain_copy
from invoke_devstack.running.archives import extract, packed, reader
from invoke_devstack.running.choosing import find_containers, split_number
from invoke_devstack.running.session import Session

_GO_DIRECTORY = 1 << 31  # os.ModeDir of Go's os.FileMode, which the engine's stat shows


@dataclass(frozen=True, slots=True)
class _Place:
    """A path in a container."""

    container: str
    name: str
    service: str
    path: str


def copy(session: Session, source: str, destination: str) -> None:
    """Copies a file or folder. One of both is `SERVICE:PATH` (`web.2:/app` is in its second container).

    Into a folder that is there, it comes under its own name; `PATH/.` copies what is in a folder. Links
    are copied as links. Raises UsageError for two places of one kind, NotFoundError for what is not
    there, ServiceError for a service without a container.
    """
    inside_from, inside_to = _place(session, source), _place(session, destination)
    if session.explain and bool(inside_from) != bool(inside_to):
        session.emit(explain_copy(_by_hand(inside_from, source), _by_hand(inside_to, destination)))
    if inside_from and not inside_to:
        _copy_out(session, inside_from, Path(destination))
    elif inside_to and not inside_from:
        _copy_in(session, Path(source), inside_to, contents=source.endswith("/."))
    else:
        raise UsageError(
            "one of both places is in a service, the other on this machine",
            hint="For example: `invoke cp web:/app/log .`, or `invoke cp dump.sql mysql:/tmp/`.",
        )
    session.emit(Notice(text=f"Copied {source} to {destination}."))


def _by_hand(place: _Place | None, text: str) -> str:
    return f"{place.name}:{place.path}" if place else text


def _place(session: Session, text: str) -> _Place | None:
    name, colon, path = text.partition(":")
    service = split_number(session.definition, name)[0]
    known = {**session.definition.services, **session.definition.disabled_services}
    if not colon or service not in known:
        return None
    container, container_name = _container(session, name)
    return _Place(container, container_name, service, path or "/")


def _container(session: Session, name: str) -> tuple[str, str]:
    """(id, name). Running or not: a container that has ended can be copied from too."""
    found = find_containers(session.engine, session.definition, name)
    if not found:
        service, _ = split_number(session.definition, name)
        hint = f"`invoke up -s {service}` makes and starts it."
        raise ServiceError(f"`{name}` has no container", service=service, hint=hint)
    return str(found[0]["Id"]), str(found[0]["Names"][0]).lstrip("/")


# out of a container


def _copy_out(session: Session, source: _Place, destination: Path) -> None:
    if not destination.is_dir() and not destination.parent.is_dir():
        raise NotFoundError(
            f"{destination.parent} is no folder", hint="Make it first: copying makes one level, no more."
        )
    _, blocks = session.engine.get_archive(source.container, source.path)
    with closing(blocks):
        if destination.is_dir():
            extract(reader(blocks), destination)
        elif source.path.endswith("/.") or source.path == "/":
            destination.mkdir()
            extract(reader(blocks), destination)
        else:
            extract(reader(blocks), destination.parent, rename=destination.name)


# into a container


def _copy_in(session: Session, source: Path, destination: _Place, *, contents: bool) -> None:
    if not os.path.lexists(source):
        raise NotFoundError(
            f"{source} does not exist", hint="Paths of this machine start at the current folder."
        )
    folder, name = _target(session, destination, source, contents=contents)
    with packed(source, name) as archive:
        session.engine.put_archive(destination.container, folder, archive)


def _target(session: Session, destination: _Place, source: Path, *, contents: bool) -> tuple[str, str]:
    """(folder in the container, name in it). Name `.` is the folder itself."""
    path = destination.path
    if _is_directory(_stat(session, destination.container, f"{path.rstrip('/')}/.")):
        return path, "." if contents else source.resolve().name
    if path.endswith("/") and not source.is_dir():
        raise NotFoundError(
            f"{path} is no folder in {destination.service}", hint="Leave out the slash, or make it."
        )
    parent = posixpath.dirname(path.rstrip("/")) or "/"
    if not _is_directory(_stat(session, destination.container, f"{parent.rstrip('/')}/.")):
        raise NotFoundError(
            f"{parent} is no folder in {destination.service}",
            hint=f"Make it first: `invoke exec {destination.service} -- mkdir -p {parent}`.",
        )
    return parent, posixpath.basename(path.rstrip("/"))


def _stat(session: Session, container: str, path: str) -> Mapping[str, Any] | None:
    try:
        return session.engine.stat_path(container, path)
    except NotFoundError:
        raise
    except DevstackError:  # a file where a folder was looked for
        return None


def _is_directory(found: Mapping[str, Any] | None) -> bool:
    return found is not None and bool(int(found.get("mode", 0)) & _GO_DIRECTORY)

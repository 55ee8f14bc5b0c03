"""Copies files between this machine and a service's container (`invoke cp`), with the rules of `docker cp`:
https://docs.docker.com/reference/cli/docker/container/cp/
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

from invoke_devstack.engine.protocol import GO_DIRECTORY
from invoke_devstack.engine.transport.dialing import readable
from invoke_devstack.errors import (
    CommandExited,
    DevstackError,
    FileError,
    NotFoundError,
    ServiceError,
    UsageError,
)
from invoke_devstack.events import Notice
from invoke_devstack.local_files.failures import file_error
from invoke_devstack.local_files.replacing import writing
from invoke_devstack.planning.explaining.task_commands import explain_copy
from invoke_devstack.planning.selection import check_names
from invoke_devstack.running.inside import terminal
from invoke_devstack.running.inside.archives import extract, packed, pass_on, reader
from invoke_devstack.running.selection import find_containers, hint_for, split_number
from invoke_devstack.running.session import Session

STREAM = "-"
_GO_LINK = 1 << 27  # os.ModeSymlink
_BLOCK = 1 << 18
_LARGEST_IN_MEMORY = 1 << 24
_CHECK_SECONDS = 0.2  # between looks at whether a signal has come
_NO_ARCHIVE, _SEND = "there is no archive on stdin", "Send one: `… < files.tar`."
_INTO = "Give the path of a directory in the container."


@dataclass(frozen=True, slots=True)
class _Place:
    """A path in a container."""

    container: str
    name: str
    service: str
    path: str

    @property
    def by_hand(self) -> str:
        """As `docker cp` takes it."""
        return f"{self.name}:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOptions:
    """`follow_link`: copy what the source leads to, if it is a link. `keep_owners`: into a container, files
    keep the ids of their owners. `with_one_offs`: containers of `run` are meant too."""

    follow_link: bool = False
    keep_owners: bool = False
    with_one_offs: bool = False


DEFAULT = CopyOptions()


def copy(session: Session, source: str, destination: str, options: CopyOptions = DEFAULT) -> None:
    """Copies a file or directory. Exactly one of both is `SERVICE:PATH` (`web.2:/app`: the second container).
    Without a number, it is copied out of the first container, and into all of them, as Compose does. The
    other may be `-`: a tar archive on stdin or stdout.

    In an existing directory, the copy keeps its name; `PATH/.` copies the content of a directory. Links are
    copied as links. Raises UsageError if one is empty, or if both or neither are in a service, NotFoundError
    for a missing path, ServiceError for a service without a container, FileError for what cannot be read or
    written here.
    """
    if not (source and destination):
        raise UsageError(
            f"empty {'destination' if source else 'source'}",
            hint="Is a variable empty? `.` is this directory.",
        )
    inside_from, inside_to = _places(session, source, options), _places(session, destination, options)
    if bool(inside_from) == bool(inside_to):
        _refuse_unknown_service(session, source, destination)
        raise UsageError(
            "exactly one of the two paths must be in a service",
            hint="For example: `invoke cp web:/app/log .`, or `invoke cp dump.sql mysql:/tmp/`.",
        )
    if inside_from:
        _explain(session, inside_from[0].by_hand, destination, options)
        _copy_out(session, inside_from[0], destination, options)
    elif source == STREAM:
        for place in inside_to:
            _explain(session, source, place.by_hand, options)
        _copy_archive_in(session, inside_to)
    else:
        for place in inside_to:
            _explain(session, source, place.by_hand, options)
            _copy_in(session, source, place, options)
    several = f", in {len(inside_to)} containers" if len(inside_to) > 1 else ""
    session.emit(Notice(text=f"Copied {source} to {destination}{several}."))


def _explain(session: Session, source: str, destination: str, options: CopyOptions) -> None:
    if session.explain:
        session.emit(explain_copy(source, destination, follow_link=options.follow_link))


def _refuse_unknown_service(session: Session, *paths: str) -> None:
    """A path like `wbe:/app` that is none on this machine is meant to be in a service."""
    known = session.definition.all_services
    for path in paths:
        name, colon, inside = path.partition(":")
        if colon and inside.startswith("/") and not os.path.lexists(path):
            service = split_number(session.definition, name)[0]
            check_names((service,), known)


def _places(session: Session, text: str, options: CopyOptions) -> tuple[_Place, ...]:
    """One in each container that is meant, running or not; none if it is a path of this machine."""
    name, colon, path = text.partition(":")
    service = split_number(session.definition, name)[0]
    if not colon or service not in session.definition.all_services:
        return ()
    if not path:
        hint = f"Is a variable empty? `{name}:/` is everything in the container."
        raise UsageError(f"empty path in `{text}`", hint=hint)
    found = find_containers(session.engine, session.definition, name, one_offs=options.with_one_offs)
    if not found:
        hint = hint_for(session.definition, name, f"Create and start it: `invoke up -s {service}`.")
        raise ServiceError(f"`{name}` has no container", service=service, hint=hint)
    return tuple(_Place(str(item["Id"]), str(item["Names"][0]).lstrip("/"), service, path) for item in found)


# out of a container


def _copy_out(session: Session, source: _Place, destination: str, options: CopyOptions) -> None:
    path = _link_followed(session, source) if options.follow_link else source.path
    found, blocks = session.engine.get_archive(source.container, path)
    with closing(blocks):
        if destination == STREAM:
            _write_to_stdout(session, blocks)
            return
        contents = source.path.endswith("/.") or source.path == "/"
        folder, name = _target_here(destination, is_folder=_is_directory(found), contents=contents)
        left_out = extract(reader(_checked(session, blocks)), folder, rename=name)
    if left_out:
        text = f"Left out, because they are pipes or devices: {', '.join(left_out[:5])}"
        more = f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
        session.emit(Notice(text=f"{text}{more}.", level="warning"))


def _checked(session: Session, blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        session.interrupt.check()
        yield block


def _write_to_stdout(session: Session, blocks: Iterator[bytes]) -> None:
    if os.isatty(1):
        raise UsageError(
            "the archive would be written to the terminal", hint="Send it somewhere: `… - > files.tar`."
        )
    try:
        pass_on(_checked(session, blocks), lambda block: terminal.write(1, block))
    except terminal.OutputClosed as closed:
        raise CommandExited(closed.exit_code) from None


def _target_here(destination: str, *, is_folder: bool, contents: bool) -> tuple[Path, str]:
    """(directory on this machine, name in it); the name is "" where the copy keeps its own."""
    path = Path(destination)
    if path.is_dir():
        return path, ""
    if path.exists() and not path.is_file():
        hint = "Write an archive to stdout: `-`."
        raise FileError(
            f"cannot write {destination}: it is a device, a pipe or a socket", hint=hint, reason="kind"
        )
    if path.exists() and (is_folder or destination.endswith("/")):
        raise FileError(
            f"cannot copy {'a directory ' if is_folder else ''}to {destination}: it is a file",
            hint="Choose another target, or move the file.",
            reason="kind",
        )
    missing = path if destination.endswith("/") and not is_folder else path.parent
    if missing.exists() and not missing.is_dir():
        raise FileError(
            f"cannot copy to {destination}: {missing} is a file", hint="Choose another target.", reason="kind"
        )
    if not missing.is_dir():
        raise NotFoundError(
            f"the directory {missing} does not exist", hint=f"Create it: `mkdir -p {missing}`."
        )
    if contents:
        with writing(path):
            path.mkdir()
        return path, ""
    target = Path(os.path.realpath(path))
    return target.parent, target.name


# into a container


def _copy_in(session: Session, source: str, destination: _Place, options: CopyOptions) -> None:
    path = Path(source)
    _check_source(path)
    if options.follow_link:
        path = _followed(path)
    own_name = "." if source.endswith("/.") else _own_name(Path(source))
    folder, name = _target(session, destination, path, own_name)
    session.engine.put_archive(
        destination.container,
        folder,
        _checked(session, packed(path, name, keep_owners=options.keep_owners)),
        keep_kinds=True,
    )


def _copy_archive_in(session: Session, places: Sequence[_Place]) -> None:
    """Into several containers, the archive is kept in a file until all have it."""
    if os.isatty(0):
        raise UsageError(_NO_ARCHIVE, hint=_SEND)
    for place in places:
        if not _is_directory(_stat(session, place.container, f"{place.path.rstrip('/')}/.")):
            raise NotFoundError(f"{place.path} is not a directory in {place.service}", hint=_INTO)
    blocks = iter(lambda: _arriving(session), b"")
    first = next(blocks, None)
    if first is None:
        raise UsageError(_NO_ARCHIVE, hint=_SEND)
    with SpooledTemporaryFile(_LARGEST_IN_MEMORY) as kept:
        arriving: Iterator[bytes] = chain((first,), blocks)
        for number, place in enumerate(places, 1):
            sent = _kept(arriving, kept) if number == 1 < len(places) else arriving
            session.engine.put_archive(place.container, place.path, sent, keep_kinds=True)
            kept.seek(0)
            arriving = iter(partial(kept.read, _BLOCK), b"")


def _kept(blocks: Iterator[bytes], file: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    for block in blocks:
        file.write(block)
        yield block


def _arriving(session: Session) -> bytes:
    """The next bytes on stdin; b"" at its end."""
    while not readable([0], _CHECK_SECONDS):
        session.interrupt.check()
    return os.read(0, _BLOCK)


def _check_source(source: Path) -> None:
    if not os.path.lexists(source):
        raise NotFoundError(
            f"{source} does not exist", hint="Paths on this machine are relative to the current directory."
        )
    if not (source.is_symlink() or source.is_file() or source.is_dir()):
        hint = "Write what it gives to a file, and copy that."
        raise FileError(f"cannot copy {source}: it is a pipe, a socket or a device", hint=hint, reason="kind")


def _followed(link: Path) -> Path:
    try:
        return Path(os.path.realpath(link, strict=True))
    except OSError as error:
        raise file_error(error, "copy", link) from error


def _own_name(source: Path) -> str:
    """A link has its own name, not that of what it leads to; `.` and `..` have that of their directory."""
    return source.name if source.name not in ("", "..") else Path(os.path.realpath(source)).name


def _target(session: Session, destination: _Place, source: Path, own_name: str) -> tuple[str, str]:
    """(directory in the container, name in it). The name `.` is the directory itself."""
    path = _link_followed(session, destination)
    is_folder = source.is_dir() and not source.is_symlink()
    if _is_directory(_stat(session, destination.container, f"{path.rstrip('/')}/.")):
        return path, own_name
    if path.endswith("/") and not is_folder:
        raise NotFoundError(
            f"{path} is not a directory in {destination.service}", hint="Leave out the slash, or create it."
        )
    parent = posixpath.dirname(path.rstrip("/")) or "/"
    if not _is_directory(_stat(session, destination.container, f"{parent.rstrip('/')}/.")):
        raise NotFoundError(
            f"{parent} is not a directory in {destination.service}",
            hint=f"Create it: `invoke exec {destination.service} -- mkdir -p {parent}`.",
        )
    if is_folder and _stat(session, destination.container, path.rstrip("/")) is not None:
        raise NotFoundError(
            f"cannot copy a directory to {path}: it is a file in {destination.service}", hint=_INTO
        )
    return parent, posixpath.basename(path.rstrip("/"))


def _link_followed(session: Session, destination: _Place) -> str:
    """The path that the destination, if it is a link, leads to."""
    found = _stat(session, destination.container, destination.path.rstrip("/") or "/")
    if found is None or not int(found.get("mode", 0)) & _GO_LINK:
        return destination.path
    return posixpath.join(posixpath.dirname(destination.path), str(found.get("linkTarget", "")))


def _stat(session: Session, container: str, path: str) -> Mapping[str, Any] | None:
    try:
        return session.engine.stat_path(container, path)
    except NotFoundError:
        raise
    except DevstackError:  # a file where a directory was expected
        return None


def _is_directory(found: Mapping[str, Any] | None) -> bool:
    return found is not None and bool(int(found.get("mode", 0)) & GO_DIRECTORY)

"""Compares a container with the host: finds edits that were made while nothing was watching.

The container itself is asked, not the date of its image. Size and modification time are compared first; if
they leave doubt, checksums decide, so that nothing is sent twice.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from shlex import quote
from typing import IO

from invoke_devstack.errors import NotFoundError
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.planning.watching.actions import Change, CompiledRule, relative
from invoke_devstack.running.inside.archives import reader
from invoke_devstack.running.watch.changes.tree_scan import ignored_directories, walk_names
from invoke_devstack.running.watch.changes.walk import lstat
from invoke_devstack.running.watch.delivery.sync_container import SyncContainer
from invoke_devstack.running.watch.delivery.upload import open_no_follow

_CHUNK = 1024 * 1024
_PATHS_PER_SCRIPT = 500
_LISTED = re.compile(rb"([0-9a-f]+) (\d+) (\d+) (/.*)", re.DOTALL)
_RACY = 2.0  # seconds: two edits this close together may have the same time and size


class _Verdict(Enum):
    SAME = auto()
    DIFFERENT = auto()
    UNSURE = auto()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A path in the container. `mtime` in whole seconds."""

    path: str
    mode: int
    size: int
    mtime: int


def differences(container: SyncContainer, rule: CompiledRule) -> Iterator[Change]:
    """What `container` lacks of the paths that `rule` covers. What only the container has may be its own."""
    listing = container.ask(_listing_script(rule))
    if listing is None or listing.startswith(b"no tools"):
        yield from _compare_archive(container, rule)
    else:
        yield from _compare_listing(container, rule, listing)


def _missing(rule: CompiledRule, seen: set[int]) -> Iterator[Change]:
    """What the host has beyond `seen`, which contains hashes: they take a tenth of the memory of paths."""
    for path, directory in walk_names(rule):
        if hash(path) not in seen:
            yield Change(path, "added", directory)


# by a listing that the container's shell makes


def _listing_script(rule: CompiledRule) -> str:
    """Prints mode, size, time and name of everything below the rule's target."""
    skipped = (rule.container_path(path) for path in ignored_directories(rule))
    prune = " ".join(f"-path {quote(_literal(path))} -prune -o" for path in skipped)
    target = quote(rule.target)
    return f"""
for tool in find stat sha256sum readlink; do
  command -v $tool >/dev/null || {{ echo "no tools"; exit 0; }}
done
if [ -e {target} ] || [ -L {target} ]; then
  find {target} {prune} -exec stat -c '%f %s %Y %n' {{}} +
fi"""


def _literal(path: str) -> str:
    """A pattern of `find` that matches `path` only."""
    return re.sub(r"([\\*?\[])", r"\\\1", path)


def _compare_listing(container: SyncContainer, rule: CompiledRule, listing: bytes) -> Iterator[Change]:
    seen: set[int] = set()
    unsure: list[tuple[str, str]] = []
    created = seconds_of(container.created)
    for entry in _entries(listing):
        host = _host_path(rule, relative(entry.path, rule.target))
        status = lstat(host) if host else None
        if status is None or not rule.covers(host, directory=stat.S_ISDIR(status.st_mode)):
            continue
        seen.add(hash(host))
        verdict = _compare(entry, status, created)
        if verdict is _Verdict.DIFFERENT:
            yield Change(host, "modified", stat.S_ISDIR(status.st_mode))
        elif verdict is _Verdict.UNSURE:
            unsure.append((host, entry.path))
    for start in range(0, len(unsure), _PATHS_PER_SCRIPT):
        yield from _compare_content(container, unsure[start : start + _PATHS_PER_SCRIPT])
    yield from _missing(rule, seen)


def _host_path(rule: CompiledRule, inside: str | None) -> str:
    """The path on the host; "" for None."""
    if inside is None:
        return ""
    return f"{rule.root}/{inside}" if inside else rule.root


def _entries(listing: bytes) -> Iterator[_Entry]:
    """The entries of a listing. A line that is none continues the name before it, which contains a
    newline."""
    held: list[bytes] = []
    for line in io.BytesIO(listing):
        if held and _LISTED.match(line):
            yield _entry(b"".join(held))
            held.clear()
        held.append(line)
    if held:
        yield _entry(b"".join(held))


def _entry(text: bytes) -> _Entry:
    match = _LISTED.fullmatch(text.removesuffix(b"\n"))
    if match is None:
        return _Entry("", 0, 0, 0)
    mode, size, mtime, path = match.groups()
    return _Entry(os.fsdecode(path), int(mode, 16), int(size), int(mtime))


def _compare(entry: _Entry, status: os.stat_result, created: float) -> _Verdict:
    """`created`: when the container was created, in seconds since the epoch."""
    if stat.S_IFMT(entry.mode) != stat.S_IFMT(status.st_mode):
        return _Verdict.DIFFERENT
    # The modes may differ on purpose (`COPY --chmod`), unless the host's changed after the container was
    # created.
    if stat.S_IMODE(entry.mode) != stat.S_IMODE(status.st_mode) and status.st_ctime > created:
        return _Verdict.SAME if stat.S_ISLNK(status.st_mode) else _Verdict.DIFFERENT
    if stat.S_ISDIR(status.st_mode):
        return _Verdict.SAME
    if stat.S_ISREG(status.st_mode) and entry.size != status.st_size:
        return _Verdict.DIFFERENT
    settled = int(status.st_mtime) == entry.mtime and created - status.st_mtime > _RACY
    return _Verdict.SAME if settled and not stat.S_ISLNK(status.st_mode) else _Verdict.UNSURE


def _compare_content(container: SyncContainer, pairs: list[tuple[str, str]]) -> Iterator[Change]:
    """Compares the checksums of files and the targets of links. `pairs` are (host path, container path)."""
    answer = container.ask(_content_script(pairs)) or b""
    lines = answer.decode("utf-8", "surrogateescape").split("\n")
    for index, (host, _) in enumerate(pairs):
        found = lines[index] if index < len(lines) else ""
        try:
            same = found == _content_line(host)
        except OSError:
            continue  # it is gone now, which is another event
        if not same:
            yield Change(host, "modified")


def _content_script(pairs: list[tuple[str, str]]) -> str:
    """Prints one line per pair, `sha256 …` or `link …`, whatever goes wrong."""
    lines = ['file() { s=$(sha256sum < "$1" 2>/dev/null) || s=none; echo "sha256 ${s%% *}"; }']
    lines.append("link() { echo \"link $(readlink \"$1\" | tr '\\n' ' ')\"; }")
    for host, path in pairs:
        kind = "link" if Path(host).is_symlink() else "file"
        lines.append(f"{kind} {quote(path)}")
    return "\n".join(lines)


def _content_line(host: str) -> str:
    if Path(host).is_symlink():
        return f"link {Path(host).readlink()} "
    with open_no_follow(host) as file:
        return f"sha256 {_digest(file)}"


# by an archive that the engine makes, of a container without a shell


def _compare_archive(container: SyncContainer, rule: CompiledRule) -> Iterator[Change]:
    seen: set[int] = set()
    try:
        _, blocks = container.engine.get_archive(container.id, rule.target)
    except NotFoundError:
        pass  # then everything is missing
    else:
        # An engine cuts the archive off where a file changes as it reads it: the rest counts as missing.
        with closing(blocks), reader(blocks) as archive, suppress(tarfile.TarError):
            for member in archive:
                host = _host_path(rule, member.name.rstrip("/").partition("/")[2])
                if not _is_same(host, member, archive) and rule.covers(host):
                    yield Change(host, "modified")
                seen.add(hash(host))
    yield from _missing(rule, seen)


def _is_same(host: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> bool:
    """Whether the host has the same. A member that the host lacks is the container's own: True."""
    status = lstat(host)
    if status is None:
        return True
    if stat.S_ISLNK(status.st_mode):
        return member.issym() and member.linkname == str(Path(host).readlink())
    if stat.S_ISDIR(status.st_mode):
        return member.isdir()
    if not stat.S_ISREG(status.st_mode) or member.size != status.st_size:
        return not stat.S_ISREG(status.st_mode)
    content = archive.extractfile(member) if member.isfile() else None
    if content is None:
        return False
    with open_no_follow(host) as file:
        return _digest(file) == _digest(content)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()

"""What a container lacks of what the host has: edits that were made while nothing watched.

The container itself is asked, not the date of its image. Size and time of modification are compared
first; where they leave a doubt, a checksum decides, so that what is the same is never sent again.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shlex
import stat
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from invoke_devstack.errors import NotFoundError
from invoke_devstack.planning.watching import Change, Rule, relative
from invoke_devstack.running.archives import reader
from invoke_devstack.running.watch.batch import lstat
from invoke_devstack.running.watch.parcel import open_itself
from invoke_devstack.running.watch.survey import ignored_directories, walk_names
from invoke_devstack.running.watch.target import Target
from invoke_devstack.running.watch.times import seconds_of

_CHUNK = 1024 * 1024
_PATHS_A_SCRIPT = 500
_ENTRY = re.compile(rb"([0-9a-f]+) (\d+) (\d+) (/.*)", re.DOTALL)
_RACY = 2.0  # seconds: two edits so close together may have the same time and size


@dataclass(frozen=True, slots=True)
class _Found:
    """What the container has at `path`. `mtime` in whole seconds."""

    path: str
    mode: int
    size: int
    mtime: int


def differences(target: Target, rule: Rule) -> Iterator[Change]:
    """What `target` lacks of what `rule` covers. (What it has beyond that may be its own: it stays.)"""
    listing = target.ask(_listing_script(rule))
    if listing is None or listing.startswith(b"no tools"):
        yield from _compare_archive(target, rule)
    else:
        yield from _compare_listing(target, rule, listing)


def _listing_script(rule: Rule) -> str:
    """Prints mode, size, time and name of all that is below the rule's target."""
    skipped = (rule.container_path(path) for path in ignored_directories(rule))
    prune = " ".join(f"-path {shlex.quote(_literal(path))} -prune -o" for path in skipped)
    target = shlex.quote(rule.target)
    return f"""
for tool in find stat sha256sum readlink; do
  command -v $tool >/dev/null || {{ echo "no tools"; exit 0; }}
done
if [ -e {target} ] || [ -L {target} ]; then
  find {target} {prune} -exec stat -c '%f %s %Y %n' {{}} +
fi"""


def _literal(path: str) -> str:
    """As a pattern of `find` that stands for `path` alone."""
    return re.sub(r"([\\*?\[])", r"\\\1", path)


def _compare_listing(target: Target, rule: Rule, listing: bytes) -> Iterator[Change]:
    seen: set[int] = set()  # hashes of paths: a tenth of the paths' own memory
    doubtful: list[tuple[str, str]] = []
    made = seconds_of(target.created)
    for found in _entries(listing):
        inside = relative(found.path, rule.target)
        if inside is None:
            continue
        host = f"{rule.root}/{inside}" if inside else rule.root
        status = lstat(host)
        if status is None or not rule.covers(host, directory=stat.S_ISDIR(status.st_mode)):
            continue
        seen.add(hash(host))
        verdict = _verdict(found, status, made)
        if verdict == "differs":
            yield Change(host, "modified", stat.S_ISDIR(status.st_mode))
        elif verdict == "unsure":
            doubtful.append((host, found.path))
    for start in range(0, len(doubtful), _PATHS_A_SCRIPT):
        yield from _compare_content(target, doubtful[start : start + _PATHS_A_SCRIPT])
    for path, directory in walk_names(rule):
        if hash(path) not in seen:
            yield Change(path, "added", directory)


def _verdict(found: _Found, status: os.stat_result, made: float) -> str:
    """same, differs, or unsure."""
    if stat.S_IFMT(found.mode) != stat.S_IFMT(status.st_mode):
        return "differs"
    # A mode may differ by intent (`COPY --chmod`); one changed after the container was made does not.
    if stat.S_IMODE(found.mode) != stat.S_IMODE(status.st_mode) and status.st_ctime > made:
        return "same" if stat.S_ISLNK(status.st_mode) else "differs"
    if stat.S_ISDIR(status.st_mode):
        return "same"
    if stat.S_ISREG(status.st_mode) and found.size != status.st_size:
        return "differs"
    settled = int(status.st_mtime) == found.mtime and made - status.st_mtime > _RACY
    return "same" if settled and not stat.S_ISLNK(status.st_mode) else "unsure"


def _compare_content(target: Target, pairs: list[tuple[str, str]]) -> Iterator[Change]:
    """Checksums of files and targets of links, of the container's side against the host's."""
    answer = target.ask(_one_line_each(pairs)) or b""
    lines = answer.decode("utf-8", "surrogateescape").split("\n")
    for index, (host, _) in enumerate(pairs):
        said = lines[index] if index < len(lines) else ""
        try:
            same = said == _own_word(host)
        except OSError:
            continue  # it went away: an event tells of that
        if not same:
            yield Change(host, "modified")


def _one_line_each(pairs: list[tuple[str, str]]) -> str:
    """A script that prints one line for each pair, `sha256 …` or `link …`, whatever goes wrong."""
    lines = ['file() { s=$(sha256sum < "$1" 2>/dev/null) || s=none; echo "sha256 ${s%% *}"; }']
    lines.append("link() { echo \"link $(readlink \"$1\" | tr '\\n' ' ')\"; }")
    for host, path in pairs:
        kind = "link" if Path(host).is_symlink() else "file"
        lines.append(f"{kind} {shlex.quote(path)}")
    return "\n".join(lines)


def _own_word(host: str) -> str:
    if Path(host).is_symlink():
        return f"link {Path(host).readlink()} "
    with open_itself(host) as file:
        return f"sha256 {_digest(file)}"


def _compare_archive(target: Target, rule: Rule) -> Iterator[Change]:
    """The same from the archive that the engine makes of the target, running or not."""
    seen: set[int] = set()
    try:
        _, blocks = target.engine.get_archive(target.id, rule.target)
    except NotFoundError:
        pass  # then all is missing
    else:
        with closing(blocks):
            yield from _compare_members(blocks, rule, seen)
    for path, directory in walk_names(rule):
        if hash(path) not in seen:
            yield Change(path, "added", directory)


def _compare_members(blocks: Iterator[bytes], rule: Rule, seen: set[int]) -> Iterator[Change]:
    with reader(blocks) as archive:
        for member in archive:
            _, _, inside = member.name.rstrip("/").partition("/")
            host = f"{rule.root}/{inside}" if inside else rule.root
            seen.add(hash(host))
            if not _is_same(host, member, archive) and rule.covers(host):
                yield Change(host, "modified")


def _is_same(host: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> bool:
    """Whether the host has the same; what it has not at all counts as the container's own."""
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
    with open_itself(host) as file:
        return _digest(file) == _digest(content)


def _entries(listing: bytes) -> Iterator[_Found]:
    """The lines of a listing; one that is none goes on the name before it, which holds a newline."""
    held: list[bytes] = []
    for line in io.BytesIO(listing):
        if held and _ENTRY.match(line):
            yield _found(b"".join(held))
            held.clear()
        held.append(line)
    if held:
        yield _found(b"".join(held))


def _found(entry: bytes) -> _Found:
    match = _ENTRY.fullmatch(entry.removesuffix(b"\n"))
    if match is None:
        return _Found("", 0, 0, 0)
    mode, size, mtime, path = match.groups()
    return _Found(os.fsdecode(path), int(mode, 16), int(size), int(mtime))


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()

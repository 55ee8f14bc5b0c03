"""The one place where an error of the operating system about a file becomes a sentence."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path

from invoke_devstack.errors import FileError, FileReason
from invoke_devstack.records import record


@record
class _Cause:
    """`hint` may contain `{file}` and `{folder}`, each quoted for a shell."""

    reason: FileReason
    words: str
    hint: str = ""


_SPACE = "Free some space: `df -h {folder}`."
_OWNER = "Check the permissions: `ls -ld {folder} {file}`."
_LIMIT = "Raise the limit, and try again: `ulimit -n 8192`."
_CAUSES = {
    errno.ENOSPC: _Cause("no-space", "no space left on the disk", _SPACE),
    errno.EDQUOT: _Cause("no-space", "your disk quota is used up", _SPACE),
    errno.EFBIG: _Cause("no-space", "it would exceed the limit for files", "See the limit: `ulimit -f`."),
    errno.EROFS: _Cause(
        "read-only", "the disk is read-only", "See how it is mounted: `findmnt -T {folder}`."
    ),
    errno.EACCES: _Cause("permission", "permission denied", _OWNER),
    errno.EPERM: _Cause("permission", "the operation is not permitted", _OWNER),
    errno.EMFILE: _Cause("too-many-files", "this command has too many open files", _LIMIT),
    errno.ENFILE: _Cause("too-many-files", "this machine has too many open files"),
    errno.ENOENT: _Cause("missing", "no such file or directory", "See what is there: `ls -la {folder}`."),
    errno.ENOTDIR: _Cause(
        "kind", "a part of its path is not a directory", "See what is there: `ls -ld {folder}`."
    ),
    errno.EISDIR: _Cause("kind", "it is a directory", "Give the path of a file, or move the directory."),
    errno.EEXIST: _Cause("exists", "it exists already", "Move what is there: `ls -ld {file}`."),
    errno.ENOTEMPTY: _Cause("exists", "the directory is not empty", "See what is there: `ls -la {file}`."),
    errno.ELOOP: _Cause("links", "its symbolic links form a loop", "See where they lead: `ls -ld {file}`."),
    errno.ENAMETOOLONG: _Cause("name", "its name is too long"),
    errno.EILSEQ: _Cause("name", "its name has characters that the file system does not support"),
    errno.EINVAL: _Cause("name", "the file system does not support that"),
    errno.EBUSY: _Cause("busy", "it is in use, or something is mounted there", "See: `findmnt {file}`."),
    errno.ETXTBSY: _Cause("busy", "it is a running program"),
    errno.EXDEV: _Cause("busy", "it is on another disk"),
    errno.ENXIO: _Cause("kind", "it is a socket or a device without a server"),
    errno.ENODEV: _Cause("kind", "it is a device that does not exist"),
    errno.EIO: _Cause("disk", "the disk reports an error", "See the kernel's messages: `sudo dmesg | tail`."),
    errno.ESTALE: _Cause("disk", "the network file system no longer has it"),
}

_CLOSED = _Cause("kind", "it is closed")


def describes_a_file(error: OSError) -> bool:
    """Whether the error is about a file of this machine, not a connection or a process."""
    return error.errno in _CAUSES and not isinstance(error, ConnectionError)


def file_error(error: OSError, action: str = "use", file: Path | str | None = None) -> FileError:
    """The error that says why `file` cannot be read, written, or whatever `action` is."""
    name = os.fsdecode(error.filename) if file is None and isinstance(error.filename, str | bytes) else file
    if name is None and error.errno == errno.ENOENT and _here_is_gone():
        hint = "Change to one that exists: `cd`."
        return FileError("the current directory no longer exists", hint=hint, reason="missing")
    cause = _CAUSES.get(error.errno or 0) or _Cause("", error.strerror or str(error))
    what = "a file" if name is None else str(name)
    return FileError(
        f"cannot {action} {what}: {cause.words}", hint=_hint(cause, name, action), reason=cause.reason
    )


def unwritable(error: OSError) -> FileError:
    """The error for a stdout that takes no more output."""
    cause = _CLOSED if error.errno in (None, errno.EBADF) else _CAUSES.get(error.errno or 0)
    cause = cause or _Cause("", error.strerror or str(error))
    hint = "Send it to another disk, or free some space: `df -h`." if cause.reason == "no-space" else ""
    return FileError(f"cannot write to stdout: {cause.words}", hint=hint, reason=cause.reason)


def _hint(cause: _Cause, name: Path | str | None, action: str) -> str:
    if name is None and "{" in cause.hint:
        return ""
    path = Path(name or ".")
    if not _here_is_gone():
        path = path.absolute()
    folder = path if cause.reason == "no-space" and path.is_dir() else path.parent
    hint = cause.hint
    if cause.reason == "missing" and action == "write" and not folder.exists():
        hint = "Create the directory: `mkdir -p {folder}`."
    return hint.format(file=shlex.quote(str(path)), folder=shlex.quote(str(folder)))


def _here_is_gone() -> bool:
    """Whether the current directory was removed."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False

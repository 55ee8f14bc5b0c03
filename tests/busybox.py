"""The root file system of a small image, made from the static busybox of this machine."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path


def static_busybox() -> Path:
    """Where Debian's busybox-static puts it. Raises StopIteration if it is not there."""
    return next(path for path in (Path("/bin/busybox"), Path("/usr/bin/busybox")) if path.exists())


def busybox_root(program: Path) -> bytes:
    """A tar with busybox, which is `program`, and a link for each of its commands."""
    names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("bin", "tmp", "etc", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        archive.add(program.resolve(), "bin/busybox")
        for name in set(names) - {"busybox"}:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/bin/busybox"
            archive.addfile(entry)
    return buffer.getvalue()

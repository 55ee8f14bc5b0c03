"""The image of the small services: one static busybox."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterator

from benchmarks.pairing import BenchmarkError


@contextlib.contextmanager
def base_image() -> Iterator[str]:
    """The name of an image that is there while entered. Raises BenchmarkError where there is no busybox.

    Its content is of this run alone. On a layer that it knows from an earlier run, the engine compares a
    new layer file by file, and then sleeps to the next full second of the clock.
    """
    name = f"devstack-bench/{uuid.uuid4().hex[:8]}:1"
    subprocess.run(
        ("docker", "import", "-c", "ENV PATH=/bin", "-", name),
        input=_root_file_system(name),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield name
    finally:
        subprocess.run(("docker", "rmi", name), capture_output=True, check=False)


def _root_file_system(mark: str) -> bytes:
    program = shutil.which("busybox")
    if program is None:
        raise BenchmarkError("a static busybox is needed: apt-get install busybox-static")
    names = subprocess.run((program, "--list"), capture_output=True, text=True, check=True).stdout.split()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder in ("bin", "tmp", "www", "www/src", "www/big"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        entry = tarfile.TarInfo("mark")
        entry.size = len(mark)
        tar.addfile(entry, io.BytesIO(mark.encode()))
        tar.add(program, "bin/busybox")
        for link in sorted({*names} - {"busybox"}):
            entry = tarfile.TarInfo(f"bin/{link}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return archive.getvalue()

"""Snapshots as files: to another stack, and what is refused of those from elsewhere."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from pathlib import Path

import pytest

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.planning.plans.snapshots import PROJECT
from invoke_devstack.running.snapshots import files
from tests.engine.running.snapshots.conftest import AWKWARD, LISTING, restore, shell, take
from tests.engine.stacks import Stack


@pytest.mark.parametrize("file_name", ["db.tar", "db.tgz"])
def test_a_snapshot_moves_to_another_stack_as_a_file(
    stack: Stack, other: Stack, tmp_path: Path, file_name: str
) -> None:
    stack.up()
    shell(stack, AWKWARD)
    take(stack)
    before = shell(stack, LISTING)
    file = tmp_path / file_name
    size = files.export(stack.session(), "one", file)
    assert size == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="already exists"):
        files.export(stack.session(), "one", file)
    made = files.import_(other.session(), file, name="moved")
    assert (made.project, made.service, made.name) == (other.project, "db", "moved")
    restore(other, "moved")
    assert shell(other, LISTING) == before


def archive_of(*members: tuple[tarfile.TarInfo, bytes], about: dict[str, object] | None = None) -> bytes:
    told = about or {
        "format": 1,
        "service": "db",
        "name": "evil",
        "volumes": ["data"],
        "created_at": "2026-01-01T00:00:00+00:00",
        "size": 1,
    }
    content = json.dumps(told).encode()
    first = tarfile.TarInfo("devstack-snapshot.json")
    first.size = len(content)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry, data in ((first, content), *members):
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, link, size
    return entry


@pytest.mark.parametrize(
    "content",
    [
        archive_of((member("snapshot/../etc/passwd"), b"")),
        archive_of((member("/etc/passwd"), b"")),
        archive_of((member("elsewhere/file"), b"")),
        archive_of((member("snapshot/another/file"), b"")),
        archive_of(
            (member("snapshot/data/out", tarfile.SYMTYPE, "/etc"), b""),
            (member("snapshot/data/out/passwd"), b""),
        ),
        archive_of((member("snapshot/data/hard", tarfile.LNKTYPE, "etc/passwd"), b"")),
        archive_of((member("snapshot/data/disk", tarfile.BLKTYPE), b"")),
        archive_of((member("snapshot/data/file", size=5000), b"x" * 5000))[:2000],
        archive_of(about={"format": 2}),
        archive_of(about={"format": 1}),
        b"not an archive at all",
        b"",
    ],
)
def test_a_file_that_could_do_harm_or_is_none_is_refused_and_leaves_nothing(
    stack: Stack, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "evil.tar"
    file.write_bytes(content)
    with pytest.raises(DevstackError):
        files.import_(stack.session(), file)
    assert stack.engine.list_volumes({"label": [f"{PROJECT}={stack.project}"]}) == []
    assert stack.engine.list_containers({"label": [f"com.docker.compose.project={stack.project}"]}) == []


def test_a_file_that_is_not_there_is_told_so(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="cannot read"):
        files.import_(stack.session(), tmp_path / "nothing.tar")

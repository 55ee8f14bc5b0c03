"""What is read from the host at the last moment."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from invoke_devstack.planning.watching.actions import PathPair
from invoke_devstack.running.watch.delivery.archive import engine_archive, shell_archive
from invoke_devstack.running.watch.delivery.sync_container import resolve_owner
from invoke_devstack.running.watch.delivery.upload import read_upload


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything, so for a moment we are somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def copy(path: Path, *, directory: bool = False) -> PathPair:
    return PathPair(str(path), f"/app/{path.name}", directory)


def test_a_file_that_may_not_be_read_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    locked, open_ = tmp_path / "locked", tmp_path / "open"
    for file in (locked, open_):
        file.write_text("x")
    locked.chmod(0)
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
        folder.chmod(0o755)
    with as_nobody():
        upload = read_upload([copy(locked), copy(open_)], [])
    assert [path for path, _ in upload.unreadable] == [str(locked)]
    assert [item.path for item in upload.items] == ["/app/open"]


def test_a_file_that_vanished_meanwhile_is_deleted(tmp_path: Path) -> None:
    upload = read_upload([copy(tmp_path / "gone")], [])
    assert (upload.deletions, upload.unreadable) == (["/app/gone"], [])


def test_a_deletion_of_what_is_there_again_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "back").write_text("x")
    assert read_upload([], [copy(tmp_path / "back")]).deletions == []


def test_a_link_is_carried_as_a_link_wherever_it_leads(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (item,) = read_upload([copy(tmp_path / "link")], []).items
    assert (item.kind, item.link, item.content) == ("link", "/etc/passwd", None)


def test_a_pipe_or_socket_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not read_upload([copy(tmp_path / "pipe")], [])


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    (item,) = read_upload([copy(large)], []).items
    assert item.content is None
    with tarfile.open(fileobj=io.BytesIO(engine_archive([item], (1, 2)).read())) as archive:
        (member,) = archive.getmembers()
    assert (member.name, member.size, member.uid, member.gid) == ("app/large", 9 * 1024 * 1024, 1, 2)


def test_the_helpers_archive_ends_right_after_its_content(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    data = shell_archive(read_upload([copy(file)], []), (0, 0)).read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["0/a", "apply"]
    assert len(data) < tarfile.RECORDSIZE


PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:,,,:/home/app:/bin/sh\nbroken line\n"
GROUP = "root:x:0:\nwww:x:33:app\n"


@pytest.mark.parametrize(
    ("name", "group", "owner"),
    [
        ("app", "", (1000, 1001)),
        ("app", "www", (1000, 33)),
        ("app", "44", (1000, 44)),
        ("1000", "", (1000, 1001)),
        ("1234", "", (1234, 0)),
        ("1234", "www", (1234, 33)),
        ("nobody", "", (0, 0)),
    ],
)
def test_the_owner_is_the_user_as_docker_reads_it(name: str, group: str, owner: tuple[int, int]) -> None:
    assert resolve_owner(name, group, PASSWD, GROUP) == owner

"""What a container sends is written into the named folder, and nowhere else."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from invoke_devstack.errors import DevstackError
from invoke_devstack.running.archives import extract, packed, reader


def archive(*members: tuple[str, bytes | str, bytes]) -> tarfile.TarFile:
    """(name, type or content, link target)"""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, rest in members:
            entry = tarfile.TarInfo(name)
            if kind == "file":
                entry.size = len(rest)
                tar.addfile(entry, io.BytesIO(rest))
                continue
            entry.type = {"dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}[str(kind)]
            entry.linkname = rest.decode()
            tar.addfile(entry)
    data = buffer.getvalue()
    return reader(iter([data[index : index + 100] for index in range(0, len(data), 100)]))


def test_files_folders_and_links_come_out_as_they_were(tmp_path: Path) -> None:
    extract(
        archive(
            ("app", "dir", b""),
            ("app/a", "file", b"one"),
            ("app/b", "hard", b"app/a"),
            ("app/c", "link", b"/elsewhere"),
        ),
        tmp_path,
    )
    assert (tmp_path / "app/a").read_bytes() == b"one"
    assert (tmp_path / "app/b").samefile(tmp_path / "app/a")
    assert (tmp_path / "app/c").readlink() == Path("/elsewhere")


def test_the_first_part_of_the_names_can_be_another(tmp_path: Path) -> None:
    extract(
        archive(("app", "dir", b""), ("app/a", "file", b"x"), ("app/b", "hard", b"app/a")),
        tmp_path,
        rename="new",
    )
    assert (tmp_path / "new/a").read_bytes() == (tmp_path / "new/b").read_bytes() == b"x"


def test_what_is_there_is_written_over_and_a_link_there_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    extract(archive(("a", "file", b"new")), folder)
    assert outside.read_bytes() == b"mine"
    assert (folder / "a").read_bytes() == b"new"


@pytest.mark.parametrize(
    "members",
    [
        [("../evil", "file", b"x")],
        [("a/../../evil", "file", b"x")],
        [("a", "link", b".."), ("a/evil", "file", b"x")],
        [("a", "link", b"/tmp"), ("a/evil/deep", "file", b"x")],
        [("a", "link", b".."), ("b", "hard", b"a/secret")],
        [("b", "hard", b"../secret")],
    ],
)
def test_nothing_leaves_the_folder(tmp_path: Path, members: list[tuple[str, str, bytes]]) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(DevstackError, match="leads out"):
        extract(archive(*members), folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "secret"]
    assert not Path("/tmp/evil").exists()


def test_an_absolute_name_lands_inside(tmp_path: Path) -> None:
    extract(archive(("/etc/passwd", "file", b"x")), tmp_path)
    assert (tmp_path / "etc/passwd").read_bytes() == b"x"


def test_what_is_packed_belongs_to_root_and_keeps_links(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "f").write_bytes(b"x")
    (source / "l").symlink_to("/etc/passwd")
    with packed(source, "dst") as file, tarfile.open(fileobj=file) as tar:
        found = {member.name: member for member in tar}
    assert sorted(found) == ["dst", "dst/f", "dst/l"]
    assert {(member.uid, member.gid) for member in found.values()} == {(0, 0)}
    assert found["dst/l"].linkname == "/etc/passwd"

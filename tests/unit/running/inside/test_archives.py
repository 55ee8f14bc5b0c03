"""What a container sends is written into the named folder, and nowhere else."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.errors import DevstackError, FileError
from invoke_devstack.running.inside.archives import extract, packed, pass_on, reader
from tests.unit.local_files.disk import only_root, small_disk

_TYPES = {
    "dir": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "hard": tarfile.LNKTYPE,
    "pipe": tarfile.FIFOTYPE,
    "device": tarfile.CHRTYPE,
}


def raw(*members: tuple[str, bytes | str, bytes]) -> bytes:
    """(name, type, content or link target)"""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, rest in members:
            entry = tarfile.TarInfo(name)
            if kind == "file":
                entry.size = len(rest)
                tar.addfile(entry, io.BytesIO(rest))
                continue
            entry.type = _TYPES[str(kind)]
            entry.linkname = rest.decode()
            tar.addfile(entry)
    return buffer.getvalue()


def archive(*members: tuple[str, bytes | str, bytes]) -> tarfile.TarFile:
    data = raw(*members)
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
    with pytest.raises(DevstackError, match="outside the target directory"):
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
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed(source, "dst")))) as tar:
        found = {member.name: member for member in tar}
    assert sorted(found) == ["dst", "dst/f", "dst/l"]
    assert {(member.uid, member.gid) for member in found.values()} == {(0, 0)}
    assert found["dst/l"].linkname == "/etc/passwd"


def folder_with(tmp_path: Path, name: str, content: bytes) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_bytes(content)
    return folder


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "big", b"old")
    cut = raw(("big", "file", bytes(100_000)))[:50_000]
    with pytest.raises(DevstackError, match="damaged"):
        extract(reader(iter([cut])), folder)
    assert [(item.name, item.read_bytes()) for item in folder.iterdir()] == [("big", b"old")]


@only_root
def test_an_old_file_stays_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "big").write_bytes(b"old")
        with pytest.raises(FileError, match="no space left"):
            extract(archive(("big", "file", bytes(100_000))), disk)
        assert [(item.name, item.read_bytes()) for item in disk.iterdir()] == [("big", b"old")]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_directory_is_not_replaced_by_a_file_nor_a_file_by_a_directory(tmp_path: Path, kind: str) -> None:
    folder = folder_with(tmp_path, "a", b"mine")
    (folder / "b").mkdir()
    with pytest.raises(FileError, match="not a directory"):
        extract(archive(("a", "dir", b"")), folder)
    with pytest.raises(FileError, match="is a directory"):
        extract(archive(("b", kind, b"x")), folder)
    assert (folder / "a").read_bytes() == b"mine"
    assert (folder / "b").is_dir()


def test_a_hard_link_leads_only_to_what_the_archive_brought(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "mine", b"mine")
    with pytest.raises(DevstackError, match="outside the target directory"):
        extract(archive(("evil", "hard", b"mine")), folder)
    assert [item.name for item in folder.iterdir()] == ["mine"]


def test_pipes_and_devices_are_left_out_and_named(tmp_path: Path) -> None:
    assert extract(archive(("pipe", "pipe", b""), ("null", "device", b"")), tmp_path) == ("pipe", "null")
    assert list(tmp_path.iterdir()) == []


def test_headers_without_an_end_and_sparse_files_are_refused(tmp_path: Path) -> None:
    endless = tarfile.TarInfo("x")
    endless.type, endless.size = tarfile.XHDTYPE, 1 << 40
    sparse = tarfile.TarInfo("x")
    sparse.type = tarfile.GNUTYPE_SPARSE
    for member in (endless, sparse):
        header = member.tobuf(tarfile.USTAR_FORMAT if member is sparse else tarfile.GNU_FORMAT)
        with pytest.raises(DevstackError, match="damaged"):
            extract(reader(iter([header, *[bytes(1 << 20)] * 4])), tmp_path)


def test_odd_names_and_times_go_both_ways(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    names = [b"a\nb", b"t\tb", b"-rf", b"x\xffy", b"n" * 255, "\u00fc".encode() * 127]
    for name in names:
        (source / os.fsdecode(name)).write_bytes(name)
    (source / "loop").symlink_to("loop")
    os.utime(source / "-rf", (0, -1))
    folder = tmp_path / "out"
    folder.mkdir()
    extract(reader(packed(source, "src")), folder)
    found = {os.fsencode(item.name): item for item in (folder / "src").iterdir()}
    assert {name: found[name].read_bytes() for name in names} == {name: name for name in names}
    assert found[b"loop"].is_symlink()


def test_a_file_that_shrinks_or_vanishes_while_it_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "f").write_bytes(bytes(5_000_000))
    blocks = packed(source, "src")
    next(blocks)
    (source / "f").write_bytes(b"")
    with pytest.raises(FileError, match="became shorter"):
        list(blocks)
    blocks = packed(tmp_path / "nothing", "x")
    with pytest.raises(FileError, match="no such file"):
        list(blocks)


@pytest.fixture
def bottomless() -> Iterator[Path]:
    """A folder whose content Python itself cannot remove."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def test_deep_directories_need_no_recursion(bottomless: Path) -> None:
    deep = bottomless / "src"
    for _ in range(1100):
        deep.mkdir()
        deep = deep / "d"
    (bottomless / "out").mkdir()
    extract(reader(packed(bottomless / "src", "src")), bottomless / "out")
    assert (bottomless / "out" / deep.relative_to(bottomless)).parent.is_dir()


def test_an_archive_of_nothing_is_told(tmp_path: Path) -> None:
    """As engines send it for a single file whose name is not UTF-8."""
    with pytest.raises(DevstackError, match="nothing was copied"):
        extract(archive(), tmp_path)


WHOLE = raw(("a", "file", bytes(2000)), ("b", "file", b"x"))


@pytest.mark.parametrize("end", [512, 1500, 2560, 2600, 3072, 3584])
def test_an_archive_that_is_cut_off_is_told_wherever_it_is(tmp_path: Path, end: int) -> None:
    written = bytearray()
    with pytest.raises(DevstackError, match="the engine's archive is damaged: ") as caught:
        pass_on(iter([WHOLE[:700], WHOLE[700:end]] if end > 700 else [WHOLE[:end]]), written.extend)
    assert written == WHOLE[:end]
    assert caught.value.hint == "What was written is not the whole. Try it again."
    with pytest.raises(DevstackError, match="the engine's archive is damaged: "):
        extract(reader(iter([WHOLE[:end]])), tmp_path)


def test_a_whole_archive_is_passed_on_with_all_that_follows_its_end() -> None:
    written = bytearray()
    assert pass_on(iter([WHOLE[:3000], WHOLE[3000:], bytes(512)]), written.extend) == len(WHOLE) + 512
    assert written == WHOLE + bytes(512)

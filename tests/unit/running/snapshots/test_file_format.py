"""Exported snapshots: whatever happens to the file, it is either read as it was written, or refused."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from invoke_devstack.errors import DevstackError, FileError
from invoke_devstack.running.snapshots import file_format
from invoke_devstack.running.snapshots.file_format import SnapshotFile

ABOUT = {
    "service": "db",
    "name": "base",
    "volumes": ["data"],
    "created_at": "2026-01-01T00:00:00Z",
    "size": 1,
}
FILES = {
    "one": b"1" * 700,
    "two": bytes(range(256)) * 6,
    "empty": b"",
    "n\u00e4me": b"x",
    "deep/" + "l" * 150: b"y",
}


def data_stream(files: dict[str, bytes] = FILES) -> bytes:
    """What the engine sends."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        root = tarfile.TarInfo("snapshot")
        root.type = tarfile.DIRTYPE
        archive.addfile(root)
        for name, content in files.items():
            entry = tarfile.TarInfo(f"snapshot/data/{name}")
            entry.size, entry.mtime = len(content), 1_700_000_000.5
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("snapshot/data/link")
        link.type, link.linkname = tarfile.SYMTYPE, "one"
        archive.addfile(link)
    return buffer.getvalue().rstrip(b"\0") + bytes(-len(buffer.getvalue().rstrip(b"\0")) % 512 + 1024)


def blocks_of(data: bytes, size: int = 333) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def exported() -> bytes:
    target = io.BytesIO()
    file_format.write(target, ABOUT, blocks_of(data_stream()), lambda: None)
    return target.getvalue()


def packed() -> bytes:
    return gzip.compress(exported(), 1, mtime=0)


def read(content: bytes, folder: Path) -> dict[str, bytes]:
    """Everything that an import would read. Raises DevstackError."""
    file = folder / "snapshot.tar"
    file.write_bytes(content)
    with closing(SnapshotFile(file, lambda: None)) as opened:
        reading = opened.read()
        return {member.name: b"".join(reading.content(member)) for member in reading.members()}


def is_refused(content: bytes, folder: Path) -> bool:
    try:
        read(content, folder)
    except DevstackError as error:
        return error.exit_code == 1 and bool(error.message)
    return False


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    return read(exported(), tmp_path)


def test_what_was_written_is_read(whole: dict[str, bytes], tmp_path: Path) -> None:
    assert whole["snapshot/data/two"].rstrip(b"\0") == FILES["two"].rstrip(b"\0")
    assert whole["snapshot/data/n\u00e4me"][:1] == b"x"
    assert read(packed(), tmp_path) == whole
    assert list(whole) == ["snapshot", *(f"snapshot/data/{name}" for name in FILES), "snapshot/data/link"]


@pytest.mark.parametrize("written", [exported, packed])
def test_a_file_that_is_cut_anywhere_is_refused(written: object, tmp_path: Path) -> None:
    content = exported() if written is exported else packed()
    lengths = (*range(0, len(content), 64 if written is exported else 8), len(content) - 1)
    assert [length for length in lengths if not is_refused(content[:length], tmp_path)] == []


def test_a_file_with_one_wrong_bit_is_refused(tmp_path: Path) -> None:
    content = exported()
    chance = random.Random(3)
    accepted = []
    for position in chance.sample(range(len(content)), 500):
        wrong = bytearray(content)
        wrong[position] ^= 1 << chance.randrange(8)
        if not is_refused(bytes(wrong), tmp_path):
            accepted.append(position)
    assert accepted == []


def test_a_compressed_file_with_one_wrong_bit_is_refused_or_read_as_it_was(
    whole: dict[str, bytes], tmp_path: Path
) -> None:
    content = packed()
    for position in range(len(content)):
        wrong = bytearray(content)
        wrong[position] ^= 16
        # Some bits mean nothing: the time in gzip's header, or which of two equal blocks is repeated.
        assert is_refused(bytes(wrong), tmp_path) or read(bytes(wrong), tmp_path) == whole


@pytest.mark.parametrize("length", [512, 1024])
def test_a_file_with_zeros_in_the_middle_is_refused(length: int, tmp_path: Path) -> None:
    content = exported()
    last = len(content) - 1024
    for start in range(0, last, 256):
        zeroed = content[:start] + bytes(length) + content[start + length :]
        assert zeroed == content or is_refused(zeroed, tmp_path)


@pytest.mark.parametrize("written", [exported, packed])
def test_what_follows_the_end_is_refused(written: object, tmp_path: Path) -> None:
    content = exported() if written is exported else packed()
    assert is_refused(content + content, tmp_path)
    assert is_refused(content + b"garbage", tmp_path)
    assert is_refused(content[:-1024] + content, tmp_path)


def test_a_member_too_few_or_too_many_is_refused(tmp_path: Path) -> None:
    content = exported()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        starts = [member.offset for member in archive.getmembers()]
    for begin, end in zip(starts, [*starts[1:], len(content) - 1024], strict=True):
        assert is_refused(content[:begin] + content[end:], tmp_path)
        assert is_refused(content[:end] + content[begin:], tmp_path)


def first_format(stream: bytes) -> bytes:
    about = file_format._Output(target := io.BytesIO())
    about.write_own("devstack-snapshot.json", {"format": 1, **ABOUT})
    return target.getvalue() + stream


def test_a_file_of_the_first_format_is_read_but_has_no_sum(whole: dict[str, bytes], tmp_path: Path) -> None:
    assert read(first_format(data_stream()), tmp_path) == whole
    with closing(SnapshotFile(tmp_path / "snapshot.tar", lambda: None)) as opened:
        assert not opened.read().has_sum


def test_a_file_of_the_first_format_is_read_to_its_end(tmp_path: Path) -> None:
    content = first_format(data_stream())
    assert all(is_refused(content[:length], tmp_path) for length in range(0, len(content), 256))
    assert is_refused(content + content, tmp_path)
    header = bytearray(content)
    header[content.index(b"snapshot/data/two") + 3] ^= 1
    assert is_refused(bytes(header), tmp_path)
    flipped = bytearray(gzip.compress(content, 1, mtime=0))
    flipped[-6] ^= 1  # the checksum of gzip
    assert is_refused(bytes(flipped), tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"text", bytes(10_000), b"\x1f\x8b\x08\x00xxxx"])
def test_anything_else_is_refused(content: bytes, tmp_path: Path) -> None:
    assert is_refused(content, tmp_path)


def test_a_stream_of_the_engine_that_ends_early_is_noticed() -> None:
    stream = data_stream()
    for length in range(0, len(stream) - 1, 256):
        with pytest.raises(DevstackError, match="the engine sent an incomplete snapshot"):
            file_format.write(io.BytesIO(), ABOUT, blocks_of(stream[:length]), lambda: None)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero"), tmp_path / "nothing"):
        with pytest.raises(FileError):
            SnapshotFile(path, lambda: None)


def test_impossible_sizes_take_no_memory(tmp_path: Path) -> None:
    """A header of extended attributes that claims to have gigabytes."""
    header = tarfile.TarInfo("snapshot/data/x")
    header.type, header.size = tarfile.XHDTYPE, 8 << 30
    content = first_format(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 16))
    assert is_refused(content, tmp_path)


@pytest.mark.parametrize("moment", ["nan", "inf", "-inf"])
def test_a_member_of_no_time_is_refused(moment: str, tmp_path: Path) -> None:
    member = tarfile.TarInfo("snapshot/data/x")
    member.pax_headers = {"mtime": moment}
    assert is_refused(first_format(member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)), tmp_path)


def test_a_description_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    about = tarfile.TarInfo("devstack-snapshot.json")
    about.size = 60_000
    content = about.tobuf() + b"[" * about.size + bytes(-about.size % 512 + 1024)
    assert is_refused(content, tmp_path)


def test_memory_does_not_grow_with_the_members(tmp_path: Path) -> None:
    target = (tmp_path / "large.tar").open("wb")
    with target:
        files = {f"{number:06}": b"" for number in range(8000)}
        file_format.write(target, ABOUT, [data_stream(files)], lambda: None)
    with closing(SnapshotFile(tmp_path / "large.tar", lambda: None)) as opened:
        tracemalloc.start()
        count = sum(1 for _ in opened.read().members())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 8002
    assert most < 3 << 20

"""Files are read; pipes for a while; nothing endless."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from invoke_devstack.errors import FileError
from invoke_devstack.local_files import reading
from invoke_devstack.local_files.reading import LARGEST, PATIENCE, read_bytes, read_text, text_if_any

QUICK = PATIENCE + 4.0  # seconds, on a machine that does other things too


def refusal(file: Path) -> FileError:
    began = time.monotonic()
    with pytest.raises(FileError) as error:
        read_bytes(file)
    assert time.monotonic() - began < QUICK
    assert str(file) in error.value.message
    return error.value


def test_a_pipe_is_read_once_for_all_who_ask(tmp_path: Path) -> None:
    pipe = tmp_path / ".env"
    os.mkfifo(pipe)
    content = b"A=1\n" * 50_000  # more than a pipe holds
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    assert read_bytes(pipe) == content
    writer.join()
    assert read_bytes(pipe) == content


def test_a_writer_that_comes_late_and_in_pieces_is_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / ".env"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as opened:
            time.sleep(PATIENCE + 0.5)
            opened.write(b"A=1\n")
            time.sleep(0.2)
            opened.write(b"B=2\n")

    writer = threading.Thread(target=write)
    writer.start()
    assert read_bytes(pipe) == b"A=1\nB=2\n"
    writer.join()


def test_a_pipe_without_a_writer_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "silent")
    error = refusal(tmp_path / "silent")
    assert error.reason == "silent"
    assert "no program writes to it" in error.message


def test_endless_and_huge_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    assert refusal(tmp_path / "zero").reason == "size"
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert refusal(tmp_path / "sparse").reason == "size"
    (tmp_path / "full").write_bytes(bytes(LARGEST))
    assert len(read_bytes(tmp_path / "full")) == LARGEST


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="no such device here")
def test_a_device_that_says_nothing_is_given_up_sooner_than_a_program() -> None:
    began = time.monotonic()
    assert refusal(Path("/dev/ptmx")).message == "cannot read /dev/ptmx: it is a device that does not answer"
    assert time.monotonic() - began < reading.ANSWER / 2


def test_a_program_that_writes_a_little_for_ever_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST", 0.5)
    os.mkfifo(tmp_path / "pipe")
    given_up = threading.Event()

    def write() -> None:
        with suppress(BrokenPipeError), (tmp_path / "pipe").open("wb", buffering=0) as pipe:
            while not given_up.wait(0.05):
                pipe.write(b"A=1\n")

    threading.Thread(target=write, daemon=True).start()
    assert "the program that writes to it does not end" in refusal(tmp_path / "pipe").message
    given_up.set()


def test_a_text_that_may_be_there_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "there").write_bytes(b"\xffa")
    found = [text_if_any(tmp_path / name, 10) for name in ("pipe", "zero", "missing", "there")]
    assert found == ["", "", "", "\ufffda"]
    (tmp_path / "there").write_bytes(bytes(11))
    assert not text_if_any(tmp_path / "there", 10)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
        found = {name: refusal(tmp_path / name).reason for name in ("folder", "circle", "socket", "missing")}
    assert found == {"folder": "kind", "circle": "links", "socket": "kind", "missing": "missing"}
    assert read_bytes(Path("/dev/null")) == b""


def test_a_text_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"A=1\nB=\xfc\n")
    with pytest.raises(FileError, match="line 2 of a is not UTF-8: byte 0xfc"):
        read_text(tmp_path / "a")

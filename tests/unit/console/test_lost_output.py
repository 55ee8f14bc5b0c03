"""What becomes of output that cannot be written: the reader that left is one thing, a full disk another."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TextIO

import pytest

from invoke_devstack import events as e
from invoke_devstack.console import Console, choose


class Lost:
    """A console, and what it told about its stdout."""

    def __init__(self, out: TextIO, err: TextIO, kind: str = "") -> None:
        self.told: list[object] = []
        self.console: Console = choose(
            json=kind,
            out=out,
            err=err,
            reader_gone=lambda: self.told.append("gone"),
            unwritable=self._note,
        )

    def _note(self, error: OSError) -> None:
        self.told.append(error.errno)
        self.console.emit(e.Notice(text="lost", level="warning"))


class Refusing(io.BytesIO):
    """What a stream writes to. Each write fails."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, data: object) -> int:
        raise OSError(self.number, os.strerror(self.number))


def refusing(number: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(Refusing(number), "utf-8")


def sink() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8")


def text_of(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


@pytest.mark.parametrize("kind", ["", "answer", "events"])
@pytest.mark.parametrize(("number", "told"), [(errno.EPIPE, "gone"), (errno.ENOSPC, errno.ENOSPC), (5, 5)])
def test_each_end_of_stdout_is_told_once_as_what_it_is(kind: str, number: int, told: object) -> None:
    err = sink()
    lost = Lost(refusing(number), err, kind)
    for _ in range(3):
        lost.console.emit(e.Document(text="answer", data={"a": 1}))
        lost.console.emit(e.LogBlock(service="web", container="p-web-1", stream="stdout", data=b"line\n"))
    lost.console.close()
    assert lost.told == [told]
    assert text_of(err).count("lost") == (0 if told == "gone" else 1)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO])
def test_a_stderr_that_is_lost_changes_nothing(number: int) -> None:
    out = sink()
    lost = Lost(out, refusing(number))
    lost.console.emit(e.Notice(text="progress"))
    lost.console.emit(e.Document(text="answer"))
    assert (lost.told, text_of(out)) == ([], "answer\n")


def test_a_reader_that_is_slow_gets_every_byte_of_a_stream_that_does_not_wait() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    got = bytearray()

    def read() -> None:
        while block := os.read(reading, 4096):
            got.extend(block)

    reader = threading.Thread(target=read)
    with os.fdopen(writing, "w") as out:
        lost = Lost(out, sink())
        reader.start()
        lost.console.emit(e.Document(text="x" * 1_000_000))
    reader.join()
    os.close(reading)
    assert (lost.told, len(got)) == ([], 1_000_001)


CLOSED = """
import json, os, socket, sys
from invoke_devstack.tasks.declare import prepare_process
prepare_process()
other, mine = socket.socketpair()
from invoke_devstack.console import choose
from invoke_devstack.events import Document
told = []
choose(unwritable=told.append).emit(Document(text="secret"))
other.setblocking(False)
try:
    leaked = other.recv(10).decode()
except BlockingIOError:
    leaked = ""
with open(sys.argv[1], "w") as file:
    json.dump([len(told), leaked, mine.fileno() > 2 and other.fileno() > 2], file)
"""


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_closed_stdout_is_told_and_nothing_goes_to_a_socket_in_its_place(
    tmp_path: Path, closed: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(CLOSED)
    result = tmp_path / "result"
    subprocess.run(
        ["sh", "-c", f'"$1" "$2" "$3" {closed}', "sh", sys.executable, program, result], check=True
    )
    assert json.loads(result.read_text()) == [1, "", True]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["makefile", "completion bash"])
def test_the_module_tells_a_full_disk_too(words: str) -> None:
    command = f'"$1" -m invoke_devstack {words}'
    for target, said in (("/dev/full", "no space left"), ("&-", "closed")):
        ran = subprocess.run(["sh", "-c", f"{command} >{target}", "sh", sys.executable], capture_output=True)
        assert (ran.returncode, said in ran.stderr.decode()) == (1, True)
        assert b"Traceback" not in ran.stderr

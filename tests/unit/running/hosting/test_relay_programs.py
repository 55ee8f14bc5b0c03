"""The programs that forwarders use, each with the same routes."""

from __future__ import annotations

import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from invoke_devstack.running.hosting.relay import words
from tests.functional.conftest import find_free_port

PROGRAMS = ("python3", "perl", "node", "socat")
DATA = bytes(range(256)) * 4096


class Echo(socketserver.StreamRequestHandler):
    """Sends everything back, once the other side has said all it has to say."""

    def handle(self) -> None:
        self.wfile.write(self.rfile.read())


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


@pytest.mark.parametrize("program", PROGRAMS)
def test_both_directions_and_the_end_of_each_pass_through_a_socket(program: str, echo: int) -> None:
    found = str(Path(sys.executable).resolve()) if program == "python3" else shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, "bin")
        alone.mkdir()
        for name, place in ((program, found), ("rm", shutil.which("rm"))):
            (alone / name).symlink_to(str(place))
        port, path = find_free_port(), f"{folder}/socket"
        relays = [_start(alone, f"{path}=127.0.0.1:{echo}"), _start(alone, f"{port}={path}")]
        try:
            assert _sent_and_returned(port) == DATA
            assert _sent_and_returned(port) == DATA
        finally:
            for relay in relays:
                relay.terminate()
            assert [relay.wait(10) for relay in relays] == [0, 0]


def test_an_image_without_any_of_them_says_so(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["/bin/sh", *words()[1:]], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 69
    assert "no program" in ended.stderr


def _start(folder: Path, route: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sh", *words()[1:], route], env={"PATH": str(folder)})


def _sent_and_returned(port: int) -> bytes:
    end = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                threading.Thread(target=_send, args=(connection,), daemon=True).start()
                returned = b"".join(iter(lambda: connection.recv(65536), b""))
                if returned:
                    return returned
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def _send(connection: socket.socket) -> None:
    with suppress(OSError):  # the relay listens already, and the one behind it does not
        connection.sendall(DATA)
        connection.shutdown(socket.SHUT_WR)

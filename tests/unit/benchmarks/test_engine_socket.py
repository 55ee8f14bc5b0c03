"""What stands between a command and the engine when a benchmark counts its requests or delays them."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from benchmarks.engine_socket import FarEngine
from benchmarks.pairing import Row, as_markdown

DELAY = 0.2  # seconds


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a socket"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        pass


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """The path of a socket whose server answers with what it gets."""
    path = str(tmp_path / "real.sock")
    with ThreadingUnixStreamServer(path, _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path
        server.shutdown()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("engine")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def ask(connection: http.client.HTTPConnection, body: bytes) -> bytes:
    connection.request("POST", "/v1.41/x", body)
    return connection.getresponse().read()


def test_requests_are_counted_and_bodies_arrive_whole(tmp_path: Path, engine: str) -> None:
    body = b"x" * 500_000
    with FarEngine(tmp_path / "far.sock", engine) as far:
        connection = _Connection(tmp_path / "far.sock")
        assert [ask(connection, body), ask(connection, b"2")] == [body, b"2"]
        connection.close()
    assert far.requests == ["POST /v1.41/x HTTP/1.1"] * 2


def test_an_answer_comes_later_by_the_delay(tmp_path: Path, engine: str) -> None:
    with FarEngine(tmp_path / "far.sock", engine, DELAY):
        connection = _Connection(tmp_path / "far.sock")
        began = time.monotonic()
        assert ask(connection, b"1") == b"1"
        connection.close()
    assert time.monotonic() - began >= DELAY


def test_what_a_row_costs_has_columns_where_it_was_measured() -> None:
    plain = Row("a", "s", 1.0, (1.0,), (2.0,))
    measured = Row("b", "s", 1.0, (1.0,), (2.0,), requests=(3, 40), cpu=(0.21, 0.1))
    assert "requests" not in as_markdown([plain])
    first, _, one, two = as_markdown([plain, measured]).splitlines()
    sides, rest = "invoke-devstack | the other side | bare API | empty task", "ratio | floor | at most"
    assert first == f"| work | {sides} | requests | CPU | {rest} |  |"
    assert one == "| a | 1.00 s | 2.00 s |  |  |  |  | 0.50 |  | 1 | reached |"
    assert two == "| b | 1.00 s | 2.00 s |  |  | 3 / 40 | 0.21 / 0.10 s | 0.50 |  | 1 | reached |"

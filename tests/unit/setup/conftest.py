"""A registry on this machine that answers as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Registry(BaseHTTPRequestHandler):
    """Says 401 to everybody; gives tokens, and tells at the limit's address how many pulls are left."""

    def do_GET(self) -> None:
        if self.path == "/token":
            self._answer(200, b'{"token": "t"}')
        else:
            self._answer(401)

    def do_HEAD(self) -> None:
        self.send_response(200 if self.headers["Authorization"] == "Bearer t" else 401)
        self.send_header("RateLimit-Limit", "100;w=21600")
        self.send_header("RateLimit-Remaining", f"{self.path.rpartition('/')[2]};w=21600")
        self.end_headers()

    def _answer(self, code: int, body: bytes = b"") -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keeps quiet."""


@pytest.fixture
def registry() -> Iterator[str]:
    """Its host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()

"""A registry that runs inside the tests, with faults on request
(https://distribution.github.io/distribution/spec/api/)."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import sys
import threading
import uuid
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast


class Registry(ThreadingHTTPServer):
    """Keeps blobs and manifests in memory. `faults`: part of a path -> answers to give first, each
    (status, body), before it answers as it should; a status of 0 breaks the connection off half way. With a
    `certificate` (a file with its key too), it speaks TLS."""

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}  # name/reference -> (type, content)
        self.faults: dict[str, list[tuple[int, str]]] = {}
        self.login = ""  # name:password that it asks for
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(
            sys.exception(), ConnectionError | ssl.SSLError
        ):  # an engine breaks off when its disk is full
            super().handle_error(request, client_address)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


def problem(code: str, message: str = "") -> str:
    return json.dumps({"errors": [{"code": code, "message": message or code.lower()}]})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        return  # the tests' own output is enough: an engine tries TLS first, which is no request here

    @property
    def registry(self) -> Registry:
        return cast(Registry, self.server)

    def do_GET(self) -> None:
        self.registry.asked.append(f"{self.command} {self.path}")
        if self._fault():
            return
        blob = re.search(r"/blobs/(sha256:\w+)$", self.path)
        manifest = re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path)
        if not self._admitted():
            challenge = {"WWW-Authenticate": 'Basic realm="tests"'}
            self._answer(401, problem("UNAUTHORIZED", "authentication required").encode(), **challenge)
        elif self.path == "/v2/":
            self._answer(200, b"{}")
        elif blob:
            content = self.registry.blobs.get(blob[1])
            self._answer(404 if content is None else 200, content or b"", "application/octet-stream")
        elif manifest and f"{manifest[1]}/{manifest[2]}" in self.registry.manifests:
            kind, content = self.registry.manifests[f"{manifest[1]}/{manifest[2]}"]
            self._answer(200, content, kind)
        else:
            self._answer(404, problem("MANIFEST_UNKNOWN", "manifest unknown").encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self._body()
        if not self._fault():
            place = f"{self.path.partition('?')[0].rstrip('/')}/{uuid.uuid4()}"
            self._answer(202, b"", Location=self._absolute(place), Range="0-0")

    def do_PATCH(self) -> None:
        content = self.registry.blobs.get(self.path, b"") + self._body()
        self.registry.blobs[self.path] = content
        self._answer(202, b"", Location=self._absolute(self.path), Range=f"0-{len(content) - 1}")

    def do_PUT(self) -> None:
        content = self._body()
        manifest = re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path)
        if manifest:
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            entry = (self.headers.get("Content-Type", ""), content)
            self.registry.manifests[f"{manifest[1]}/{manifest[2]}"] = entry
            self.registry.manifests[f"{manifest[1]}/{digest}"] = entry
            self._answer(201, b"", **{"Docker-Content-Digest": digest})
            return
        path, _, digest = self.path.partition("?digest=")
        stored = self.registry.blobs.pop(path, b"") + content
        self.registry.blobs[digest.replace("%3A", ":")] = stored
        self._answer(201, b"")

    def _admitted(self) -> bool:
        wanted = b64encode(self.registry.login.encode()).decode()
        return not self.registry.login or self.headers.get("Authorization") == f"Basic {wanted}"

    def _absolute(self, path: str) -> str:
        return f"{self.registry.scheme}://{self.registry.host}{path}"

    def _fault(self) -> bool:
        for part, answers in self.registry.faults.items():
            if part in self.path and answers:
                status, text = answers.pop(0)
                if status:
                    self._answer(status, text.encode())
                else:
                    self._break_off()
                return True
        return False

    def _break_off(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def _answer(self, status: int, content: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

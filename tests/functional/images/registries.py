"""A real registry on loopback (Debian's docker-registry), and a proxy that makes it slow or lets it fail."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from tests.functional.conftest import find_free_port

_BIN = str(Path(sys.executable).parent)  # where tools/test_needs.sh puts it
LOGIN = ("ann", "open sesame")
_HTPASSWD = (
    "ann:$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n"  # the password of LOGIN, by bcrypt
)
_CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}", secret: tests}}
{auth}
"""
_AUTH = "auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}"


class RealRegistry:
    """The program of the package docker-registry, on a free port; with a password if it is `private`."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        program = shutil.which("docker-registry") or shutil.which("docker-registry", path=_BIN)
        if program is None:
            pytest.skip("no registry here: sh tools/test_needs.sh gets it")
        self.port = find_free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "htpasswd").write_text(_HTPASSWD)
        config = folder / "config.yml"
        auth = _AUTH.format(folder=folder) if private else ""
        config.write_text(_CONFIG.format(folder=folder, port=self.port, auth=auth))
        self._process = subprocess.Popen(
            [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _await_port(self.port)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)


def _await_port(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@dataclass
class Fault:
    """What to answer, instead of what the registry would, to the next `times` requests whose method and path
    contain `part`. A status of 0 breaks the connection off in the middle of the answer."""

    part: str
    status: int
    body: str = ""
    times: int = 1


@dataclass
class Asked:
    """One request, from its arrival to the last byte of its answer (`time.monotonic()`)."""

    line: str
    began: float
    ended: float = float("inf")


class Proxy(ThreadingHTTPServer):
    """In front of a registry. `bytes_per_second` slows the blobs of each connection down."""

    daemon_threads = True

    def __init__(self, registry: RealRegistry) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = registry.port
        self.faults: list[Fault] = []
        self.bytes_per_second = 0
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def fault_for(self, line: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.part in line and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is what some tests want."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return  # the tests' own output is enough

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        return

    def _pass_on(self) -> None:
        proxy = cast(Proxy, self.server)
        line = f"{self.command} {self.path}"
        asked = Asked(line, time.monotonic())
        proxy.asked.append(asked)
        body = self._body()
        fault = proxy.fault_for(line)
        if fault is not None:
            self._fail(fault)
            return
        upstream = http.client.HTTPConnection("127.0.0.1", proxy.target, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for key, value in self.headers.items():  # `Accept` comes several times
            if key.lower() not in ("transfer-encoding", "content-length"):
                upstream.putheader(key, value)
        upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(key, value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        self._write(content, slow="/blobs/" in self.path)
        asked.ended = time.monotonic()
        upstream.close()

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def do_PATCH(self) -> None:
        self._pass_on()

    def _fail(self, fault: Fault) -> None:
        content = fault.body.encode()
        self.send_response(fault.status or 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if fault.status else 1_000_000))
        self.end_headers()
        self.wfile.write(content if fault.status else b"half of it")
        if not fault.status:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def _write(self, content: bytes, *, slow: bool) -> None:
        if self.command == "HEAD":
            return
        rate = cast(Proxy, self.server).bytes_per_second if slow else 0
        step = max(rate // 20, 1) if rate else len(content) or 1
        for start in range(0, len(content), step):
            self.wfile.write(content[start : start + step])
            if rate:
                time.sleep(0.05)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

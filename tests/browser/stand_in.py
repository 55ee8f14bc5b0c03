"""A server that answers as the dashboard's does, for stacks that one makes up.

300 services, hostile names, what is away: the real server is what the other tests use.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import invoke_devstack.dashboard

STATIC = Path(invoke_devstack.dashboard.__file__).parent / "static"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
BEGAN = "2026-01-05T09:00:00.000Z"
Json = dict[str, Any]


def entry(service: str, **changes: Any) -> Json:
    """An entry of GET services."""
    made: Json = {
        "service": service,
        "container": f"{service}-1",
        "key": f"{service}-1",
        "image": "redis:8",
        "number": 1,
        "state": "running",
        "health": "healthy",
        "exit_code": None,
        "ports": [],
        "started_at": BEGAN,
        "restarts": 0,
        "note": "",
        "ready": True,
        "why": "",
        "since": BEGAN,
        "probe": None,
        "addresses": [],
        "stand_in": False,
        "image_note": "",
        "last_cause": None,
        "waits_for": {},
        "waited_for_by": [],
        "orphan": False,
        "defined": True,
        "profiles": [],
        "where": "container",
        "cpu_percent": 1.5,
        "memory": 50_000_000,
        "memory_limit": None,
    }
    return {**made, **changes}


def line(number: int, text: str, **changes: Any) -> Json:
    """A line of GET logs."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_767_600_000 + number / 10))
    stamp = f"{at}.{number % 10}00000000Z"
    made = {"n": number, "id": f"{stamp}@web-1", "time": stamp, "service": "web", "container": "web-1"}
    return {**made, "stream": "stdout", "level": "", "text": text, **changes}


class StandIn:
    """What the server answers: `answers` maps the path of a GET to its JSON."""

    def __init__(self, services: list[Json], lines: list[Json] | None = None, **project: Any) -> None:
        self.lines = lines or []
        self.posted: list[Json] = []
        self.status = 200  # of everything under /api/
        self.project: Json = {
            "v": 2,
            "project": "shop",
            "directory": "/home/kim/shop",
            "directory_name": "shop",
            "version": "0.1.0",
            "read_only": False,
            "stack": "up",
            "busy": None,
            "task_prefix": "",
            "engine": {
                "state": "up",
                "name": "Docker Engine",
                "version": "28.0",
                "address": "unix:///docker.sock",
                "error": "",
                "hint": "",
                "since": BEGAN,
            },
            "definition": {"state": "ok", "files": [], "error": "", "hint": "", "position": ""},
            **project,
        }
        self.answers: dict[str, Any] = {
            "services": services,
            "stats": [],
            "activity": [],
            "snapshots": [],
            "data": [],
            "stacks": [],
            "doctor": [],
            "actions": [],
            "disk": {},
            "plan": {"task": "up", "lines": [], "actions": []},
        }
        self.replies: dict[str, Any] = {}  # path of a POST -> its answer
        self._streams: list[list[str]] = []
        self._number = 0

    def tell(self, kind: str, data: Any) -> None:
        """Sends an event to every tab; one that comes back later is told the same."""
        services: list[Json] = self.answers["services"]
        if kind == "project":
            self.project = data
        elif kind == "services":
            services[:] = data
        elif kind == "service":
            services[:] = [data if one["key"] == data["key"] else one for one in services]
        self._number += 1
        text = f"id: here-{self._number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
        for stream in self._streams:
            stream.append(text)

    def write(self, *lines: Json) -> None:
        self.lines.extend(lines)
        self.tell("logs", {"first": 1, "last": len(self.lines)})

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        if path == "project":
            return self.project
        if path == "logs":
            return self._page(query)
        return self.answers.get(path)

    def _page(self, query: dict[str, list[str]]) -> Json:
        found = [one for one in self.lines if query.get("q", [""])[0] in one["text"]]
        limit = int(query.get("limit", ["200"])[0])
        if "after" in query:
            shown = [one for one in found if one["n"] > int(query["after"][0])][:limit]
        elif "before" in query:
            shown = [one for one in found if one["n"] < int(query["before"][0])][-limit:]
        elif "around" in query:
            place = next((i for i, one in enumerate(found) if one["id"] == query["around"][0]), 0)
            shown = found[max(0, place - limit // 2) : place + limit // 2]
        else:
            shown = found[-limit:]
        last = len(self.lines)
        older = bool(shown) and shown[0]["n"] > found[0]["n"]
        after = shown[-1]["n"] if shown and shown[-1] is not found[-1] else last
        return {
            "lines": shown,
            "first": 1,
            "last": last,
            "before": shown[0]["n"] if older else None,
            "after": after,
            "older": False,
            "complete": True,
            "total": last,
        }

    def stream(self) -> Iterator[str]:
        """The events of one tab."""
        mine: list[str] = []
        self._streams.append(mine)
        yield 'id: here-0\nevent: hello\ndata: {"boot":"here","resumed":false}\n\n'
        yield f"event: project\ndata: {json.dumps(self.project)}\n\n"
        yield f"event: services\ndata: {json.dumps(self.answers['services'])}\n\n"
        while self._streams:
            while mine:
                yield mine.pop(0)
            time.sleep(0.01)

    def end(self) -> None:
        self._streams.clear()


def handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/api/v1/events":
                self._stream()
            elif url.path.startswith("/api/v1/"):
                path = unquote(url.path.removeprefix("/api/v1/"))
                self._json(stand_in.answer(path, parse_qs(url.query)))
            else:
                name = url.path.removeprefix("/static/") if "." in url.path else "index.html"
                self._file(STATIC / name.lstrip("/"))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stand_in.posted.append(json.loads(body))
            path = urlsplit(self.path).path.removeprefix("/api/v1/")
            self._json(stand_in.replies.get(path, {"run": f"run-{len(stand_in.posted)}"}))

        def log_message(self, *args: Any) -> None:
            pass

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            with suppress(OSError):  # the tab was closed
                for text in stand_in.stream():
                    self.wfile.write(text.encode())
                    self.wfile.flush()

        def _json(self, value: Any) -> None:
            status = stand_in.status if value is not None else 404
            error = {"type": "error", "error": "there is no such path", "reason": "not-found"}
            self._send(status, "application/json", json.dumps(error if value is None else value).encode())

        def _file(self, file: Path) -> None:
            self._send(200, TYPES[file.suffix], file.read_bytes())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            with suppress(OSError):  # the tab was closed
                self._answer(status, kind, body)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving(stand_in: StandIn) -> Iterator[str]:
    """The address under which it answers."""
    server = Server(("127.0.0.1", 0), handler(stand_in))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        stand_in.end()
        server.shutdown()
        server.server_close()

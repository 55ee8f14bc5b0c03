"""A served dashboard, and a program that asks it."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.functional.conftest import Project

PATIENCE = 60.0  # seconds, on a loaded machine
Answer = tuple[int, Any]


class Served:
    """A running `invoke dashboard`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.link = process.stdout.readline().strip()
        parts = urlsplit(self.link)
        self.port = parts.port or 0
        self.token = parse_qs(parts.query)["token"][0]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> Answer:
        """An answer of the API, with the token unless another header says who asks."""
        return self.ask("GET", f"/api/v1/{path}", headers=headers)

    def act(self, task: str, *services: str, options: dict[str, Any] | None = None) -> Answer:
        """Has something done. The events, if it was begun."""
        wish = {"task": task, "services": list(services), "options": options or {}}
        status, text = self.post("actions", json.dumps(wish))
        if status != 200:
            return status, json.loads(text)
        return status, [json.loads(line) for line in text.splitlines()]

    def post(self, path: str, body: str, **headers: str) -> tuple[int, str]:
        ours = {"X-Devstack": "1", "Content-Type": "application/json"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, text = self.raw("POST", f"/api/v1/{path}", {**self.key(), **ours, **given}, body)
        return status, text

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None) -> Answer:
        given = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        status, _, text = self.raw(method, path, {**self.key(), **given})
        return status, json.loads(text) if text else None

    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def raw(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def until(self, path: str, is_so: Callable[[Any], object]) -> Any:
        """Asks until the answer is as wanted."""
        deadline = time.monotonic() + PATIENCE
        while True:
            _, found = self.get(path)
            if is_so(found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    @contextmanager
    def stream(self, query: str = "", **headers: str) -> Iterator[Stream]:
        """A tab's stream of events."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", f"/api/v1/events{query}", headers={**self.key(), **given})
        stream = Stream(connection.getresponse())
        try:
            yield stream
        finally:
            connection.close()

    def end(self) -> int:
        """Ctrl-C. The exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


class Stream:
    """Reads server-sent events in a thread."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.seen: list[dict[str, Any]] = []
        self.ended = threading.Event()
        self._grown = threading.Condition()
        threading.Thread(target=self._read, args=(answer,), daemon=True).start()

    def _read(self, answer: http.client.HTTPResponse) -> None:
        fields: dict[str, str] = {}
        try:
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                    continue
                event = {**fields, "data": json.loads(fields["data"])}
                fields = {}
                with self._grown:
                    self.seen.append(event)
                    self._grown.notify_all()
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass
        self.ended.set()

    def wait(self, is_so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first event that is as wanted."""
        with self._grown:
            found = self._grown.wait_for(lambda: [item for item in self.seen if is_so(item)], PATIENCE)
        assert found, self.seen
        return found[0]

    def wait_for(self, kind: str) -> dict[str, Any]:
        return self.wait(lambda item: item["event"] == kind)


@contextmanager
def serving(project: Project, *flags: str) -> Iterator[Served]:
    """A dashboard of the project, ended afterwards."""
    process = project.start("dashboard", "--no-open", *flags)
    try:
        yield Served(process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

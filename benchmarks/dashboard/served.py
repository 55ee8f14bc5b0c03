"""A stack of small services, and the dashboard that is served for it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

from benchmarks.pairing import BenchmarkError

INVOKE = str(Path(sys.executable).with_name("invoke"))
_PATIENCE = 60.0  # seconds


class Served:
    """A running `invoke dashboard`. `link` opens it; the first line of its output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.link = process.stdout.readline().strip()
        self.process = psutil.Process(process.pid)
        if not self.link:
            raise BenchmarkError("`invoke dashboard` printed no address")
        self._address = urlsplit(self.link)
        self._headers = {"authorization": f"Bearer {parse_qs(self._address.query)['token'][0]}"}

    def at(self, path: str) -> str:
        """The address of a page, with the token."""
        base, _, token = self.link.partition("/?token=")
        return f"{base}{path}{'&' if '?' in path else '?'}token={token}"

    def open(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """An answer of the API that is not read yet."""
        connection = http.client.HTTPConnection(self._address.netloc, timeout=_PATIENCE)
        connection.request("GET", f"/api/v1/{path}", headers={**self._headers, **headers})
        return connection.getresponse()

    def get(self, path: str) -> Any:
        with self.open(path) as answer:
            return json.loads(answer.read())

    def until(self, path: str, is_so: Callable[[Any], object], patience: float = _PATIENCE) -> Any:
        """Asks until the answer is as wanted. Raises BenchmarkError when it does not become so."""
        deadline = time.monotonic() + patience
        while not is_so(found := self.get(path)):
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{path}: {str(found)[:200]}")
            time.sleep(0.1)
        return found

    @property
    def memory(self) -> float:
        """Bytes that it has in memory now."""
        return float(self.process.memory_info().rss)


@contextmanager
def serving(directory: Path, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """The dashboard of the stack in this folder, ended afterwards."""
    with TemporaryDirectory(prefix="bench-state-") as state:
        process = subprocess.Popen(
            (INVOKE, "dashboard", "--no-open"),
            cwd=directory,
            env={**os.environ, "XDG_STATE_HOME": state, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield Served(process)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def stack(services: Mapping[str, object]) -> Iterator[Path]:
    """The folder of a stack that is up; all of it is gone afterwards. `in/` is for files that services share
    with the benchmark."""
    with TemporaryDirectory(prefix="bench-dashboard-") as parent:
        directory = Path(parent) / f"bench-dash-{uuid.uuid4().hex[:8]}"
        (directory / "in").mkdir(parents=True)
        os.mkfifo(directory / "in" / "pipe")
        (directory / "compose.yaml").write_text(json.dumps({"services": services}))
        (directory / "tasks.py").write_text("from invoke_devstack import stack\n\nnamespace = stack()\n")
        try:
            run(directory, "up", "--detach")
            yield directory
        finally:
            run(directory, "down", "--volumes", "--rmi", "local", "--timeout", "1")


def run(directory: Path, *words: str) -> None:
    """A task of the stack. Raises BenchmarkError when it fails."""
    done = subprocess.run((INVOKE, *words), cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"`invoke {' '.join(words)}` ended with {done.returncode}: {done.stderr[-300:]}")

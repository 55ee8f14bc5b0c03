"""A dashboard of its own that receives traces, and what it answers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

from invoke_devstack.traces.places import Door, door_of

PROJECT = "devstack-benchmark-traces"
_PATIENCE = 60.0  # seconds until it receives, and until it has ended


class Served:
    """A running dashboard. `process` is it, `door` what opens its receiver."""

    def __init__(self, link: str, process: psutil.Process, door: Door) -> None:
        parts = urlsplit(link)
        self.link = link
        self.address = parts.netloc
        self.process, self.door = process, door
        self._key = {"authorization": f"Bearer {parse_qs(parts.query)['token'][0]}"}

    def get(self, path: str) -> tuple[float, Any]:
        """Seconds until the answer was there, and the answer of the API."""
        connection = http.client.HTTPConnection(self.address, timeout=_PATIENCE)
        began = time.monotonic()
        connection.request("GET", f"/api/v1/{path}", headers=self._key)
        body = connection.getresponse().read()
        elapsed = time.monotonic() - began
        connection.close()
        return elapsed, json.loads(body)

    def memory(self) -> float:
        """What it has resident, in MB."""
        return float(self.process.memory_info().rss / 1e6)

    def processor_time(self) -> float:
        """In seconds."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def own_state() -> Iterator[None]:
    """This process and those that it starts keep traces in a folder of their own, which is removed."""
    before = os.environ.get("XDG_STATE_HOME")
    with tempfile.TemporaryDirectory(prefix="devstack-traces-") as folder:
        os.environ["XDG_STATE_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_STATE_HOME"]
            else:
                os.environ["XDG_STATE_HOME"] = before


@contextmanager
def served() -> Iterator[Served]:
    """A dashboard that receives, until the end. Within `own_state`."""
    with tempfile.TemporaryDirectory(prefix="devstack-traces-") as folder:
        Path(folder, "compose.yaml").write_text(f"name: {PROJECT}\nservices: {{web: {{image: busybox}}}}\n")
        Path(folder, "tasks.py").write_text("from invoke_devstack import stack\n\nnamespace = stack()\n")
        door = door_of(PROJECT)
        command = [sys.executable, "-m", "invoke", "dashboard", "--no-open"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                found = Served(process.stdout.readline().strip(), psutil.Process(process.pid), door)
                _wait_until_it_receives(found)
                yield found
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(_PATIENCE)


def _wait_until_it_receives(found: Served) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not (status := found.get("traces/status")[1])["receiving"]:
        if time.monotonic() > deadline:
            sys.exit(f"it does not receive: {status['problem'] or 'nothing is said why'}")
        time.sleep(0.1)

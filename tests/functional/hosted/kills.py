"""A small stack with its page on this machine, whose commands and keepers are killed at random moments, and
what is counted then: process groups, listeners, writes that were answered."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from invoke_devstack.engine.processes.recorder import MARK
from tests.functional.conftest import Ended, Project

LIMIT = 60.0  # seconds that anything may take on a busy machine
STORE = '''
"""Keeps each posted line on its volume before it answers."""
import http.server
import os


class Store(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        line = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/data/lines", "ab") as file:
            file.write(line + b"\\n")
            os.fsync(file.fileno())
        self.answer(b"kept")

    def do_GET(self):
        open("/data/lines", "ab").close()
        self.answer(open("/data/lines", "rb").read())

    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Store).serve_forever()
'''
WEB = '''
"""Passes writes on to the store. It and a child that leaves its session tell the ledger that they run."""
import http.server
import os
import subprocess
import sys
import urllib.request

ESCAPE = "import os, time; open(os.environ['LEDGER'], 'a').write(f'{os.getpid()}\\\\n'); time.sleep(10000)"
with open(os.environ["LEDGER"], "a") as ledger:
    ledger.write(f"{os.getpid()}\\n")
subprocess.Popen([sys.executable, "-c", ESCAPE], start_new_session=True)


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/":
            urllib.request.urlopen(os.environ["STORE_URL"], self.path.encode(), timeout=20).read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"kept")

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Web).serve_forever()
'''
COMPOSE = """
services:
  store:
    image: python:3.13-slim
    command: [python, -u, /store.py]
    environment: {{PORT: "{store}"}}
    init: true
    stop_grace_period: 1s
    volumes: ["data:/data", "./store.py:/store.py:ro"]
    expose: ["{store}"]
    x-devstack: {{ready: {store}}}
  web:
    image: python:3.13-slim
    command: [python, -u, /web.py]
    environment: {{STORE_URL: "http://store:{store}"}}
    depends_on: [store]
    stop_grace_period: 1s
    expose: ["5000"]
    x-devstack:
      host:
        command: python3 -u web.py
        environment: {{PORT: "{port}", LEDGER: "{ledger}"}}
        ports: ["{port}:5000"]
        ready: {{port: {port}, path: /}}
volumes: {{data: {{}}}}
"""
UP = ("up", "--host", "web")
VICTIMS = ("command", "its group", "supervisor", "recorder", "process")


@dataclass
class Kills:
    """One seeded series. `answered` are the writes that the page has acknowledged."""

    project: Project
    runtime: Path
    port: int
    store: int
    chance: random.Random
    answered: list[str] = field(default_factory=list)
    killed: dict[str, int] = field(default_factory=dict)
    longest_up: float = 3.0  # seconds, as measured

    @property
    def ledger(self) -> Path:
        return self.project.directory / "ledger"

    def prepare(self) -> None:
        self.project.write("store.py", STORE)
        self.project.write("web.py", WEB)
        self.project.compose(self._definition())
        self.ledger.touch()

    def _definition(self) -> str:
        return COMPOSE.format(port=self.port, store=self.store, ledger=self.ledger)

    def run(self, kills: int) -> None:
        self.go_on()
        while sum(self.killed.values()) < kills:
            number = sum(self.killed.values())
            victim = VICTIMS[number % len(VICTIMS)]
            self._kill(victim, number)
            if self.chance.random() < 0.3:
                self.end()
            self.go_on()
        self.end()

    # what is killed
    def _kill(self, victim: str, number: int) -> None:
        """At a random moment of an `up`, or, half of the time for the keepers, when all of it runs."""
        stays = ("--attach",) if self.chance.random() < 0.6 else ("--detach",)
        if victim in ("command", "its group") or self.chance.random() < 0.5:
            self._change(number)
            command = self.project.start(*UP, *stays, start_new_session=True)
            time.sleep(self.chance.uniform(0, 1.2 * self.longest_up))
        else:
            command = None
        self._hit(victim, command)
        if command is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(command.pid, signal.SIGKILL)
            command.communicate(timeout=LIMIT)
        if victim == "supervisor":
            until(lambda: not self.running(), "the processes of a killed supervisor end")

    def _hit(self, victim: str, command: subprocess.Popen[str] | None) -> None:
        self.killed[victim] = self.killed.get(victim, 0) + 1
        if command is not None and victim in ("command", "its group"):
            kill = os.killpg if victim == "its group" else os.kill
            with contextlib.suppress(ProcessLookupError):
                kill(command.pid, signal.SIGKILL)
            return
        words = {"supervisor": "supervisord", "recorder": "recorder.py", "process": "web.py"}[victim]
        for item in self.ours():
            with contextlib.suppress(psutil.Error):
                if words in " ".join(item.cmdline()):
                    item.kill()

    def _change(self, number: int) -> None:
        """Sometimes the process has to be replaced, so that a kill meets that too."""
        if self.chance.random() < 0.5:
            self.project.compose(self._definition().replace("LEDGER:", f'ROUND: "{number}", LEDGER:'))

    # what the next command finds
    def go_on(self) -> None:
        """The next `up` has one process on the port, whose writes arrive."""
        began = time.monotonic()
        ended = self.project.invoke(*UP, "--detach", timeout=3 * LIMIT)
        self.longest_up = max(self.longest_up, min(time.monotonic() - began, 10.0))
        assert ended.code == 0, self._story(ended)
        (pid,) = self.listeners()
        assert os.getpgid(pid) == pid
        leaders = {item.pid for item in self.running()}
        assert pid in leaders, self._story(ended)
        until(lambda: len(self.running()) == 2, "one process runs, with its child")
        line = f"{len(self.answered)}"
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{line}", timeout=LIMIT) as got:
            assert got.read() == b"kept"
        self.answered.append(line)

    def end(self) -> None:
        """`down` leaves no process group, no listener, no keeper, no file. The volume keeps what was
        answered."""
        ended = self.project.invoke("down", timeout=3 * LIMIT)
        assert ended.code == 0, self._story(ended)
        assert self.running() == [], self._story(ended)
        assert self.listeners() == set(), self._story(ended)
        until(lambda: not list(self.ours()), "no supervisor and no recorder is left")
        assert [*self.runtime.glob("invoke-devstack/*/*")] == []
        assert self.project.containers() == []
        (volume,) = self.project.volumes()
        kept = self.project.docker(
            "run", "--rm", "-v", f"{volume.name}:/data:ro", "python:3.13-slim", "cat", "/data/lines"
        )
        assert sorted(kept.out.split()) == sorted(f"/{line}" for line in self.answered)

    def running(self) -> list[psutil.Process]:
        """Those of all processes that ever told the ledger which still run, and their process groups."""
        found = []
        for line in {*self.ledger.read_text().split()}:
            with contextlib.suppress(psutil.Error):
                item = psutil.Process(int(line))
                is_same = item.environ().get("LEDGER") == str(self.ledger)
                if is_same and item.status() != psutil.STATUS_ZOMBIE:
                    found.append(item)
        return found

    def listeners(self) -> set[int]:
        return {
            item.pid
            for item in psutil.net_connections("tcp")
            if item.pid and item.laddr and item.laddr[1] == self.port and item.status == psutil.CONN_LISTEN
        }

    def ours(self) -> Iterator[psutil.Process]:
        """Supervisors, recorders, and all that has the mark of a process of this runtime directory."""
        for item in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                variables = item.environ()
                keeps = str(self.runtime) in " ".join(item.cmdline())
                marked = MARK in variables and variables.get("XDG_RUNTIME_DIR") == str(self.runtime)
                if (keeps or marked) and item.status() != psutil.STATUS_ZOMBIE:
                    yield item

    def _story(self, ended: Ended) -> str:
        lines = []
        for item in self.ours():
            with contextlib.suppress(psutil.Error):
                lines.append(f"{item.pid} {' '.join(item.cmdline())[:100]}")
        return "\n".join([f"after {self.killed}:", ended.out, ended.err, *lines])


def until(says: Callable[[], object], what: str) -> None:
    end = time.monotonic() + LIMIT
    while not says():
        assert time.monotonic() < end, what
        time.sleep(0.05)

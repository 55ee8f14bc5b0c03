"""Every task with an engine that stops answering at its Nth request, and the signals that must end it.

`python -m tests.functional.bad_engine.hanging` runs all of it: each task, each request, each way to hang and
each signal. The list of tasks is that of the collection, so a new one is covered, or needs its words here.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import psutil

from invoke_devstack.tasks.namespace import Stack
from tests.functional.conftest import Project
from tests.proxy import EngineProxy, Verdict, at_request

COMPOSE = """
services:
  web:
    image: IMAGE
    init: true
    command: sleep 600
    depends_on: [db]
  db:
    image: IMAGE
    init: true
    command: sleep 600
    healthcheck: {test: "true"}
    volumes: [data:/data]
  builder:
    build: {context: ., dockerfile_inline: "FROM IMAGE\\nRUN true"}
    profiles: [build]
    init: true
    command: sleep 600
    develop: {watch: [{action: sync, path: ./src, target: /src}]}
volumes: {data: {}}
"""
COMMITTED = "devstack-test/committed:1"
WORDS: Mapping[str, tuple[str, ...]] = {
    "build": ("-s", "builder"),
    "commit": ("web", COMMITTED),
    "copies.add": ("hung",),
    "copies.end": ("hung",),
    "cp": ("db:/etc/passwd", "copied"),
    "diff": ("db",),
    "connect": ("db",),
    "deploy.export": ("manifests",),
    "down": ("--timeout", "1"),
    "exec": ("web", "--", "sleep", "600"),
    "export": ("web", "--output", "exported.tar"),
    "images.inspect": ("web",),
    "images.layers": ("web",),
    "images.prune": ("--yes",),
    "images.rm": ("-s", "builder", "--yes"),
    "inspect": ("web",),
    "kill": ("-s", "web"),
    "logs": ("--follow",),
    "port": ("web",),
    "publish": ("127.0.0.1:9/hung/stack:1",),
    "pull": ("-s", "web"),
    "push": ("-s", "builder"),
    "reset": ("--yes",),
    "restart": ("--timeout", "1"),
    "restore": ("db", "there", "--yes"),
    "rm": ("--yes",),
    "run": ("web", "--", "sleep", "600"),
    "scale": ("web=2",),
    "shell": ("web",),
    "snapshot": ("db",),
    "snapshots.export": ("there", "exported"),
    "snapshots.import": ("given", "--name", "imported"),
    "snapshots.rm": ("there", "--yes"),
    "stop": ("--timeout", "1"),
    "up": ("--detach", "--force-recreate"),
    "watch": ("-s", "builder"),
    "why": ("src/a.txt",),
}
LEFT_OUT: Mapping[str, str] = {
    "setup": "it installs an engine",
    "open": "it opens a browser",
    "menu": "it needs a terminal",
    "mcp": "it waits for a client: see tests/functional/agents",
    "agents.init": "it asks no engine",
}
"""Tasks that this cannot run, and why."""
VARIANTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "up": (("--attach", "--force-recreate"), ()),
    "logs": ((),),
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HANGS = (Verdict.HANG, Verdict.HANG_ONE, Verdict.HALF)
GRACEFUL = frozenset(
    {
        *("down", "stop", "restart", "up", "run", "stacks", "rm", "reset", "restore", "snapshot"),
        *("copies.add", "copies.end"),
    }
)
"""Tasks that stop containers, or pass a first signal on: there a second signal must do, at the latest."""

_START = 60.0  # seconds until the first request, on a busy machine
_ASKING = 5.0  # seconds after which a task that still asks does so for ever
_EACH = 4.0  # seconds for each signal: the promised one, and what a busy machine takes more
_QUIET = 2.0  # seconds without a request after which one that goes on only waits


@dataclass(frozen=True)
class Case:
    words: tuple[str, ...]
    number: int
    hang: Verdict
    signal: signal.Signals

    def __str__(self) -> str:
        return f"{' '.join(self.words)} @{self.number} {self.hang.name} {self.signal.name}"


@dataclass(frozen=True)
class Outcome:
    """`seconds` from the last signal that was needed to the end; `signals` is how many were."""

    code: int | None
    seconds: float
    signals: int
    shown: str
    left: tuple[str, ...]
    request: str = ""
    changed: bool = True

    def complaint(self, case: Case, slack: float) -> str:
        """What is wrong with it, or ""."""
        most = 2 if case.words[0] in GRACEFUL else 1
        wrong = [
            self.signals > most and f"needed {self.signals} signals",
            self.seconds > 1.0 + slack and f"took {self.seconds:.2f} s",
            self.code != 128 + case.signal and f"exit code {self.code}",
            "Traceback" in self.shown and "a traceback",
            "unexpected" in self.shown and "a fault of ours",
            self.left and f"left {', '.join(self.left)}",
        ]
        return ", ".join(str(item) for item in wrong if item)


def all_tasks() -> Iterator[tuple[str, ...]]:
    """The words of every task that can be run."""
    for name in sorted(Stack(Path()).task_names):
        if name not in LEFT_OUT:
            yield (name, *WORDS.get(name, ()))
            yield from ((name, *words) for words in VARIANTS.get(name, ()))


class Bench:
    """A project that is up, behind a proxy."""

    def __init__(self, folder: Path, engine_url: str, image: str, name: str) -> None:
        self.folder = folder
        self.engine_url = engine_url
        self.name = name
        (folder / "src").mkdir()
        (folder / "src" / "a.txt").write_text("a")
        (folder / "compose.yaml").write_text(COMPOSE.replace("IMAGE", image))
        (folder / "tasks.py").write_text("from invoke_devstack import stack\n\nnamespace = stack()\n")
        self._environment = {**os.environ, "COMPOSE_PROJECT_NAME": name, "COMPOSE_PROFILES": "build"}
        self.restore()
        self.invoke("snapshot", "db", "--name", "there")
        self.invoke("snapshots.export", "there", "given")

    def invoke(self, *words: str, engine: str = "", timeout: float = 120.0) -> str:
        done = subprocess.run(
            self.command(words),
            cwd=self.folder,
            env=self.on(engine or self.engine_url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.stdout + done.stderr

    def restore(self) -> None:
        """As every case expects it: up, and with the image."""
        self.invoke("up", "--detach", "--build")
        (self.folder / "exported").unlink(missing_ok=True)

    def prepare(self, words: tuple[str, ...]) -> None:
        """What the task needs, and room for what it makes."""
        if words[0] == "copies.end":
            self.invoke("copies.add", "hung")
        elif words[0] == "copies.add":
            self.invoke("copies.end", "hung")
        elif words[0] in ("restore", "snapshots.export", "snapshots.rm"):
            self.invoke("snapshot", "db", "--name", "there")
        elif words[0] == "snapshots.import":
            self.invoke("snapshots.rm", "imported", "--yes")

    def restore_after(self, outcome: Outcome | None) -> None:
        if outcome is None or outcome.changed:
            self.restore()

    def remove(self) -> None:
        self.invoke("copies.end", "hung")
        client = docker.DockerClient(base_url=self.engine_url)
        with suppress(docker.errors.APIError):
            client.images.remove(COMMITTED)
        Project(self.folder, self.name, client).remove_everything()
        client.close()

    def requests_of(self, words: tuple[str, ...]) -> list[str]:
        """The first lines of the requests that the task makes, up to those that it repeats for ever."""
        self.prepare(words)
        proxy = EngineProxy(self.folder / "count.sock", self.engine_url)
        process = self._start(words, proxy.url)
        if not _let_it_ask(process, proxy):
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        proxy.close()
        return proxy.seen

    def run(self, case: Case) -> Outcome | None:
        """None if the task ended before its request came."""
        self.prepare(case.words)
        proxy = EngineProxy(self.folder / "hang.sock", self.engine_url, at_request(case.number, case.hang))
        process = self._start(case.words, proxy.url)
        try:
            until = time.monotonic() + 15
            while not proxy.struck.wait(0.02):
                if process.poll() is not None or time.monotonic() > until:
                    return None
            time.sleep(0.2)
            children = psutil.Process(process.pid).children(recursive=True)
            if process.poll() is not None:
                return None
            outcome = self._signal(process, children, case, proxy.seen[case.number - 1])
            return replace(outcome, changed=may_change(proxy.seen))
        finally:
            proxy.close()
            process.kill()
            process.communicate()

    def _signal(
        self, process: subprocess.Popen[str], children: list[psutil.Process], case: Case, request: str
    ) -> Outcome:
        for count in (1, 2, 3):
            began = time.monotonic()
            process.send_signal(case.signal)
            try:
                out, err = process.communicate(timeout=_EACH)
            except subprocess.TimeoutExpired:
                continue
            seconds = time.monotonic() - began
            return Outcome(process.returncode, seconds, count, out + err, _left(children), request)
        return Outcome(None, 3 * _EACH, 4, "", (), request)

    def _start(self, words: tuple[str, ...], engine: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(words),
            cwd=self.folder,
            env=self.on(engine),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, words: tuple[str, ...]) -> list[str]:
        return [str(Path(sys.executable).with_name("invoke")), *words]

    def on(self, engine: str) -> dict[str, str]:
        return {**self._environment, "DOCKER_HOST": engine}


def may_change(requests: Iterable[str]) -> bool:
    """Whether the stack may be another one after these requests."""
    return any(not line.startswith("GET") for line in requests)


def _let_it_ask(process: subprocess.Popen[str], proxy: EngineProxy) -> bool:
    """Waits until the task ends: True; or has asked nothing new for a while, or the same again and again."""
    began = heard = time.monotonic()
    count, limit = 0, _START
    while time.monotonic() - heard < limit and time.monotonic() - began < _START:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=0.1)
            return True
        if len(proxy.seen) > count:
            if not count:
                began = time.monotonic() - _START + _ASKING
            count, heard, limit = len(proxy.seen), time.monotonic(), _QUIET
    return False


def _left(children: list[psutil.Process]) -> tuple[str, ...]:
    """The names of those that are still there a moment later; a zombie only waits for its new parent."""
    until = time.monotonic() + 10
    while (found := _living(children)) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def _living(children: list[psutil.Process]) -> tuple[str, ...]:
    found = []
    for child in children:
        with suppress(psutil.NoSuchProcess):
            if child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child.name())
    return tuple(found)


def cases(bench: Bench, words: tuple[str, ...], chance: random.Random, most: int | None) -> list[Case]:
    """All cases of a task, or `most` of them."""
    requests = bench.requests_of(words)
    if may_change(requests):
        bench.restore()
    every = [
        Case(words, number, hang, number_of_signal)
        for number in range(1, len(requests) + 1)
        for hang in HANGS
        for number_of_signal in SIGNALS
    ]
    return every if most is None or most >= len(every) else chance.sample(every, most)


def main() -> int:
    only, most = sys.argv[1:2], int(sys.argv[2]) if len(sys.argv) > 2 else None
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            Path(folder),
            os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
            "redis:8",
            "devstack-hanging",
        )
        try:
            for words in all_tasks():
                if only and only[0] not in ("all", words[0]):
                    continue
                bad += _sweep(bench, words, most)
        finally:
            bench.remove()
    return 1 if bad else 0


def _sweep(bench: Bench, words: tuple[str, ...], most: int | None) -> int:
    bad = ran = 0
    slowest = 0.0
    for case in cases(bench, words, random.Random(1), most):
        outcome = bench.run(case)
        bench.restore_after(outcome)
        if outcome is None:
            continue
        ran += 1
        slowest = max(slowest, outcome.seconds)
        if complaint := outcome.complaint(case, 0.2):
            bad += 1
            print(f"BAD {case}: {complaint} [{outcome.request}]\n{outcome.shown[-600:]}", flush=True)
    print(f"{' '.join(words)}: {ran} cases, {bad} bad, slowest {slowest:.2f} s", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())

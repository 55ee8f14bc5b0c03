"""Rows of the watch: `invoke watch` beside `docker compose watch`, on the same files and engine.

Each side watches a project of its own with one service that serves files by HTTP. Files are looked
for in the container's file system itself (so this runs as root on the engine's machine), a rebuilt
service is asked for its page.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from benchmarks.floor import invoke_task
from benchmarks.images import base_image
from benchmarks.limit import call, planned
from benchmarks.pairing import BenchmarkError, Measure, Row, run_pairs
from benchmarks.sides import free_port

_PATIENCE = 30.0  # seconds for any one change to arrive
_SAVES, _REBUILDS, _SWITCHES, _STARTS = 20, 7, 5, 5
_FILES_AT_ONCE = 1000
_TREE = 50_000
_IDLE_SECONDS = 60.0
_PROGRAMS = {
    "invoke": (str(Path(sys.executable).with_name("invoke")), "watch"),
    "compose": ("docker", "compose", "watch", "--no-up"),
}
_DEFINITION = """\
name: {name}
services:
  web:
    build: ./web
    ports: ["127.0.0.1:{port}:80"]
    stop_grace_period: 0s
    develop:
      watch:
        - {{path: ./src, action: sync, target: /www/src}}
        - {{path: ./web/big, action: sync, target: /www/big}}
        - {{path: ./web/page.txt, action: rebuild}}
"""
_ANOTHER_SERVICE = """\
  other:
    image: {base}
    command: ["sleep", "inf"]
    stop_grace_period: 0s
"""
"""Without it the network would lose its only member at each rebuild, and the machine its addresses: Engine
20.10 then loses a second where the page is asked for meanwhile. A row of its own shows that."""
_ASKING = 0.03
"""Seconds for one request. One that comes while the old container goes is never answered: with a longer
time-out, that would be what is measured."""
_BETWEEN_ASKS = 0.01
"""Seconds. Whoever asks without a break takes one of two processors from the build."""
_DOCKERFILE = """\
FROM {base}
COPY big /www/big
COPY page.txt /www/page.txt
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""


@dataclass
class Watching:
    """A project that one of the tools watches."""

    directory: Path
    port: int
    label: str
    process: subprocess.Popen[bytes]

    @classmethod
    def begin(cls, directory: Path, port: int, label: str) -> Watching:
        """Starts the tool, without waiting for it."""
        return cls(directory, port, label, _start(label, directory))

    def restart(self) -> float:
        """Ends the tool, starts it again, and returns after how many seconds it watches."""
        self.end()
        began = time.perf_counter()
        self.process = _start(self.label, self.directory)
        self.wait()
        return time.perf_counter() - began

    def wait(self) -> None:
        """Returns when the tool says that it watches. (Its inotify watches are all there by then, as
        /proc/PID/fdinfo tells for both.)"""
        log = _log_of(self.directory)
        _until(lambda: b"atch" in log.read_bytes() and self.process.poll() is None)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()

    @property
    def name(self) -> str:
        return self.directory.name

    def root(self) -> Path:
        """The container's file system."""
        shown = _output(("docker", "inspect", f"{self.name}-web-1"))
        merged = json.loads(shown)[0]["GraphDriver"]["Data"].get("MergedDir", "")
        if not merged or not os.access(merged, os.R_OK):
            raise BenchmarkError("the engine's files cannot be read: run as root on its machine")
        return Path(merged)

    def watcher(self) -> int:
        """The id of the process that watches: the tool itself, or the plugin that it started."""
        children = _output(("pgrep", "-P", str(self.process.pid)), check=False).split()
        return int(children[0]) if children and self.label == "compose" else self.process.pid


def watch_rows() -> list[Row]:
    """All rows of the watch."""
    with base_image() as base:
        with _both(base) as sides:
            rows = [
                _paired("save to file in the container (sync)", sides, _save, _SAVES, 0.06, note=True),
                _paired("save to new container serving (rebuild)", sides, _rebuild, _REBUILDS, 0.6),
                _paired("1,000 files changed at once", sides, _switch, _SWITCHES, 1.0),
            ]
        with _both(base, alone=True) as sides, _alone_without_tool(base) as bare:
            name = "rebuild of a stack's only service"
            rows.append(_paired(name, sides, _rebuild, _REBUILDS, 0.6, limit=bare))
        with _both(base, files=_TREE) as sides, invoke_task() as empty:
            rows += _tree_rows(sides, empty)
    return rows


def _paired(
    name: str,
    sides: dict[str, Watching],
    act: Callable[[Watching], float],
    rounds: int,
    bound: float,
    *,
    limit: Measure | None = None,
    empty: Measure | None = None,
    note: bool = False,
) -> Row:
    def rested(measure: Measure) -> Measure:
        def in_turn() -> float:
            time.sleep(0.2)
            return measure()

        return in_turn

    ours, theirs = (rested(partial(act, sides[tool])) for tool in _PROGRAMS)
    bare = rested(limit) if limit is not None else None
    row = run_pairs(name, ours, theirs, limit=bare, empty=empty, bound=bound, rounds=rounds)
    if not note or row.failure:
        return row
    labelled = {"invoke": row.ours, "compose": row.theirs}
    text = ", ".join(f"{label} p95 {_p95(values) * 1000:.0f} ms" for label, values in labelled.items())
    return replace(row, note=text)


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def _save(side: Watching) -> float:
    word = uuid.uuid4().hex
    arrived = side.root() / "www" / "src" / "app.py"
    (side.directory / "src" / "app.py").write_text(word)
    return _until(lambda: _text(arrived) == word)


def _rebuild(side: Watching) -> float:
    word = uuid.uuid4().hex
    (side.directory / "web" / "page.txt").write_text(word)
    return _until(lambda: _page_at(side.port) == word, every=_BETWEEN_ASKS)


def _switch(side: Watching) -> float:
    word = uuid.uuid4().hex
    source, arrived = side.directory / "src", side.root() / "www" / "src"
    names = [f"many/f{number:04}.txt" for number in range(_FILES_AT_ONCE)]
    (source / "many").mkdir(exist_ok=True)
    began = time.perf_counter()
    for name in names:
        (source / name).write_text(word)
    left = list(reversed(names))

    def all_there() -> bool:
        while left and _text(arrived / left[-1]) == word:
            left.pop()
        return not left

    _until(all_there)
    return time.perf_counter() - began


def _tree_rows(sides: dict[str, Watching], empty: Measure) -> list[Row]:
    time.sleep(20)  # both have settled
    cpu = {label: _cpu(side.watcher()) for label, side in sides.items()}
    time.sleep(_IDLE_SECONDS)
    idle = {label: (_cpu(side.watcher()) - cpu[label]) / _IDLE_SECONDS for label, side in sides.items()}
    memory = {label: _memory(side.watcher()) for label, side in sides.items()}
    both = (idle["invoke"] * 100,), (idle["compose"] * 100,)
    return [
        _paired("watch of 50,000 files: start", sides, Watching.restart, _STARTS, 1.0, empty=empty),
        Row("watch of 50,000 files: memory", "MB", 1.0, (memory["invoke"],), (memory["compose"],)),
        Row("watch of 50,000 files: idle CPU", "% CPU", None, *both),
    ]


@contextlib.contextmanager
def _both(base: str, *, files: int = 0, alone: bool = False) -> Iterator[dict[str, Watching]]:
    with contextlib.ExitStack() as stack:
        yield {label: stack.enter_context(_watching(label, base, files, alone)) for label in _PROGRAMS}


@contextlib.contextmanager
def _watching(label: str, base: str, files: int, alone: bool) -> Iterator[Watching]:
    with TemporaryDirectory(prefix=f"bench-watch-{label}-") as parent:
        directory = Path(parent) / f"bench-watch-{label}-{uuid.uuid4().hex[:8]}"
        port = _write_project(directory, base, files, alone)
        _output(("docker", "compose", "up", "--detach", "--build"), cwd=directory)
        side = Watching.begin(directory, port, label)
        try:
            side.wait()
            time.sleep(2)
            yield side
        finally:
            side.end()
            _output(("docker", "compose", "down", "--volumes", "--rmi", "local", "-t", "1"), cwd=directory)


@contextlib.contextmanager
def _alone_without_tool(base: str) -> Iterator[Measure]:
    """A project with one service; what is given rebuilds it with no more than the engine's requests."""
    with TemporaryDirectory(prefix="bench-watch-bare-") as parent:
        directory = Path(parent) / f"bench-watch-bare-{uuid.uuid4().hex[:8]}"
        port = _write_project(directory, base, 0, alone=True)
        _output(("docker", "compose", "up", "--detach", "--build"), cwd=directory)
        container = f"{directory.name}-web-1"
        body = planned(directory, os.environ)["CreateContainer" + container].body

        def rebuild() -> float:
            word = uuid.uuid4().hex
            (directory / "web" / "page.txt").write_text(word)
            began = time.perf_counter()
            _output(("docker", "build", "--quiet", "--tag", f"{directory.name}-web", str(directory / "web")))
            made = call("POST", "/containers/create", body)["Id"]
            call("POST", f"/containers/{container}/stop?t=0")
            call("DELETE", f"/containers/{container}")
            call("POST", f"/containers/{made}/start")
            call("POST", f"/containers/{made}/rename?name={container}")
            _until(lambda: _page_at(port) == word, every=_BETWEEN_ASKS)
            return time.perf_counter() - began

        try:
            yield rebuild
        finally:
            _output(("docker", "compose", "down", "--volumes", "--rmi", "local", "-t", "1"), cwd=directory)


def _start(label: str, directory: Path) -> subprocess.Popen[bytes]:
    with _log_of(directory).open("wb") as output:
        return subprocess.Popen(_PROGRAMS[label], cwd=directory, stdout=output, stderr=output)


def _log_of(directory: Path) -> Path:
    return directory.parent / "log"


def _write_project(directory: Path, base: str, files: int, alone: bool) -> int:
    """Returns the port of its page."""
    port = free_port()
    (directory / "web").mkdir(parents=True)
    (directory / "src").mkdir()
    (directory / "src" / "app.py").write_text("first")
    (directory / "web" / "page.txt").write_text("first")
    (directory / "web" / "Dockerfile").write_text(_DOCKERFILE.format(base=base))
    definition = _DEFINITION if alone else _DEFINITION + _ANOTHER_SERVICE
    (directory / "compose.yaml").write_text(definition.format(name=directory.name, port=port, base=base))
    (directory / "tasks.py").write_text("from invoke_devstack import stack\n\nnamespace = stack()\n")
    (directory / "web" / "big").mkdir()
    (directory / "web" / "big" / "mark").write_text(directory.name)  # no layer is that of the other side
    for number in range(files):
        if number % 50 == 0:
            folder = directory / "web" / "big" / f"d{number // 2500}" / f"s{number // 50}"
            folder.mkdir(parents=True)
        (folder / f"f{number}").write_text("x" * 100)
    return port


def _until(reached: Callable[[], bool], *, every: float = 0.001) -> float:
    began = time.perf_counter()
    while not reached():
        if time.perf_counter() - began > _PATIENCE:
            raise BenchmarkError("a change did not arrive")
        time.sleep(every)
    return time.perf_counter() - began


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _page_at(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/page.txt", timeout=_ASKING) as answer:
            return str(answer.read().decode())
    except (OSError, http.client.HTTPException):
        return ""


def _cpu(process: int) -> float:
    """Seconds of processor time of all threads."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _memory(process: int) -> float:
    """Resident bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _output(command: tuple[str, ...], *, cwd: Path | None = None, check: bool = True) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise BenchmarkError(f"`{' '.join(command)}` failed: {done.stderr.strip()[-300:]}")
    return done.stdout

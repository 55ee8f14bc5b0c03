"""Rows of the logs: two million lines of the history of one, two and twenty containers, and how long a line
takes from a container's write to the terminal, in a quiet stack and beside 20 containers that write 50,000
lines a second.

A line goes through a named pipe into the container, whose `cat` writes it to its stdout: both sides have
the same way before the log. (So this runs on the engine's machine.)
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from benchmarks.images import base_image
from benchmarks.limit import FOLLOW, socket_path
from benchmarks.pairing import BenchmarkError, Row, run_pairs

_LINES = 2_000_000
_CONTAINERS = {1: "one container", 2: "two containers", 20: "twenty containers"}
_WRITERS, _LINES_A_WRITER = 20, 2500  # a second
_TURNS, _SAMPLES, _BETWEEN = 5, 80, 0.02
_PROGRAMS = {
    "invoke": (str(Path(sys.executable).with_name("invoke")), "logs"),
    "compose": ("docker", "compose", "logs"),
}
_FOLLOWING = {tool: (*words, "--follow", "--tail", "0") for tool, words in _PROGRAMS.items()}


def log_rows(rounds: int) -> list[Row]:
    """History, then latency."""
    with base_image() as image:
        rows = [_history(image, rounds, count, bound) for count, bound in ((1, 0.5), (2, 0.7), (20, 0.7))]
        for name, writers in (("quiet", 0), ("50,000 lines a second", _WRITERS)):
            rows += _latency(image, name, writers)
    return rows


def _history(image: str, rounds: int, containers: int, bound: float) -> Row:
    """All containers write at the same time, so that their lines take turns."""
    each = _LINES // containers
    text = f"seq {each} | sed 's/$/ is the number of this line in the history of a service/'"
    service = {"image": image, "command": ["sh", "-c", f"{text}; echo end"]}
    services = {f"web{number}": service for number in range(containers)}
    wanted = (each + 1) * containers
    with _project(services) as directory:
        for name in services:
            _until_written(directory, name)

        def measure(tool: str) -> float:
            began = time.perf_counter()
            command = " ".join(_PROGRAMS[tool])
            done = subprocess.run(f"{command} | wc -l", shell=True, cwd=directory, capture_output=True)
            if int(done.stdout) != wanted:
                raise BenchmarkError(f"{tool} printed {int(done.stdout)} of {wanted} lines")
            return time.perf_counter() - began

        return run_pairs(
            f"2 million log lines of {_CONTAINERS[containers]}",
            lambda: measure("invoke"),
            lambda: measure("compose"),
            bound=bound,
            rounds=min(rounds, 3),
        )


def _until_written(directory: Path, service: str) -> None:
    name = f"{directory.name}-{service}-1"
    subprocess.run(("docker", "wait", name), capture_output=True, check=True)


def _latency(image: str, name: str, writers: int) -> list[Row]:
    services: dict[str, object] = {
        "web": {"image": image, "command": ["sh", "-c", "exec cat <>/in/pipe"], "volumes": ["./in:/in"]}
    }
    loop = f"while :; do seq {_LINES_A_WRITER // 10}; usleep 100000; done"
    services |= {
        f"w{number}": {"image": image, "command": ["sh", "-c", loop], "stop_grace_period": "0s"}
        for number in range(writers)
    }
    try:
        with _project(services) as directory:
            bare = (sys.executable, "-c", FOLLOW, socket_path(), f"{directory.name}-web-1")
            followers = {**_FOLLOWING, "bare": bare}
            taken: dict[str, list[float]] = {tool: [] for tool in followers}
            for _ in range(_TURNS):
                for tool, command in followers.items():
                    taken[tool] += _follow(tool, command, directory)
    except BenchmarkError as error:
        return [Row(f"`logs --follow`, {name}", "s", 1.0, (), (), failure=str(error))]
    rows = []
    for label, percent in (("p50", 50), ("p99", 99)):
        mine, other, least = (quantiles(times, n=100)[percent - 1] for times in taken.values())
        rows.append(Row(f"`logs --follow`, {name}: {label}", "s", 1.0, (mine,), (other,), (least,)))
    return rows


def _follow(tool: str, command: tuple[str, ...], directory: Path) -> list[float]:
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    arrivals = _Arrivals(process)
    threading.Thread(target=arrivals.read, daemon=True).start()
    try:
        with (directory / "in" / "pipe").open("wb", buffering=0) as sender:
            _await_first(sender, arrivals)
            return [arrivals.of(sender, f"sample-{number}-{tool}-") for number in range(_SAMPLES)]
    finally:
        process.terminate()
        process.wait()


@dataclass
class _Arrivals:
    """When each line came out of the tool."""

    process: subprocess.Popen[bytes]
    times: dict[bytes, float] = field(default_factory=dict)
    news: threading.Condition = field(default_factory=threading.Condition)

    def read(self) -> None:
        output = self.process.stdout
        assert output is not None
        for line in output:
            if b"sample-" in line:
                now = time.perf_counter()
                with self.news:
                    self.times[line[line.index(b"sample-") :].strip()] = now
                    self.news.notify_all()

    def of(self, sender: FileIO, mark: str, patience: float = 10.0) -> float:
        """Seconds from sending the line to its arrival. Raises BenchmarkError when it does not come."""
        token = mark.encode()
        began = time.perf_counter()
        sender.write(token + b"\n")
        with self.news:
            if not self.news.wait_for(lambda: token in self.times, patience):
                raise BenchmarkError("a line did not arrive")
        time.sleep(_BETWEEN)
        return self.times[token] - began


def _await_first(sender: FileIO, arrivals: _Arrivals) -> None:
    for number in range(40):
        with contextlib.suppress(BenchmarkError):
            arrivals.of(sender, f"sample-first-{number}", 0.5)
            return
    raise BenchmarkError("the follower shows nothing")


@contextlib.contextmanager
def _project(services: object) -> Iterator[Path]:
    with TemporaryDirectory(prefix="bench-logs-") as parent:
        directory = Path(parent) / Path(parent).name.lower().replace("_", "-")
        (directory / "in").mkdir(parents=True)
        os.mkfifo(directory / "in" / "pipe")
        (directory / "compose.yaml").write_text(json.dumps({"services": services}))
        (directory / "tasks.py").write_text("from invoke_devstack import stack\n\nnamespace = stack()\n")
        try:
            _compose(directory, "up", "--detach")
            yield directory
        finally:
            _compose(directory, "down", "-t", "1")


def _compose(directory: Path, *words: str) -> None:
    done = subprocess.run(
        ("docker", "compose", *words), cwd=directory, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"docker compose {' '.join(words)}: {done.stderr[-300:]}")

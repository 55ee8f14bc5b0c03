"""Rows of many small services: `up` and `down` of 10, 50 and 100 in a chain, a star and a wide graph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.floor import invoke_task
from benchmarks.images import base_image
from benchmarks.limit import BareServices
from benchmarks.pairing import BenchmarkError, Measure, Row
from benchmarks.plot import Point

SIZES = (10, 50, 100)
_BOUNDS = {"up": 1.0, "down": 0.9}
_GRAPHS = ("wide", "star", "chain")


def scale_rows(rounds: int, sizes: tuple[int, ...] = SIZES) -> tuple[list[Row], list[Point]]:
    """The rows, and the points of the plot of growth (of the wide graph)."""
    rows: list[Row] = []
    points: list[Point] = []
    with base_image() as image, invoke_task() as empty:
        for graph in _GRAPHS:
            for size in sizes:
                # A chain takes as long as the sum of its services: one round tells enough of a long one.
                turns = rounds if size <= 50 else 1
                up, down = _measure(image, graph, size, turns, empty)
                rows += [up, down]
                points += _points(up, graph, "up", size) + _points(down, graph, "down", size)
    return rows, points


def _points(row: Row, graph: str, work: str, size: int) -> list[Point]:
    if row.failure:
        return []
    return [
        Point(f"{tool} {work}, {graph}", size, sorted(values)[len(values) // 2])
        for tool, values in (("invoke", row.ours), ("compose", row.theirs))
    ]


def _measure(image: str, graph: str, size: int, rounds: int, empty: Measure) -> tuple[Row, Row]:
    up, down = (Row(f"`{work}` of {size} services, {graph}", "s", _BOUNDS[work], (), ()) for work in _BOUNDS)
    taken: dict[str, list[tuple[float, float]]] = {"invoke": [], "compose": [], "bare": []}
    nothing = []
    try:
        with _project(image, graph, size) as directory:
            bare = BareServices(directory, _layers(graph, size))
            for turn in range(rounds + 1):
                for tool, seconds in taken.items():
                    found = (
                        (bare.up(), bare.down()) if tool == "bare" else _up_and_down(tool, directory, size)
                    )
                    if turn or rounds == 1:
                        seconds.append(found)
                nothing.append(empty())
    except BenchmarkError as error:
        return replace(up, failure=str(error)), replace(down, failure=str(error))
    (mine_up, mine_down), (other_up, other_down), (bare_up, bare_down) = (
        (tuple(up for up, _ in seconds), tuple(down for _, down in seconds)) for seconds in taken.values()
    )
    alone = tuple(nothing)
    return (
        replace(up, ours=mine_up, theirs=other_up, limit=bare_up, empty=alone),
        replace(down, ours=mine_down, theirs=other_down, limit=bare_down, empty=alone),
    )


def _up_and_down(tool: str, directory: Path, size: int) -> tuple[float, float]:
    program = str(Path(sys.executable).with_name("invoke"))
    up, down = {
        "invoke": ((program, "up", "--detach"), (program, "down")),
        "compose": (("docker", "compose", "up", "--detach", "--wait"), ("docker", "compose", "down")),
    }[tool]
    seconds_up = _run(up, directory)
    running = _run_text(
        ("docker", "ps", "-q", "--filter", f"label=com.docker.compose.project={directory.name}")
    )
    if len(running.split()) != size:
        raise BenchmarkError(f"{tool}: {len(running.split())} of {size} services run after `up`")
    return seconds_up, _run(down, directory)


@contextmanager
def _project(image: str, graph: str, size: int) -> Iterator[Path]:
    with TemporaryDirectory(prefix="bench-scale-") as parent:
        directory = Path(parent) / f"bench-scale-{uuid.uuid4().hex[:8]}"
        directory.mkdir()
        (directory / "compose.yaml").write_text(json.dumps({"services": _services(image, graph, size)}))
        (directory / "tasks.py").write_text("from invoke_devstack import stack\n\nnamespace = stack()\n")
        try:
            yield directory
        finally:
            _run(("docker", "compose", "down", "-t", "1"), directory)


def _layers(graph: str, size: int) -> list[list[str]]:
    """The services that may start at once, in order."""
    names = [f"s{number:03}" for number in range(size)]
    return {"chain": [[name] for name in names], "star": [names[:1], names[1:]], "wide": [names]}[graph]


def _services(image: str, graph: str, size: int) -> dict[str, object]:
    """A chain: each waits for the one before. A star: all wait for the first. Wide: none waits."""
    services: dict[str, object] = {}
    for number in range(size):
        needs = {"chain": number - 1, "star": 0 if number else -1, "wide": -1}[graph]
        services[f"s{number:03}"] = {
            "image": image,
            "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"],
            **({"depends_on": [f"s{needs:03}"]} if needs >= 0 else {}),
        }
    return services


def _run(command: tuple[str, ...], directory: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=directory, capture_output=True, stdin=subprocess.DEVNULL, timeout=600, check=False
    )
    if done.returncode:
        tail = done.stderr.decode(errors="replace").strip()[-300:]
        raise BenchmarkError(f"`{' '.join(command)}` ended with {done.returncode}: {tail}")
    return time.perf_counter() - began


def _run_text(command: tuple[str, ...]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout

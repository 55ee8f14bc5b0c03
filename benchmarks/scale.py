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
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.images import base_image
from benchmarks.pairing import BenchmarkError, Row
from benchmarks.plot import Point

SIZES = (10, 50, 100)
_BOUNDS = {"up": 1.0, "down": 0.9}
_GRAPHS = ("wide", "star", "chain")


def scale_rows(rounds: int, sizes: tuple[int, ...] = SIZES) -> tuple[list[Row], list[Point]]:
    """The rows, and the points of the plot of growth (of the wide graph)."""
    rows: list[Row] = []
    points: list[Point] = []
    with base_image() as image:
        for graph in _GRAPHS:
            for size in sizes:
                # A chain takes as long as the sum of its services: one round tells enough of a long one.
                turns = rounds if size <= 50 else 1
                up, down = _measure(image, graph, size, turns)
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


def _measure(image: str, graph: str, size: int, rounds: int) -> tuple[Row, Row]:
    taken: dict[tuple[str, str], list[float]] = {}
    names = {work: f"`{work}` of {size} services, {graph}" for work in _BOUNDS}
    try:
        with _project(image, graph, size) as directory:
            for turn in range(rounds + 1):
                for tool in ("invoke", "compose"):
                    seconds = _up_and_down(tool, directory, size)
                    if turn or rounds == 1:
                        for work, value in zip(_BOUNDS, seconds, strict=True):
                            taken.setdefault((tool, work), []).append(value)
    except BenchmarkError as error:
        up, down = (Row(name, "s", _BOUNDS[work], (), (), failure=str(error)) for work, name in names.items())
        return up, down
    up, down = (
        Row(name, "s", _BOUNDS[work], tuple(taken["invoke", work]), tuple(taken["compose", work]))
        for work, name in names.items()
    )
    return up, down


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

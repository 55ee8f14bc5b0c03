"""Rows with the engine far away: every question and its answer take 50 ms longer, for both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.engine_socket import FarEngine, engine_socket
from benchmarks.pairing import Measure, Row, run_pairs
from benchmarks.sides import Side, compose_side, invoke_side
from benchmarks.stack import down_after_up, example_project, up_again, up_with_data

DELAY = 0.05  # seconds for a question and its answer


def remote_rows(rounds: int) -> list[Row]:
    """`up` again, `ps`, `up` and `down` of the example."""
    with (
        example_project() as project,
        TemporaryDirectory() as folder,
        FarEngine(Path(folder) / "engine.sock", engine_socket(), DELAY) as engine,
    ):
        far = replace(project, engine=engine.url)
        ours, theirs = invoke_side(far), compose_side(far)

        def pair(name: str, measure: Callable[[Side], Measure]) -> Row:
            name = f"{name}, engine {DELAY * 1000:.0f} ms away"
            return run_pairs(name, measure(ours), measure(theirs), bound=1.0, rounds=rounds)

        return [
            pair("`up` when all is up", up_again),
            pair("`ps`", _listing),
            pair("`up` to ready, volumes filled", up_with_data),
            pair("`down`", down_after_up),
        ]


def _listing(side: Side) -> Measure:
    return lambda: side.project.run([*side.prefix, "ps"])

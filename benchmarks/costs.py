"""What a command costs beside time: requests to the engine, and seconds of processor time."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.engine_socket import FarEngine, engine_socket
from benchmarks.pairing import BenchmarkError, Row
from benchmarks.sides import Project

ROUNDS = 3


@dataclass(frozen=True)
class Cost:
    """`cpu` in seconds, with that of the processes that the command started and waited for."""

    requests: int
    cpu: float


def with_costs(
    row: Row, project: Project, commands: Sequence[Sequence[str]], before: Callable[[], object]
) -> Row:
    """The row with what its commands cost, ours and then theirs; `before` brings the stack into the state
    from which each begins. Runs of their own, because each request passes through one more thread."""
    if row.failure:
        return row
    try:
        costs = [cost_of(project, command, before) for command in commands]
    except BenchmarkError as error:
        return replace(row, failure=str(error))
    return replace(
        row, requests=tuple(cost.requests for cost in costs), cpu=tuple(cost.cpu for cost in costs)
    )


def cost_of(project: Project, command: Sequence[str], before: Callable[[], object]) -> Cost:
    """Medians of a few runs."""
    costs = []
    for _ in range(ROUNDS):
        before()
        costs.append(_once(project, command))
    return Cost(round(median(cost.requests for cost in costs)), median(cost.cpu for cost in costs))


def _once(project: Project, command: Sequence[str]) -> Cost:
    with TemporaryDirectory() as folder, FarEngine(Path(folder) / "engine.sock", engine_socket()) as engine:
        through = replace(project, engine=engine.url)
        spent = -_cpu_of_ended_processes()
        through.run(command)
        return Cost(len(engine.requests), spent + _cpu_of_ended_processes())


def _cpu_of_ended_processes() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

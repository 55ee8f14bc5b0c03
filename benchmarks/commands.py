"""Rows of single commands: what `ps`, `config` and `--list` cost beside the floor, and the memory of each.

The floor is an empty Invoke task; for what asks the engine, one that imports the Docker SDK too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pairing import BenchmarkError, Measure, Row, run_pairs
from benchmarks.sides import Project, compose_side, invoke_side
from benchmarks.stack import example_project

_FLOOR = """\
from invoke import task


@task
def empty(c):
    pass


@task
def sdk(c):
    import docker
"""
_MEMORY = ("up --detach", "ps", "config", "logs", "down")


def command_rows(rounds: int) -> list[Row]:
    """Times beside the floor and beside Compose, then the memory of every command."""
    with example_project() as project:
        compose, invoke = compose_side(project), invoke_side(project)
        invoke.up()
        floor = project.directory.parent / "floor"
        floor.mkdir()
        (floor / "tasks.py").write_text(_FLOOR)
        program = invoke.prefix[0]

        def ours(*words: str) -> Measure:
            return lambda: project.run([program, *words])

        def floor_of(task: str) -> Measure:
            return lambda: _seconds([program, task], floor)

        def theirs(*words: str) -> Measure:
            return lambda: project.run([*compose.prefix, *words])

        many = max(rounds, 9)
        rows = [
            run_pairs("`ps` beside an empty task that imports the SDK", ours("ps"), floor_of("sdk"),
                      bound=1.3, rounds=many, peer="empty task"),
            run_pairs("`config` beside an empty task", ours("config"), floor_of("empty"),
                      rounds=many, peer="empty task"),
            run_pairs("`--list` beside an empty task", ours("--list"), floor_of("empty"),
                      rounds=many, peer="empty task"),
            run_pairs("`ps` beside Compose's", ours("ps"), theirs("ps"), rounds=many),
            run_pairs("`config` beside Compose's", ours("config"), theirs("config"), rounds=many),
        ]  # fmt: skip
        return [*rows, *_memory_rows(project)]


def _memory_rows(project: Project) -> list[Row]:
    """Peak resident memory of the largest process of a command, in bytes."""
    rows = []
    sides = (invoke_side(project), compose_side(project))
    for words in _MEMORY:
        mine, other = (
            _peak([*side.prefix, *(side.up_words if words.startswith("up") else words.split())], project)
            for side in sides
        )
        rows.append(Row(f"memory of `{words}`", "MB", None, (mine,), (other,)))
        if words == "down":
            return rows
        sides[0].up()
    return rows


def _seconds(command: Sequence[str], directory: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"`{' '.join(command)}` ended with {done.returncode}")
    return time.perf_counter() - began


def _peak(command: Sequence[str], project: Project) -> float:
    process = subprocess.Popen(
        command,
        cwd=project.directory,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchmarkError(f"`{' '.join(command)}` ended with {process.returncode}")
    return float(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))

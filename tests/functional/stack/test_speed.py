"""What people wait for, beside Docker Compose on the same files: ratios with generous bounds, so that a
step backwards shows and a slow or busy machine does not. The measurements themselves are in `benchmarks/`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.functional.conftest import Project

_ROUNDS = 3
_STACK = """
    services:
      db:
        image: IMAGE
        command: ["sh", "-c", "touch /tmp/ready; trap 'exit 0' TERM; sleep 1000 & wait"]
        healthcheck: {test: ["CMD", "test", "-f", "/tmp/ready"], interval: 1s}
      web:
        image: IMAGE
        command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
        depends_on: {db: {condition: service_healthy}}
"""


@pytest.fixture
def stack(project: Project) -> Project:
    if project.docker("compose", "version").code:
        pytest.skip("there is no Docker Compose to compare with")
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 2:
        pytest.skip(f"the machine is busy ({busy:.1f} processes a core): times would tell nothing")
    project.compose(_STACK)
    return project


def _ratio(ours: Callable[[], float], theirs: Callable[[], float]) -> float:
    """Median of the ratios of pairs that ran right after each other."""
    return median(ours() / theirs() for _ in range(_ROUNDS))


def _seconds(project: Project, *words: str) -> float:
    done = project.run(*words)
    assert done.code == 0, done.err
    return done.seconds


def test_up_and_down_take_no_longer_than_compose_by_far(stack: Project) -> None:
    invoke = str(Path(sys.executable).with_name("invoke"))
    times: dict[str, list[float]] = {"up": [], "again": [], "down": []}
    for _ in range(_ROUNDS):
        ours = _one_round(stack, (invoke, "up", "--detach"), (invoke, "down"))
        theirs = _one_round(
            stack, ("docker", "compose", "up", "--detach", "--wait"), ("docker", "compose", "down")
        )
        for work in times:
            times[work].append(ours[work] / theirs[work])

    ratios = {work: median(values) for work, values in times.items()}
    assert ratios["up"] < 1.3 and ratios["again"] < 0.9 and ratios["down"] < 1.8, ratios


def _one_round(project: Project, up: tuple[str, ...], down: tuple[str, ...]) -> dict[str, float]:
    return {
        "up": _seconds(project, *up),
        "again": _seconds(project, *up),
        "down": _seconds(project, *down),
    }


def test_ps_costs_little_more_than_an_empty_task_with_the_sdk(stack: Project) -> None:
    invoke = str(Path(sys.executable).with_name("invoke"))
    stack.write(
        "floor/tasks.py",
        """
        from invoke import task


        @task
        def empty(c):
            import docker
        """,
    )
    _seconds(stack, invoke, "ps")  # compiled modules are there from now on

    ratio = _ratio(
        lambda: _seconds(stack, invoke, "ps"),
        lambda: _seconds(stack, invoke, "--search-root", "floor", "empty"),
    )
    assert ratio < 2.0

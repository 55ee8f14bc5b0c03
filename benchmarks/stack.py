"""Rows on the example stack: up to ready, up again, down. Both sides work on one project in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pairing import Measure, Row, run_pairs
from benchmarks.sides import Project, Side, compose_side, invoke_side


@contextmanager
def example_project() -> Iterator[Project]:
    """A copy of the example whose containers, networks and volumes are gone afterwards."""
    with TemporaryDirectory(prefix="bench-") as parent:
        project = Project.copy_example(Path(parent) / Path(parent).name.lower())
        try:
            yield project
        finally:
            compose_side(project).down(volumes=True)


def stack_rows(project: Project, rounds: int) -> list[Row]:
    """The first four rows of the table."""
    ours, theirs = invoke_side(project), compose_side(project)
    theirs.project.run([*theirs.prefix, "build"])

    def pair(name: str, bound: float, measure: Callable[[Side], Measure]) -> Row:
        return run_pairs(name, measure(ours), measure(theirs), bound=bound, rounds=rounds)

    return [
        pair("`up` to ready, images there, volumes filled", 0.55, up_with_data),
        pair("`up` to ready, empty volumes", 0.75, up_from_nothing),
        pair("`up` when all is up", 0.4, up_again),
        pair("`down`", 0.9, down_after_up),
    ]


def up_with_data(side: Side) -> Measure:
    def measure() -> float:
        side.down()
        taken = side.up()
        side.require_ready()
        return taken

    return measure


def up_from_nothing(side: Side) -> Measure:
    def measure() -> float:
        side.down(volumes=True)
        taken = side.up()
        side.require_ready()
        return taken

    return measure


def up_again(side: Side) -> Measure:
    def measure() -> float:
        side.up()
        return side.up()

    return measure


def down_after_up(side: Side) -> Measure:
    def measure() -> float:
        side.up()
        return side.down()

    return measure

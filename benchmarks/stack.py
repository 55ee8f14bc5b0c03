"""Rows on the example stack: up to ready, up again, down. Both sides, and the bare API, work on one
project in turn."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.costs import with_costs
from benchmarks.floor import invoke_task
from benchmarks.limit import BareStack, call
from benchmarks.pairing import Measure, Row, run_pairs
from benchmarks.sides import Project, Side, compose_side, invoke_side

_GOLDEN = 0.618
"""Its multiples, without the whole seconds, are spread evenly, however many there are."""


@contextmanager
def example_project() -> Iterator[Project]:
    """A copy of the example, its image built, whose containers, networks, volumes and image are gone
    afterwards."""
    with TemporaryDirectory(prefix="bench-") as parent:
        project = Project.copy_example(Path(parent) / Path(parent).name.lower().replace("_", "-"))
        compose = compose_side(project)
        try:
            project.run([*invoke_side(project).prefix, "setup"])  # the images, on whichever engine it is
            project.run([*compose.prefix, "build"])
            yield project
        finally:
            project.run([*compose.prefix, "down", "--volumes", "--rmi", "local"])


def stack_rows(rounds: int) -> list[Row]:
    """The first four rows of the table."""
    with example_project() as project, invoke_task() as empty:
        compose, bare = compose_side(project), BareStack(project)
        sides = (invoke_side(project), compose)

        def pair(
            name: str,
            bound: float,
            measure: Callable[[Side], Measure],
            limit: Measure,
            words: Callable[[Side], tuple[str, ...]],
            before: Callable[[], object],
        ) -> Row:
            ours, theirs = (measure(side) for side in sides)
            row = run_pairs(name, ours, theirs, limit=limit, empty=empty, bound=bound, rounds=rounds)
            return with_costs(row, project, [(*side.prefix, *words(side)) for side in sides], before)

        def up_words(side: Side) -> tuple[str, ...]:
            return side.up_words

        def nothing_of_it() -> float:
            return compose.down(volumes=True)

        def bare_up_with_data() -> float:
            compose.down()
            return bare.up()

        def bare_up_from_nothing() -> float:
            compose.down(volumes=True)
            return bare.up()

        turns = itertools.count()

        def bare_down() -> float:
            compose.down()
            bare.up()
            await_place_in_second(project, next(turns))
            return bare.down()

        return [
            pair("`up` when all is up", 0.3, up_again, bare.up_again, up_words, compose.up),
            pair("`up` to ready, images there, volumes filled", 0.45, up_with_data, bare_up_with_data,
                 up_words, compose.down),
            pair("`up` to ready, empty volumes", 0.6, up_from_nothing, bare_up_from_nothing,
                 up_words, nothing_of_it),
            pair("`down`", 1.05, down_after_up, bare_down, lambda side: ("down",), compose.up),
        ]  # fmt: skip


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
    turns = itertools.count()

    def measure() -> float:
        side.down()
        side.up()
        await_place_in_second(side.project, next(turns))
        return side.down()

    return measure


def await_place_in_second(project: Project, turn: int) -> None:
    """MySQL ends on full seconds of its own life, give or take nothing, so that a few milliseconds decide
    over one second more. All sides of one turn begin at the same place in that second; turns are spread
    over it."""
    shown = call("GET", f"/containers/{project.name}-mysql-1/json")["State"]["StartedAt"]
    age = datetime.now(UTC) - datetime.fromisoformat(shown)
    time.sleep((turn * _GOLDEN - age.total_seconds()) % 1)

"""The first table of the benchmarks' page."""

from __future__ import annotations

from benchmarks.pairing import Measure, Row, run_pairs
from benchmarks.summary import summarize


def row(name: str, ratio: float, bound: float | None = 1.0) -> Row:
    return Row(name, "s", bound, (ratio,), (1.0,))


def test_misses_are_bold_sizes_share_a_line_and_what_is_not_measured_is_named() -> None:
    old = {
        "stack": [row("`down`", 1.2), row("idle", 0.1, None)],
        "scale": [row("`up` of 10 services, wide", 0.5), row("`up` of 50 services, wide", 1.5)],
    }
    assert summarize({"20.10.24+dfsg1": old, "28.5": {"stack": [row("`down`", 0.9)]}}).splitlines() == [
        "| work | at most | Engine 20.10.24 | Engine 28.5 |",
        "| --- | --- | --- | --- |",
        "| `down` | 1 | **1.20** | 0.90 |",
        "| `up` of N services, wide | 1 | 10: 0.50, 50: **1.50** | not measured |",
    ]


def test_a_row_that_failed_is_a_miss() -> None:
    failed = Row("`ps`", "s", 1.0, (), (), failure="no engine")
    assert "| `ps` | 1 | **failed** |" in summarize({"20.10": {"commands": [failed]}})


def test_a_miss_has_its_floor_and_what_reaches_its_bound_has_none() -> None:
    def floored(ratio: float) -> Row:
        return Row("`down`", "s", 1.0, (ratio,), (1.0,), limit=(0.75,), empty=(0.5,))

    assert "| `down` | 1 | **1.30** (floor 1.25) |" in summarize({"20.10": {"stack": [floored(1.3)]}})
    assert "| `down` | 1 | 0.90 |" in summarize({"20.10": {"stack": [floored(0.9)]}})
    assert floored(1.3).verdict == "miss, as the floor"
    assert Row("`up`", "s", 1.0, (1.3,), (1.0,), limit=(0.4,), empty=(0.5,)).verdict == "miss"


def test_sides_take_turns_and_the_floor_is_measured_in_the_same_rounds() -> None:
    turns: list[str] = []

    def side(name: str, seconds: float) -> Measure:
        def measure() -> float:
            turns.append(name)
            return seconds

        return measure

    ours, theirs, limit, empty = side("a", 2.0), side("b", 4.0), side("c", 1.0), side("d", 0.5)
    found = run_pairs("x", ours, theirs, limit=limit, empty=empty, bound=0.3, rounds=2)
    assert turns == ["a", "b", "c", "d"] * 3
    assert (found.ratio, found.floor, found.verdict) == (0.5, 0.375, "miss, as the floor")
    assert run_pairs("x", ours, theirs, rounds=1).floor is None

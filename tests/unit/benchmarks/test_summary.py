"""The first table of the benchmarks' page."""

from __future__ import annotations

from benchmarks.pairing import Row
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

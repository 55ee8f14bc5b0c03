"""Runs two sides in turn, A B A B, and sums up what each took.

Absolute times say more about the machine than about the tools, so what counts is the ratio of
pairs that ran right after each other. A row in which either side failed has no ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Measure = Callable[[], float]
"""Does the work once and gives what it took (seconds, or bytes). Raises BenchmarkError when it failed."""


class BenchmarkError(Exception):
    """A side did not do its work; the text says which and why."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `bound` is the ratio that must not be passed; None: nothing promised."""

    name: str
    unit: str
    bound: float | None
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    limit: tuple[float, ...] = ()  # the engine's own limit: bare API calls in the best order
    empty: tuple[float, ...] = ()  # an Invoke task that does nothing, which every command of ours contains
    failure: str = ""
    note: str = ""
    peer: str = "Docker Compose"
    requests: tuple[int, ...] = ()  # to the engine, of one run: ours, and theirs where they ask one
    cpu: tuple[float, ...] = ()  # seconds of processor time of one run: ours and theirs

    @property
    def ratio(self) -> float | None:
        """Median of the ratios pair by pair, or None where a side failed."""
        if self.failure or not self.ours or not self.theirs:
            return None
        return median(mine / max(other, 1e-9) for mine, other in zip(self.ours, self.theirs, strict=True))

    @property
    def floor(self) -> float | None:
        """The ratio of the limit and an empty task: nothing of ours can be below. None where neither was
        measured, or a side failed."""
        if self.ratio is None or not (self.limit or self.empty):
            return None
        parts = [values for values in (self.limit, self.empty) if values]
        return sum(map(median, parts)) / max(median(self.theirs), 1e-9)

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return f"failed: {self.failure}" if self.failure else "no peer"
        if self.bound is None:
            return ""
        if self.ratio <= self.bound:
            return "reached"
        return "miss, as the floor" if self.floor is not None and self.floor > self.bound else "miss"


def run_pairs(
    name: str,
    ours: Measure,
    theirs: Measure,
    *,
    limit: Measure | None = None,
    empty: Measure | None = None,
    bound: float | None = None,
    rounds: int = 5,
    warm_up: int = 1,
    unit: str = "s",
    note: str = "",
    peer: str = "Docker Compose",
) -> Row:
    """Warms both sides up, then measures them in turn for `rounds` rounds."""
    sides = (ours, theirs, limit, empty)
    taken: list[list[float]] = [[] for _ in sides]
    try:
        for turn in range(warm_up + rounds):
            for side, values in zip(sides, taken, strict=True):
                value = side() if side is not None else 0.0
                if side is not None and turn >= warm_up:
                    values.append(value)
    except BenchmarkError as error:
        return Row(name, unit, bound, (), (), failure=str(error), note=note, peer=peer)
    mine, other, bare, nothing = map(tuple, taken)
    return Row(name, unit, bound, mine, other, bare, nothing, note=note, peer=peer)


def as_markdown(rows: Sequence[Row]) -> str:
    """The table of `benchmarks/README.md`. What a row costs has columns where it was measured."""
    costs = any(row.cpu for row in rows)
    titles = [
        "work",
        "invoke-devstack",
        "the other side",
        "bare API",
        "empty task",
        "ratio",
        "floor",
        "at most",
        "",
    ]
    if costs:
        titles[5:5] = ["requests", "CPU"]
    lines = [_line(titles), _line(["---"] * len(titles))]
    for row in rows:
        cells = [
            row.name,
            _figure(row.ours, row.unit),
            _figure(row.theirs, row.unit) + ("" if row.peer == "Docker Compose" else f" ({row.peer})"),
            _figure(row.limit, row.unit),
            _figure(row.empty, row.unit),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            "" if row.floor is None else f"{row.floor:.2f}",
            "" if row.bound is None else f"{row.bound:g}",
            row.verdict,
        ]
        if costs:
            spent = " / ".join(f"{seconds:.2f}" for seconds in row.cpu)
            cells[5:5] = [" / ".join(map(str, row.requests)), f"{spent} s" if spent else ""]
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _figure(values: Sequence[float], unit: str) -> str:
    if not values:
        return ""
    if unit == "MB":
        return f"{median(values) / 1e6:.0f} MB"
    if unit == "lines":
        return f"{median(values):,.0f}"
    if unit == "% CPU":
        return f"{median(values):.2f} %"
    low, middle, high = min(values), median(values), max(values)
    spread = f" ({low:.2f} to {high:.2f})" if len(values) > 1 else ""
    if middle >= 1:
        return f"{middle:.2f} s{spread}"
    digits = 2 if middle < 0.01 else 0
    spread = f" ({low * 1000:.{digits}f} to {high * 1000:.{digits}f})" if len(values) > 1 else ""
    return f"{middle * 1000:.{digits}f} ms{spread}"

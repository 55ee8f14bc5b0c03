"""The first table of `benchmarks/README.md`: each promise and its ratio on each engine, in one screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from benchmarks.pairing import Row

_SIZED = re.compile(r"(?P<work>`\w+` of )(?P<size>\d+)(?P<rest> services, \w+)")

Measured = Mapping[str, Sequence[Row]]
"""The rows of one engine, by section."""


def summarize(engines: Mapping[str, Measured]) -> str:
    """A table of the rows that have a bound; a miss is bold, with its floor where that was measured. Sizes of
    one graph share a line."""
    found: dict[str, dict[str, list[str]]] = {}
    bounds: dict[str, str] = {}
    for engine, sections in engines.items():
        for row in (row for rows in sections.values() for row in rows if row.bound is not None):
            name = _SIZED.sub(r"\g<work>N\g<rest>", row.name)
            bounds[name] = f"{row.bound:g}"
            found.setdefault(name, {}).setdefault(engine, []).append(_cell(row))
    titles = " | ".join(f"Engine {engine.partition('+')[0]}" for engine in engines)
    lines = [f"| work | at most | {titles} |", "| --- | --- |" + " --- |" * len(engines)]
    for name, cells in found.items():
        ratios = " | ".join(", ".join(cells.get(engine, ["not measured"])) for engine in engines)
        lines.append(f"| {name} | {bounds[name]} | {ratios} |")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    sized = _SIZED.fullmatch(row.name)
    ratio = "failed" if row.ratio is None else f"{row.ratio:.2f}"
    text = f"**{ratio}**" if row.verdict != "reached" else ratio
    if row.verdict != "reached" and row.floor is not None:
        text += f" (floor {row.floor:.2f})"
    return f"{sized['size']}: {text}" if sized else text

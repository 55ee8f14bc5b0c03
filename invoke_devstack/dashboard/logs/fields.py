"""What lines that are JSON are made of: for choosing a member, and a value of it, to filter by."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from invoke_devstack.acting.log_line import Line
from invoke_devstack.dashboard.logs.filters import shown

_LINES = 20_000  # lines that are looked at
_BUDGET = 0.3  # seconds
_NAMES, _VALUES = 200, 20  # that are told
_KEPT = 500  # different values of a member that are counted
_LONGEST = 200  # characters of a value


def members(blocks: Iterable[list[Line]]) -> list[dict[str, Any]]:
    """Of each member its `name`, the number of `lines` that have it, and its most common `values` with
    theirs. `more`: it has others."""
    lines: Counter[str] = Counter()
    values: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for fields in _fields_of(blocks):
        for name, value in fields.items():
            lines[name] += 1
            _count(values[name], shown(value))
    return [
        {
            "name": name,
            "lines": count,
            "values": [
                {"value": value, "lines": times} for value, times in values[name].most_common(_VALUES)
            ],
            "more": len(values[name]) > _VALUES or sum(values[name].values()) < count,
        }
        for name, count in lines.most_common(_NAMES)
    ]


def _fields_of(blocks: Iterable[list[Line]]) -> Iterable[dict[str, Any]]:
    deadline, looked_at = time.monotonic() + _BUDGET, 0
    for block in blocks:
        yield from (fields for line in block if (fields := line.fields()) is not None)
        looked_at += len(block)
        if looked_at >= _LINES or time.monotonic() > deadline:
            return


def _count(values: Counter[str], text: str) -> None:
    if len(text) <= _LONGEST and (text in values or len(values) < _KEPT):
        values[text] += 1

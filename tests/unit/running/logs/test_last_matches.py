"""`logs --grep X --tail N` shows the last N matches of each container, by time."""

from __future__ import annotations

import re

from invoke_devstack.running.logs.show import LastMatches
from invoke_devstack.running.logs.sources import Source


def stamped(second: int, text: str) -> bytes:
    return f"2026-01-02T03:04:{second:02d}.000000000Z {text}\n".encode()


def test_only_the_last_matches_of_each_container_are_kept_in_order_of_time() -> None:
    one, two = Source("1", "one", "p-one-1"), Source("2", "two", "p-two-1")
    kept = LastMatches(re.compile(b"x"), 2)
    kept.add(
        one, "stdout", stamped(1, "x 1") + stamped(3, "y") + stamped(5, "x\rprogress") + stamped(7, "x 4")
    )
    kept.add(two, "stderr", stamped(2, "y"))
    kept.add(two, "stderr", stamped(6, "x 3"))
    assert kept.in_order() == [
        (one, "stdout", stamped(5, "x\rprogress")),
        (two, "stderr", stamped(6, "x 3")),
        (one, "stdout", stamped(7, "x 4")),
    ]

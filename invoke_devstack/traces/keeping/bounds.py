"""Keeps the database small: what is oldest goes first, a little at a time, so that nobody waits long."""

from __future__ import annotations

import sqlite3

LARGEST = 512 * 1024 * 1024  # bytes
OLDEST = 3 * 24 * 3600  # seconds
_SLICE = 0.002  # of what there is that goes at least
_FEWEST = 200
_SOME, _MANY = 0.02, 0.1  # of the bytes


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the tables take, without free pages."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def trim(connection: sqlite3.Connection, largest: int, oldest_arrival: int) -> bool:
    """Removes what is oldest until there are no more than `largest` bytes, else some of what arrived before
    `oldest_arrival` (seconds). In the open transaction. Whether anything was removed."""
    removed = False
    while (used := used_bytes(connection)) > largest and _remove_slice(connection, 1 - largest / used):
        removed = True
        remove_unused_resources(connection, largest, _MANY)
    if not removed:
        removed = bool(_remove_old(connection, oldest_arrival))
    if removed:
        _remove_unused_series(connection)
    return removed


def remove_unused_resources(connection: sqlite3.Connection, largest: int, part: float = _SOME) -> bool:
    """Removes what described services of which nothing is kept any more, if all that describes services takes
    more than this part of `largest`. That reads all spans. Whether anything was removed."""
    (size,) = connection.execute("SELECT coalesce(sum(length(text)), 0) FROM resources").fetchone()
    if size <= largest * part:
        return False
    used = "SELECT resource FROM spans UNION SELECT resource FROM logs"
    return connection.execute(f"DELETE FROM resources WHERE id NOT IN ({used})").rowcount > 0


def _remove_old(connection: sqlite3.Connection, before: int) -> int:
    removed = _remove_traces(connection, before, _FEWEST * 10)
    for table in ("logs", "points"):
        removed += connection.execute(f"DELETE FROM {table} WHERE arrived < ?", (before,)).rowcount
    return removed


def _remove_slice(connection: sqlite3.Connection, part: float) -> int:
    """A part of everything; how many rows that were."""
    share = max(part, _SLICE)
    (spans,) = connection.execute("SELECT coalesce(sum(spans), 0) FROM traces").fetchone()
    removed = _remove_traces(connection, 2**62, max(int(spans * share), _FEWEST))
    (count,) = connection.execute("SELECT count(*) FROM logs").fetchone()
    removed += connection.execute(
        "DELETE FROM logs WHERE id IN (SELECT id FROM logs ORDER BY id LIMIT ?)",
        (max(int(count * share), _FEWEST),),
    ).rowcount
    (count,) = connection.execute("SELECT count(*) FROM points").fetchone()
    if count:
        (until,) = connection.execute(
            "SELECT max(arrived) FROM (SELECT arrived FROM points ORDER BY arrived LIMIT ?)",
            (max(int(count * share), _FEWEST),),
        ).fetchone()
        removed += connection.execute("DELETE FROM points WHERE arrived <= ?", (until,)).rowcount
    return removed


def _remove_traces(connection: sqlite3.Connection, before: int, spans: int) -> int:
    """Whole traces, of those that nothing was added to for the longest time."""
    chosen, count = [], 0
    for trace, size in connection.execute(
        "SELECT trace, spans FROM traces WHERE arrived < ? ORDER BY arrived", (before,)
    ):
        chosen.append((trace,))
        count += size
        if count >= spans:
            break
    for table in ("spans", "parts", "traces"):
        connection.executemany(f"DELETE FROM {table} WHERE trace = ?", chosen)
    return len(chosen)


def _remove_unused_series(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM points WHERE points.series = series.id)"
    )

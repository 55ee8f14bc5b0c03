"""Opens a project's database for one question at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from invoke_devstack.errors import DevstackError
from invoke_devstack.traces.keeping.database import open_to_read
from invoke_devstack.traces.places import database_of

T = TypeVar("T")
_TABLES = ("traces", "spans", "logs", "points")


class Reading:
    """The traces of a project, whether or not anybody writes them now."""

    def __init__(self, project: str) -> None:
        self.file = database_of(project)

    def ask(self, question: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """What `question` answers; `nothing` if nothing was ever stored. Raises DevstackError if the file
        cannot be read."""
        try:
            connection = open_to_read(self.file)
            if connection is None:
                return nothing
            with closing(connection):
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                return question(connection) if version else nothing
        except sqlite3.Error as error:
            raise DevstackError(
                f"the traces in {self.file} cannot be read: {error}",
                hint=f"If it stays so, remove them: `rm {self.file}`.",
            ) from None

    def services(self) -> list[str]:
        """All that sent anything, sorted."""
        return self.ask(lambda opened: sorted(_services(opened)), [])

    def stored(self) -> dict[str, Any]:
        """How much there is: rows of each kind, bytes, and the start of the oldest trace (nanoseconds)."""
        return self.ask(_stored, {**dict.fromkeys(_TABLES, 0), "bytes": 0, "oldest": 0})


def _services(connection: sqlite3.Connection) -> set[str]:
    """From one name to the next in the index: SQLite itself would read all rows."""
    found: set[str] = set()
    for table in ("parts", "logs"):
        next_ = f"SELECT min(service) FROM {table} WHERE service > ?"
        name: str | None = ""
        while (name := connection.execute(next_, (name,)).fetchone()[0]) is not None:
            found.add(name)
    return found | {row[0] for row in connection.execute("SELECT DISTINCT service FROM series")}


def _stored(connection: sqlite3.Connection) -> dict[str, Any]:
    counts = {
        name: connection.execute(query).fetchone()[0]
        for name, query in {
            "traces": "SELECT count(*) FROM traces",
            "spans": "SELECT coalesce(sum(spans), 0) FROM traces",
            "logs": "SELECT count(*) FROM logs",
            "points": "SELECT count(*) FROM points",
        }.items()
    }
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    (oldest,) = connection.execute("SELECT coalesce(min(start), 0) FROM traces").fetchone()
    return {**counts, "bytes": (pages - free) * size, "oldest": oldest}

"""The notes, kept in MySQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

import pymysql
from pymysql.constants import ER
from pymysql.cursors import Cursor

from app.asking import ANSWER_WITHIN
from app.config import Settings

LONGEST = 500  # characters of one note
SHOWN = 100  # notes on the page

CREATE = f"""
CREATE TABLE IF NOT EXISTS notes (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    text VARCHAR({LONGEST}) NOT NULL,
    written_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) DEFAULT CHARACTER SET utf8mb4
"""


@dataclass(frozen=True)
class Note:
    id: int
    text: str
    written_at: datetime


@dataclass(frozen=True)
class Notebook:
    """The latest notes, how many there are in all, and what MySQL says of itself."""

    notes: tuple[Note, ...]
    total: int
    version: str
    milliseconds: float


class Notes:
    """Reads and writes notes.

    Every use opens a connection of its own and closes it: it costs milliseconds, and whatever happened to the
    server in between, the next use finds it again.
    """

    def __init__(self, settings: Settings) -> None:
        self.address = f"{settings.mysql_host}:{settings.mysql_port}"
        self._settings = settings

    def read(self) -> Notebook:
        """The latest notes, newest first. Raises pymysql.MySQLError when MySQL is away."""
        with self._table() as cursor:
            started = perf_counter()
            cursor.execute("SELECT VERSION(), COUNT(*) FROM notes")
            [(version, total)] = cursor.fetchall()
            milliseconds = (perf_counter() - started) * 1000
            cursor.execute(
                "SELECT id, text, UNIX_TIMESTAMP(written_at) FROM notes ORDER BY id DESC LIMIT %s", (SHOWN,)
            )
            notes = tuple(Note(row[0], row[1], datetime.fromtimestamp(row[2], UTC)) for row in cursor)
        return Notebook(notes, total, version, milliseconds)

    def add(self, text: str) -> None:
        """Keeps a note: after this, MySQL has it on disk. Raises pymysql.MySQLError when it is away."""
        with self._table() as cursor:
            cursor.execute("INSERT INTO notes (text) VALUES (%s)", (text,))

    def delete(self, note_id: int) -> bool:
        """Removes a note; False if it was gone already. Raises pymysql.MySQLError when MySQL is away."""
        with self._table() as cursor:
            return cursor.execute("DELETE FROM notes WHERE id = %s", (note_id,)) > 0

    def ping(self) -> None:
        """Raises pymysql.MySQLError when MySQL is away."""
        with self._connection() as cursor:
            cursor.execute("SELECT 1")

    @contextmanager
    def _table(self) -> Iterator[Cursor]:
        """A cursor in a database that has the table: made now if it is not there, as in an empty volume."""
        with self._connection() as cursor:
            try:
                cursor.execute("SELECT 1 FROM notes LIMIT 0")
            except pymysql.ProgrammingError as error:
                if error.args[0] != ER.NO_SUCH_TABLE:
                    raise
                cursor.execute(CREATE)
            yield cursor

    @contextmanager
    def _connection(self) -> Iterator[Cursor]:
        connection = pymysql.connect(
            host=self._settings.mysql_host,
            port=self._settings.mysql_port,
            user=self._settings.mysql_user,
            password=self._settings.mysql_password,
            database=self._settings.mysql_database,
            charset="utf8mb4",  # all of Unicode: Korean, and emoji too
            autocommit=True,
            connect_timeout=ANSWER_WITHIN,
            read_timeout=ANSWER_WITHIN,
            write_timeout=ANSWER_WITHIN,
        )
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

"""The database file: its tables, how it is opened, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

VERSION = 2
_PATIENCE = 5.0  # seconds to wait for another process that writes

_TABLES = """
CREATE TABLE resources(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE spans(
    id INTEGER PRIMARY KEY, trace BLOB NOT NULL, span BLOB NOT NULL, parent BLOB NOT NULL,
    service TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, start INTEGER NOT NULL,
    end INTEGER NOT NULL, status INTEGER NOT NULL, peer TEXT NOT NULL, resource INTEGER NOT NULL,
    rest TEXT NOT NULL);
CREATE UNIQUE INDEX spans_once ON spans(trace, span);
CREATE TABLE traces(
    trace BLOB PRIMARY KEY, service TEXT NOT NULL, name TEXT NOT NULL, rooted INTEGER NOT NULL,
    root_start INTEGER NOT NULL, root_end INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    spans INTEGER NOT NULL, errors INTEGER NOT NULL, arrived INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX traces_by_start ON traces(start);
CREATE INDEX traces_by_arrival ON traces(arrived);
CREATE TABLE parts(
    trace BLOB NOT NULL, service TEXT NOT NULL, spans INTEGER NOT NULL, errors INTEGER NOT NULL,
    PRIMARY KEY(trace, service)) WITHOUT ROWID;
CREATE TABLE logs(
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, service TEXT NOT NULL, level INTEGER NOT NULL,
    trace BLOB NOT NULL, span BLOB NOT NULL, text TEXT NOT NULL, resource INTEGER NOT NULL,
    rest TEXT NOT NULL, arrived INTEGER NOT NULL);
CREATE INDEX logs_of_trace ON logs(trace) WHERE trace != x'';
CREATE INDEX logs_by_time ON logs(time);
CREATE TABLE series(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, service TEXT NOT NULL, unit TEXT NOT NULL,
    kind TEXT NOT NULL, description TEXT NOT NULL, total INTEGER NOT NULL, attributes TEXT NOT NULL,
    UNIQUE(name, service, kind, attributes));
CREATE TABLE points(
    series INTEGER NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL, rest TEXT NOT NULL,
    arrived INTEGER NOT NULL, PRIMARY KEY(series, time)) WITHOUT ROWID;
CREATE INDEX points_by_arrival ON points(arrived);
"""
DURATION = "(CASE WHEN rooted THEN root_end - root_start ELSE end - start END)"
"""How long a trace took, in nanoseconds: the text of an index's expression, so it must stay the same."""
_SINCE_2 = f"""
CREATE INDEX traces_sizes ON traces(spans);
CREATE INDEX traces_failed ON traces(start) WHERE errors > 0;
CREATE INDEX traces_by_duration ON traces({DURATION});
CREATE INDEX parts_by_service ON parts(service);
CREATE INDEX logs_by_service ON logs(service, time);
CREATE INDEX logs_of_warnings ON logs(time) WHERE level >= 13;
"""
"""So that counts, and a filter that few rows pass, answer at once when there are a million."""


def open_to_write(file: Path) -> sqlite3.Connection:
    """The database, created if it is not there. Raises sqlite3.Error and OSError."""
    if not file.exists():
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    connection = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")  # a power cut may lose the last traces: they are no data
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute("PRAGMA journal_size_limit=16000000")
        connection.execute("PRAGMA wal_autocheckpoint=2000")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        connection.execute("SELECT count(*) FROM (SELECT 1 FROM traces LIMIT 1)").fetchone()
        return
    if version > VERSION:
        raise OtherVersionError(f"version {version}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version < VERSION:  # nobody else was faster
            for statement in filter(str.strip, f"{'' if version else _TABLES}{_SINCE_2}".split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


class OtherVersionError(sqlite3.DatabaseError):
    """The file was written by another version of this program."""


def open_to_read(file: Path) -> sqlite3.Connection | None:
    """None if there is no database. Raises sqlite3.Error."""
    if not file.exists():
        return None
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE, check_same_thread=False
    )
    connection.execute("PRAGMA cache_size=-8000")
    return connection


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file cannot be used any more."""
    if isinstance(error, OtherVersionError):
        return True
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    missing_table = code == sqlite3.SQLITE_ERROR and isinstance(error, sqlite3.OperationalError)
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT) or missing_table


def is_full(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def move_aside(file: Path) -> Path:
    """Renames a damaged database, so that a new one can take its place. One of before is replaced. Raises
    OSError."""
    aside = file.with_name(f"{file.stem}-damaged-{time.strftime('%Y%m%d-%H%M%S')}.db")
    for old in file.parent.glob(f"{file.stem}-damaged-*.db"):
        with suppress(OSError):
            old.unlink()
    for suffix in ("-wal", "-shm"):
        with suppress(OSError):
            file.with_name(file.name + suffix).unlink()
    file.replace(aside)
    return aside

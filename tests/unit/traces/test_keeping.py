"""Storing: twice, late, out of order, full, damaged, too much, too old."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.errors import FileError
from invoke_devstack.traces.asking.traces import Wanted, find_traces, read_trace
from invoke_devstack.traces.keeping import bounds
from invoke_devstack.traces.keeping import writer as writing
from invoke_devstack.traces.keeping.database import open_to_write
from invoke_devstack.traces.places import door_of, folder_of, read_door
from tests import otlp
from tests.unit.traces.conftest import Kept


def listed(kept: Kept, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kept.reading.ask(
        lambda opened: find_traces(opened, Wanted(**wanted))["traces"], []
    )
    return found


def spans_of(kept: Kept, trace: bytes = otlp.TRACE) -> list[tuple[str, int]]:
    found = kept.ask(lambda opened: read_trace(opened, trace))
    return [(span["name"], span["depth"]) for span in found["spans"]] if found else []


def test_a_span_that_arrives_twice_is_counted_once(kept: Kept) -> None:
    message = otlp.traces(otlp.span(1, error="no"), otlp.span(2, 1), otlp.span(2, 1))
    assert kept.put(message) and kept.put(message)
    (found,) = listed(kept)
    assert (found["spans"], found["errors"]) == (2, 1)
    assert found["services"] == [{"service": "web", "spans": 2, "errors": 1}]
    assert kept.writer.counts.spans == 2


def test_the_root_may_arrive_last(kept: Kept) -> None:
    kept.put(otlp.traces(otlp.span(3, 2, name="below", start=2), service="db"))
    (before,) = listed(kept)
    assert (before["name"], before["service"], before["complete"]) == ("below", "db", False)
    kept.put(otlp.traces(otlp.span(2, 1, name="call", start=1)))
    kept.put(otlp.traces(otlp.span(1, name="root", seconds=9)))
    (found,) = listed(kept)
    assert (found["name"], found["service"], found["complete"]) == ("root", "web", True)
    assert (found["duration_ms"], found["spans"]) == (9000.0, 3)
    assert spans_of(kept) == [("root", 0), ("call", 1), ("below", 2)]


def test_spans_of_another_service_do_not_lengthen_a_request(kept: Kept) -> None:
    """Its clock is an hour ahead."""
    kept.put(otlp.traces(otlp.span(1, kind=3)))
    kept.put(otlp.traces(otlp.span(2, 1, kind=2, start=3600.0, seconds=0.5), service="api"))
    found = kept.ask(lambda opened: read_trace(opened, otlp.TRACE))
    assert found is not None
    assert found["duration_ms"] == 1000.0
    assert [(span["offset_ms"], span["shift_ms"]) for span in found["spans"]] == [
        (0.0, 0.0),
        (250.0, -3599750.0),
    ]


def test_traces_survive_a_restart(kept: Kept) -> None:
    kept.put(otlp.traces(otlp.span(1)))
    other = kept.again()
    other.put(otlp.traces(otlp.span(1), otlp.span(2, 1)))
    assert [item["spans"] for item in listed(other)] == [2]
    other.writer.stop()


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_nobody_else_may_read_what_is_stored(kept: Kept) -> None:
    kept.put(otlp.traces(otlp.span(1)))
    door_of("p")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept.file.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE(kept.file.parent.stat().st_mode) == 0o700


def test_a_damaged_file_is_moved_aside_and_nothing_of_the_batch_is_lost(state: Path) -> None:
    folder = folder_of("p")
    folder.mkdir(mode=0o700, parents=True)
    (folder / "traces.db").write_bytes(b"this is no database" * 1000)
    kept = Kept()
    assert kept.put(otlp.traces(otlp.span(1)))
    assert len(listed(kept)) == 1
    (aside,) = folder.glob("traces-damaged-*.db")
    assert aside.read_bytes().startswith(b"this is no database")
    assert kept.writer.trouble.text == f"the file with earlier traces was damaged, and is now {aside.name}"
    kept.writer.stop()


def test_a_file_that_is_damaged_while_it_is_used_is_moved_aside(kept: Kept) -> None:
    for number in range(1, 40):
        kept.put(otlp.traces(*(otlp.span(number * 1000 + more, note="x" * 500) for more in range(50))))
    other = kept.again()
    size = other.file.stat().st_size
    with other.file.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(size - 100))
    assert other.put(otlp.traces(otlp.span(1)))
    assert [item["spans"] for item in listed(other)] == [1]
    other.writer.stop()


def test_a_file_of_another_version_is_moved_aside(kept: Kept) -> None:
    kept.put(otlp.traces(otlp.span(1)))
    kept.writer.stop()
    with closing(sqlite3.connect(kept.file)) as opened:
        opened.execute("PRAGMA user_version = 99")
    other = Kept()
    assert other.put(otlp.traces(otlp.span(2)))
    assert [item["spans"] for item in listed(other)] == [1]
    other.writer.stop()


def test_a_full_disk_is_told_and_storing_goes_on_once_there_is_room(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put(otlp.traces(otlp.span(1)))
    really_open = open_to_write

    def open_on_small_disk(file: Path) -> sqlite3.Connection:
        connection = really_open(file)
        connection.execute("PRAGMA max_page_count = 1")  # SQLite makes it what there is
        return connection

    monkeypatch.setattr(writing, "open_to_write", open_on_small_disk)
    other = kept.again()
    large = otlp.traces(*(otlp.span(number, note="x" * 4000) for number in range(2, 200)))
    assert not other.put(large)
    assert other.writer.trouble.text == "traces cannot be stored: no space left on the disk"
    assert [item["spans"] for item in listed(other)] == [1]
    monkeypatch.setattr(writing, "open_to_write", really_open)
    assert other.put(large)
    assert other.writer.trouble.text == ""
    assert [item["spans"] for item in listed(other)] == [199]
    other.writer.stop()


def test_the_file_stays_within_its_bounds_and_the_newest_traces_stay(state: Path) -> None:
    kept = Kept(largest=3_000_000)
    for number in range(1, 80):
        trace = number.to_bytes(16, "big")
        kept.put(otlp.traces(*(otlp.span(one, trace=trace, note="x" * 1000) for one in range(1, 101))))
    found = {item["trace_id"] for item in listed(kept, limit=1000)}
    assert kept.reading.stored()["bytes"] < 3_600_000
    assert (79).to_bytes(16, "big").hex() in found
    assert (1).to_bytes(16, "big").hex() not in found
    assert 10 < len(found) < 79
    kept.writer.stop()


def test_the_file_stays_within_its_bounds_with_long_texts_too(state: Path) -> None:
    """Many times as much arrives at once as goes in one step."""
    kept = Kept(largest=4_000_000)
    for number in range(1, 12):
        trace = number.to_bytes(16, "big")
        kept.put(otlp.traces(*(otlp.span(one, trace=trace, note="x" * 15_000) for one in range(1, 101))))
        assert kept.reading.stored()["bytes"] <= 4_000_000
    assert listed(kept)[0]["trace_id"] == (11).to_bytes(16, "big").hex()
    kept.writer.stop()


def test_what_described_services_that_are_gone_goes_too(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_TRIM_EVERY", 0.0)
    monkeypatch.setattr(bounds, "_FEWEST", 5)
    kept = Kept(largest=1_000_000)
    for number in range(1, 200):
        span = otlp.span(1, trace=number.to_bytes(16, "big"))
        kept.put(otlp.traces(span, process__command_line=f"{number} {'x' * 15_000}"))
    assert kept.reading.stored()["bytes"] <= 1_000_000
    newest = kept.ask(lambda opened: read_trace(opened, (199).to_bytes(16, "big")))
    (resource,) = newest["resources"].values()
    assert resource["process.command_line"].startswith("199 ")
    assert len(listed(kept, limit=1000)) > 10
    kept.writer.stop()


def test_a_file_of_the_version_before_is_brought_up_to_date(kept: Kept) -> None:
    kept.put(otlp.traces(otlp.span(1, error="no")))
    kept.writer.stop()
    with closing(sqlite3.connect(kept.file)) as opened:
        for name in (
            "traces_sizes",
            "traces_failed",
            "traces_by_duration",
            "parts_by_service",
            "logs_by_service",
            "logs_of_warnings",
        ):
            opened.execute(f"DROP INDEX {name}")
        opened.execute("PRAGMA user_version = 1")
    other = Kept()
    assert other.put(otlp.traces(otlp.span(2, 1)))
    assert [item["spans"] for item in listed(other, errors=True)] == [2]
    with closing(sqlite3.connect(other.file)) as opened:
        assert opened.execute("PRAGMA user_version").fetchone() == (2,)
        assert opened.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'traces_failed'"
        ).fetchone() == (1,)
    other.writer.stop()


def test_what_is_too_old_goes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put(otlp.traces(otlp.span(1)))
    kept.put(otlp.logs({"text": "old"}))
    kept.put(otlp.counter("visits", 1.0))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10 * 86400)
    other = kept.again()
    other.put(otlp.traces(otlp.span(2, trace=bytes([9] * 16))))
    assert [item["trace_id"] for item in listed(other)] == [bytes([9] * 16).hex()]
    stored = other.reading.stored()
    assert (stored["spans"], stored["logs"], stored["points"]) == (1, 0, 0)
    other.writer.stop()


def test_a_file_that_somebody_removes_is_begun_again(kept: Kept) -> None:
    kept.put(otlp.traces(otlp.span(1)))
    for path in kept.file.parent.glob("traces.db*"):
        path.unlink()
    assert kept.put(otlp.traces(otlp.span(2)))
    assert [item["spans"] for item in listed(kept)] == [1]


def test_the_key_and_the_port_stay(state: Path) -> None:
    assert read_door("p") is None
    door = door_of("p")
    assert door_of("p") == door == read_door("p")
    assert len(door.key) == 48 and 1024 < door.port < 65536
    assert door_of("other").key != door.key


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"key": "k"}', '{"key": "", "port": 1}', '{"key": "k", "port": 99999}']
)
def test_a_damaged_key_is_replaced(state: Path, text: str) -> None:
    first = door_of("p")
    (folder_of("p") / "door.json").write_text(text)
    assert read_door("p") is None
    assert door_of("p").port == first.port and read_door("p") is not None


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="a folder that nobody can write to")
def test_a_state_directory_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/none")
    with pytest.raises(FileError, match="cannot write /proc/none/invoke-devstack/traces/p: ") as caught:
        door_of("p")
    assert caught.value.hint

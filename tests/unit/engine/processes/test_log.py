"""The log of a process, read as the engine's logs are."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.engine.processes import recorded_log
from invoke_devstack.engine.processes.log import ProcessLog
from invoke_devstack.running.logs.lines import join_pieces, without_stamps

LINES = [
    f"2026-11-26T19:00:0{number}.000000000Z {'e' if number % 3 == 0 else 'o'} line {number}\n"
    for number in range(9)
]
EVERYTHING: dict[str, Any] = {
    "follow": False, "tail": None, "since": "", "until": "", "timestamps": False,
}  # fmt: skip


def read(path: Path, **options: Any) -> list[tuple[str, str]]:
    log = ProcessLog(path, lambda: False, **{**EVERYTHING, **options})
    return [(stream, line) for stream, block in log for line in block.decode().splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_text("".join(LINES))
    return path


def test_all_lines_come_in_order_with_their_streams(log: Path) -> None:
    assert read(log) == [("stderr" if number % 3 == 0 else "stdout", f"line {number}") for number in range(9)]


@pytest.mark.parametrize("count", [0, 1, 4, 9, 20])
def test_the_last_lines(log: Path, count: int) -> None:
    whole = [f"line {number}" for number in range(9)]
    assert [line for _, line in read(log, tail=count)] == whole[max(9 - count, 0) :]


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        ("2026-11-26T19:00:03Z", "", 3, 8),
        ("", "2026-11-26T20:00:05+01:00", 0, 5),
        ("1795719602.5", "1795719604.0", 3, 4),
    ],
)
def test_a_span_of_time(log: Path, since: str, until: str, first: int, last: int) -> None:
    found = [line for _, line in read(log, since=since, until=until)]
    assert found == [f"line {number}" for number in range(first, last + 1)]


def test_timestamps_are_the_engines_own_form(log: Path) -> None:
    assert read(log, tail=1, timestamps=True) == [("stdout", "2026-11-26T19:00:08.000000000Z line 8")]


def test_without_a_log_there_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "log") == []


def test_a_followed_log_ends_with_its_process_and_misses_nothing(log: Path) -> None:
    runs = threading.Event()
    runs.set()

    def write() -> None:
        for number in range(200):
            with log.open("a") as file:
                file.write(f"2026-11-26T19:01:00.{number:09d}Z o more {number}\n")
            time.sleep(0.001)
        runs.clear()

    writer = threading.Thread(target=write)
    writer.start()
    followed = ProcessLog(log, runs.is_set, **{**EVERYTHING, "follow": True, "tail": 0})
    found = [line for _, block in followed for line in block.decode().splitlines()]
    writer.join()
    assert found == [f"more {number}" for number in range(200 - len(found), 200)]
    assert found


def test_a_torn_line_is_passed_over(log: Path) -> None:
    with log.open("a") as file:
        file.write("2026-11-26T19:00:0\n" + LINES[0])
    assert [line for _, line in read(log, tail=2)] == ["line 0"]


@pytest.mark.parametrize("length", [16383, 16384, 16385, 32768, 100_000])
def test_a_long_line_is_one_line(tmp_path: Path, length: int) -> None:
    """However it was printed: it is kept in pieces, as the engine keeps it."""
    text = "".join(chr(ord("a") + number % 26) for number in range(length))
    recorded = recorded_log.Log(tmp_path / "log")
    for start in range(0, length, 7000):
        recorded.record("o", text[start : start + 7000].encode())
    recorded.record("e", b"between\n")
    recorded.record("o", b"\nafter\n")
    found = [line for stream, line in joined(tmp_path / "log") if stream == "stdout"]
    assert found == [text, "after"]
    stamped = b"".join(
        block for stream, block in ProcessLog(tmp_path / "log", timestamps=True) if stream == "stdout"
    )
    first, second = without_stamps(join_pieces(stamped)).splitlines()
    assert (first.decode(), second) == (text, b"after")


def joined(path: Path) -> list[tuple[str, str]]:
    """The lines of each stream."""
    streams = {"stdout": b"", "stderr": b""}
    for stream, block in ProcessLog(path):
        streams[stream] += block
    return [(stream, line) for stream, data in streams.items() for line in data.decode().splitlines()]

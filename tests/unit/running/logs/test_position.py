"""Reading a log on from a position gives each line once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.running.logs.position import Position, Skipper, blocks_from
from invoke_devstack.running.logs.sources import Source, moment
from tests.unit.running.logs.test_lines import line, stamp


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.data())
def test_a_log_read_on_from_any_line_gives_each_line_once(times: list[int], data: st.DataObject) -> None:
    """`times` are milliseconds; neighbours may stand in another order than that of their stamps."""
    wanted = sorted(times)
    for index in range(0, len(wanted) - 1, 3):
        if wanted[index + 1] - wanted[index] < 90:
            wanted[index], wanted[index + 1] = wanted[index + 1], wanted[index]
    lines = [stamp(5, at * 1_000_000) + b" %d\n" % number for number, at in enumerate(wanted)]
    read = data.draw(st.integers(0, len(lines)))
    position = Position()
    for block in lines[:read]:
        position.advance(block)
    since = float(position.range().since or 0)
    again = [item for item in lines if float(moment(item[:30].decode(), "since")) >= since]
    cut = data.draw(st.integers(0, len(again)))
    skipper = Skipper(position)
    rest = b"".join(skipper.new(b"".join(part)) for part in (again[:cut], again[cut:]) if part)
    assert b"".join(lines[:read]) + rest == b"".join(lines)


def test_what_a_tail_left_out_stays_left_out() -> None:
    position = Position(partial=True)
    position.advance(line(7, b"last"))
    before = stamp(6, 950_000_000) + b" left out\n"
    assert Skipper(position).new(before + line(7, b"last") + line(8, b"new")) == line(8, b"new")


def test_a_log_that_lost_what_was_read_is_shown_from_there_on() -> None:
    position = Position()
    position.advance(line(7, b"seen"))
    later = b"".join(line(8, b"%d" % number) for number in range(3000))
    assert Skipper(position).new(later) == later


def test_a_position_asks_the_engine_for_a_little_more_than_what_comes_next() -> None:
    position = Position()
    position.advance(line(7, b"seen"))
    assert position.range().since == moment(stamp(6, 900_000_000).decode(), "since")


@pytest.mark.parametrize(
    "text", [b"abc\n", b"not a time, but long enough to be one\n", b"9999-99-99T99:99:99.999999999Z x\n"]
)
def test_a_line_without_a_time_moves_nothing(text: bytes) -> None:
    position = Position(since="12.5")
    position.advance(text)
    assert position.range().since == "12.5"
    position.advance(line(7, b"seen") + text)
    position.advance(line(7, b"seen"))
    assert position.range().since == moment(stamp(6, 900_000_000).decode(), "since")


def test_a_position_without_a_line_begins_where_it_was_told_to() -> None:
    assert Position(since="12.5").range().since == "12.5"


class _Log:
    """An engine with one container, whose log is `lines`."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.asked: list[int | None] = []

    def inspect_container(self, _: str) -> dict[str, object]:
        return {}

    def logs(self, _: str, *, since: str, tail: int | None, **__: object) -> _Stream:
        self.asked.append(tail)
        recent = self.lines if tail is None else self.lines[-tail:]
        return _Stream([item for item in recent if moment(item[:30].decode(), "since") >= since])


class _Stream:
    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return (("stdout", line) for line in self._lines)

    def close(self) -> None:
        return


def _read_on(log: _Log, position: Position) -> bytes:
    skipper = Skipper(position)
    blocks = blocks_from(position, cast("Engine", log), Source("id", "web-1", "web"), follow=False)
    return b"".join(skipper.new(block) for _, block in blocks)


def _lines(count: int) -> list[bytes]:
    return [
        stamp(5 + number // 1000, number % 1000 * 1_000_000) + b" %d\n" % number for number in range(count)
    ]


def test_the_last_lines_are_enough_where_they_begin_with_what_was_read() -> None:
    log, position = _Log(_lines(6000)), Position()
    for item in log.lines[:5500]:
        position.advance(item)
    assert _read_on(log, position) == b"".join(log.lines[5500:])
    assert log.asked == [2000]


def test_more_than_the_last_lines_is_read_where_more_came_meanwhile() -> None:
    log, position = _Log(_lines(6000)), Position()
    for item in log.lines[:100]:
        position.advance(item)
    assert _read_on(log, position) == b"".join(log.lines[100:])
    assert log.asked == [2000, None]


def test_a_position_keeps_a_fraction_of_a_second_of_a_log() -> None:
    position = Position()
    for item in _lines(6000):
        position.advance(item)
    assert len(position.stamps) == 201
    assert len(position._blocks) < 400

"""Blocks of stamped lines are cut, compared and stripped without a line being lost or touched."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack.running.logs.lines import (
    LineCutter,
    earlier,
    end_of_earlier,
    join_pieces,
    last_stamp,
    matching,
    normalise,
    stamps_since,
    without_stamps,
)

_SECONDS = st.integers(0, 59)
_TEXT = st.binary(max_size=40).map(lambda text: text.replace(b"\n", b" "))


def stamp(second: int, fraction: int = 0) -> bytes:
    return f"2026-01-02T03:04:{second:02}.{fraction:09}Z".encode()


def line(second: int, text: bytes) -> bytes:
    return stamp(second) + b" " + text + b"\n"


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_whole_lines_come_out_however_the_stream_is_cut(data: bytes, cuts: list[int]) -> None:
    cutter = LineCutter()
    places = [0, *sorted(cuts), len(data)]
    blocks = [cutter.feed(data[start:end]) for start, end in itertools.pairwise(places)]
    assert all(not block or block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks) + cutter.finish() == data[: max(places)]


@given(st.lists(st.tuples(_SECONDS, _TEXT), max_size=60), _SECONDS, st.booleans(), st.integers(0, 5))
def test_the_end_of_earlier_lines_is_found_as_by_looking_at_each(
    lines: list[tuple[int, bytes]], limit: int, inclusive: bool, skip: int
) -> None:
    made = [line(second, text) for second, text in sorted(lines)]
    start = len(b"".join(made[:skip]))
    expected = start
    for item, (second, _) in list(zip(made, sorted(lines), strict=True))[skip:]:
        if second < limit or (inclusive and second == limit):
            expected += len(item)
    found = end_of_earlier(b"".join(made), stamp(limit), start, inclusive=inclusive)
    assert found == expected


@given(st.lists(st.tuples(_SECONDS, _TEXT), min_size=1, max_size=20))
def test_stamps_are_taken_off_and_the_text_stays_as_it_was(lines: list[tuple[int, bytes]]) -> None:
    block = b"".join(line(second, text) for second, text in lines)
    assert without_stamps(block) == b"".join(text + b"\n" for _, text in lines)


def test_the_stamps_of_the_last_lines_are_found() -> None:
    block = line(1, b"a") + line(2, b"") + line(2, b"c")
    assert stamps_since(block, stamp(2)) == [stamp(2), stamp(2)]
    assert stamps_since(block, stamp(1)) == [stamp(1), stamp(2), stamp(2)]
    assert stamps_since(stamp(3) + b" no newline", stamp(1)) == [stamp(3)]
    assert stamps_since(b"", stamp(1)) == []
    assert last_stamp(block) == stamp(2)


def test_a_stamp_of_a_little_before_keeps_its_nanoseconds() -> None:
    assert earlier(stamp(5, 20_000_007), 100) == stamp(4, 920_000_007)
    assert earlier(b"2026-01-01T00:00:00.000000001Z", 1) == b"2025-12-31T23:59:59.999000001Z"


def test_stamps_with_an_offset_become_those_of_docker() -> None:
    podman = b"2026-01-02T05:04:07.5+02:00 one\n2026-01-02T03:04:08Z two\n"
    assert normalise(podman) == stamp(7, 500_000_000) + b" one\n" + stamp(8) + b" two\n"


def test_stamps_between_the_pieces_of_a_long_line_are_taken_out() -> None:
    first, second, third = b"a" * 16384, b"b" * 16384, b"c" * 10
    kept = b"".join(stamp(5) + b" " + piece for piece in (first, second, third)) + b"\n"
    assert join_pieces(line(4, b"short") + kept) == line(4, b"short") + line(5, first + second + third)


def test_a_long_line_that_is_whole_is_left_alone() -> None:
    whole = line(4, b"x" * 40000)
    assert join_pieces(whole) == whole


def test_a_pattern_keeps_the_lines_that_match_and_does_not_see_the_stamp() -> None:
    block = line(1, b"error: 1") + line(2, b"fine") + line(3, b"an error")
    assert matching(block, re.compile(b"^error"), 31) == line(1, b"error: 1")
    assert matching(block, re.compile(b"2026"), 31) == b""


def test_a_last_line_without_a_newline_keeps_having_none() -> None:
    assert matching(b"one\ntwo", re.compile(b"two"), 0) == b"two"

"""Reading a log on from a mark gives each line once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack.running.log_follow import Mark, Skipper
from invoke_devstack.running.log_sources import moment
from tests.unit.running.test_log_lines import line, stamp


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.data())
def test_a_log_read_on_from_any_line_gives_each_line_once(seconds: list[int], data: st.DataObject) -> None:
    lines = [line(second, str(number).encode()) for number, second in enumerate(sorted(seconds))]
    read = data.draw(st.integers(0, len(lines)))
    mark = Mark()
    for block in lines[:read]:
        mark.advance(block)
    again = [item for item in lines if item[:30] >= mark.stamp]  # what the engine sends for `since`
    cut = data.draw(st.integers(0, len(again)))
    skipper = Skipper(mark)
    rest = b"".join(skipper.new(b"".join(part)) for part in (again[:cut], again[cut:]) if part)
    assert b"".join(lines[:read]) + rest == b"".join(lines)


def test_a_mark_asks_the_engine_for_its_last_line_again() -> None:
    mark = Mark()
    mark.advance(line(7, b"seen"))
    assert mark.range().since == moment(stamp(7).decode(), "since")


def test_a_mark_without_a_line_begins_where_it_was_told_to() -> None:
    assert Mark(since="12.5").range().since == "12.5"

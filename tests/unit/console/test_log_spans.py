"""The lines of several containers, printed by time."""

from __future__ import annotations

import random

import pytest

from invoke_devstack import events as e
from tests.unit.console.conftest import Theatre


def stamp(nanoseconds: int) -> bytes:
    return b"2026-01-02T03:04:05.%09dZ" % nanoseconds


def block(service: str, *moments: int, text: bytes = b"") -> e.LogBlock:
    lines = (b"%b %b%d\n" % (stamp(moment), text or service.encode(), moment) for moment in moments)
    return e.LogBlock(
        service=service, container=f"p-{service}-1", stream="stdout", data=b"".join(lines), timestamps=True
    )


def printed(theatre: Theatre, span: e.LogSpan, *, json: str = "") -> list[str]:
    stage = theatre.open(json=json)
    stage.console.emit(span)
    return stage.out.written.splitlines()


def test_lines_are_printed_by_time(theatre: Theatre) -> None:
    span = e.LogSpan(blocks=(block("a", 1, 4, 5), block("b", 2, 3, 6)))
    assert printed(theatre, span) == ["a | a1", "b | b2", "b | b3", "a | a4", "a | a5", "b | b6"]


def test_lines_of_one_moment_are_in_the_order_of_the_blocks(theatre: Theatre) -> None:
    span = e.LogSpan(blocks=(block("a", 1, 1), block("b", 1, 1)))
    assert printed(theatre, span) == ["a | a1", "a | a1", "b | b1", "b | b1"]


def test_a_container_whose_clock_went_back_keeps_its_order(theatre: Theatre) -> None:
    span = e.LogSpan(blocks=(block("a", 5, 2, 3), block("b", 4, 6)))
    assert printed(theatre, span) == ["b | b4", "a | a5", "a | a2", "a | a3", "b | b6"]


def test_stamps_are_shown_where_they_are_asked_for(theatre: Theatre) -> None:
    span = e.LogSpan(blocks=(block("a", 1), block("b", 2)), timestamps=True)
    assert printed(theatre, span) == [f"a | {stamp(1).decode()} a1", f"b | {stamp(2).decode()} b2"]


def test_prefixes_of_a_span_are_of_one_width(theatre: Theatre) -> None:
    span = e.LogSpan(blocks=(block("a", 1), block("long", 2)))
    assert printed(theatre, span) == ["a    | a1", "long | long2"]


def test_empty_lines_and_a_last_line_without_an_end_are_kept(theatre: Theatre) -> None:
    empty = e.LogBlock(
        service="a",
        container="p-a-1",
        stream="stdout",
        data=stamp(1) + b" \n" + stamp(3) + b" end",
        timestamps=True,
    )
    assert printed(theatre, e.LogSpan(blocks=(empty, block("b", 2)))) == ["a | ", "b | b2", "a | end"]


def test_a_program_gets_each_line_as_an_event_of_its_container(theatre: Theatre) -> None:
    found = printed(theatre, e.LogSpan(blocks=(block("a", 1, 3), block("b", 2))), json="events")
    assert [line.count('"type":"log"') for line in found] == [1, 1, 1]
    assert ['"service":"a"' in line for line in found] == [True, False, True]


@pytest.mark.parametrize("seed", range(20))
def test_every_line_is_there_once_and_in_order(seed: int, theatre: Theatre) -> None:
    chance = random.Random(seed)
    moments = {name: sorted(chance.choices(range(50), k=chance.randint(1, 30))) for name in "abc"}
    span = e.LogSpan(blocks=tuple(block(name, *found) for name, found in moments.items()))
    wanted = sorted((moment, name) for name, found in moments.items() for moment in found)
    assert printed(theatre, span) == [f"{name} | {name}{moment}" for moment, name in wanted]
    again = b"".join(part.data for part in span.in_order()).decode().split()
    assert again == [f"{name}{moment}" for moment, name in wanted]

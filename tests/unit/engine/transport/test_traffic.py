"""What waits for the engine can be broken off: reads alone, what is old, or everything for good."""

from __future__ import annotations

import time

import pytest

from invoke_devstack.engine.transport.traffic import Traffic
from invoke_devstack.errors import Interrupted


def error() -> Interrupted:
    return Interrupted(2)


def begin(traffic: Traffic, ended: list[str], name: str, *, is_read: bool = False) -> int:
    return traffic.begin(lambda: ended.append(name), is_read=is_read, changes=not is_read)


def test_reads_that_are_old_are_broken_off_first() -> None:
    traffic, ended = Traffic(), list[str]()
    begin(traffic, ended, "list", is_read=True)
    begin(traffic, ended, "create")
    moment = time.monotonic()
    time.sleep(0.01)
    begin(traffic, ended, "clean up", is_read=True)
    traffic.break_off(error, before=moment, reads_only=True)
    assert (ended, traffic.is_unanswered, traffic.has_changed) == (["list"], False, True)
    traffic.break_off(error, before=moment)
    assert (ended[-1], traffic.is_unanswered) == ("create", True)
    traffic.check()


def test_after_giving_up_nothing_begins() -> None:
    traffic, ended = Traffic(), list[str]()
    begin(traffic, ended, "wait")
    traffic.give_up(error)
    assert ended == ["wait"]
    with pytest.raises(Interrupted):
        begin(traffic, ended, "again")


def test_it_is_busy_while_somebody_goes_on_asking() -> None:
    traffic, moment = Traffic(), time.monotonic()
    assert not traffic.is_busy_since(moment)
    number = begin(traffic, [], "clean up")
    assert traffic.is_busy_since(moment)
    traffic.end(number)
    assert traffic.is_busy_since(moment)
    time.sleep(0.35)
    assert not traffic.is_busy_since(moment)


def test_a_stream_that_is_broken_off_leaves_no_doubt_about_changes() -> None:
    traffic = Traffic()
    traffic.begin(lambda: None, is_read=False, changes=False)
    traffic.give_up(error)
    assert not traffic.is_unanswered


def test_a_command_that_was_typed_is_in_doubt_only_until_the_engine_answers() -> None:
    """`exec` while the engine hangs: the command may run later. Once it runs, nothing is in doubt."""
    for answers, in_doubt in ((False, True), (True, False)):
        traffic = Traffic()
        number = traffic.begin(lambda: None, is_read=False, changes=True)
        if answers:
            traffic.answered(number)
        traffic.give_up(error)
        assert traffic.has_changed
        assert traffic.is_unanswered is in_doubt

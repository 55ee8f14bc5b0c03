"""Small parts of talking to the engine."""

from __future__ import annotations

import pytest

from invoke_devstack.engine.transport.api import filters_of
from invoke_devstack.engine.transport.failures import message_of
from invoke_devstack.engine.transport.streams import engine_time, read_event


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"message":"no such thing"}\n', "no such thing"),
        (b'5f\r\n{"message":"in a chunk"}\r\n0\r\n\r\n', "in a chunk"),
        (b"plain text", "plain text"),
        (b"{broken", "{broken"),
        (b"", ""),
    ],
)
def test_the_engines_own_word_is_found_in_a_refusal(content: bytes, message: str) -> None:
    assert message_of(content) == message


def test_filters_are_lists_of_texts() -> None:
    assert filters_of({"label": ["a=b"], "exited": [0]}) == '{"label": ["a=b"], "exited": ["0"]}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("1700000000", "1700000000"),
        ("1700000000.5", "1700000000.5"),
        ("2023-11-14T22:13:20Z", "1700000000.000000000"),
        ("2023-11-14T22:13:20.123456789Z", "1700000000.123456789"),
        ("2023-11-15T00:13:20.5+02:00", "1700000000.500000000"),
    ],
)
def test_a_time_is_given_to_the_engine_to_the_nanosecond(text: str, expected: str) -> None:
    assert engine_time(text) == expected


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        engine_time("yesterday")


def test_an_event_has_its_actor_and_time() -> None:
    event = read_event(
        {
            "Type": "container",
            "Action": "die",
            "Actor": {"ID": "x", "Attributes": {"exitCode": "3"}},
            "time": 1700000000,
            "timeNano": 1700000000500000000,
        }
    )
    assert (event.type, event.action, event.id, event.time) == ("container", "die", "x", 1700000000.5)
    assert event.attributes == {"exitCode": "3"}
    assert read_event({"Type": "image", "Action": "pull", "time": 5}).attributes == {}

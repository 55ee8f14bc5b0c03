"""What is no answer of an engine is refused, with a sentence that says where and what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from invoke_devstack.engine.transport import shapes
from invoke_devstack.engine.transport.decoding import decode
from invoke_devstack.engine.transport.frames import Demultiplexer

ENTRY: dict[str, Any] = {
    "Id": "a",
    "Names": ["/web"],
    "Image": "redis",
    "ImageID": "sha256:b",
    "Created": 5,
    "State": "running",
    "Labels": None,
    "Ports": [{"PrivatePort": 80}],
    "Unknown": {"to": ["us"]},
}


def test_members_that_nobody_reads_may_be_anything_and_empty_ones_null() -> None:
    shapes.CONTAINERS([ENTRY])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Id": 5}, "[0].Id is a number, not text"),
        ({"Names": "web"}, "[0].Names is text, not a list"),
        ({"Names": [None]}, "[0].Names.[0] is null, not text"),
        ({"Ports": [{}]}, "[0].Ports.[0].PrivatePort is missing"),
        ({"Labels": {"a": []}}, "[0].Labels.a is a list, not text"),
        ({"Created": 10**30}, "[0].Created is a number, not a time"),
        ({"Created": True}, "[0].Created is true or false, not a time"),
        ({"State": None}, "[0].State is missing"),
    ],
)
def test_a_member_of_another_type_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match="^" + told.replace("[", r"\[").replace("]", r"\]")):
        shapes.CONTAINERS([{**ENTRY, **change}])


@pytest.mark.parametrize("value", [None, 42, "x", {}, [None]])
def test_a_list_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        shapes.CONTAINERS(value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is not JSON"),
        (b"<html>", "it starts with '<html>'"),
        (b'["\xff"]', "it is not UTF-8"),
        (b"[NaN]", "a number that no engine sends"),
        (b"[" + b"9" * 10000 + b"]", "a number that no engine sends"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested too deeply"),
        (b"[" + b"0," * 2_000_000 + b"0]", "too many values"),
    ],
)
def test_what_is_no_json_of_an_engine_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("[", r"\[")):
        decode(content)


def test_half_a_character_is_replaced_and_a_whole_one_is_not() -> None:
    assert decode(b'["\\ud800", "\\ud83d\\ude00"]') == ["\ufffd", "\U0001f600"]
    assert decode(json.dumps([{"a": list(range(500))}]).encode()) == [{"a": list(range(500))}]


@pytest.mark.parametrize("data", [b"no frames at all", b"\x01\0\0\0\xff\xff\xff\xff" + b"x" * (1 << 25)])
def test_what_has_no_frames_is_refused(data: bytes) -> None:
    frames = Demultiplexer()
    with pytest.raises(ValueError):
        for start in range(0, len(data), 1 << 16):
            list(frames.feed(data[start : start + (1 << 16)]))

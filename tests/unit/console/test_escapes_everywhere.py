"""No byte that a container, a label or a file holds can make a terminal do something: properties, and every
event on every kind of terminal."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack import events as e
from invoke_devstack.console.escapes import clean_json, clean_text, neutralise

from .conftest import Theatre

_PIECES = (
    *(bytes((code,)) for code in (*range(0x20), *range(0x7F, 0xA0), 0xC2, 0xE2, 0xF3)),
    *(text.encode() for text in ("\x9b", "\x9d", "\x90", "\x9c", "\u202e", "\u2066", "\u200b", "\U000e0041")),
    *(b"[", b"]", b"\\", b"2J", b"1;1H", b"0;", b"52;c;", b"31m", b"m", b"P", b"?", b"c", b"x", b"\r\n"),
)
hostile = st.lists(st.sampled_from(_PIECES), max_size=24).map(b"".join) | st.binary(max_size=40)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\U000e0000-\U000e007f]|\r(?!\n)"
)


@given(hostile, st.booleans())
def test_of_a_log_only_text_and_whole_colours_are_left(block: bytes, keep: bool) -> None:
    text = neutralise(block, keep_colours=keep).decode()
    assert not _OBEYED.search(_COLOUR.sub("", text) if keep else text)


@given(hostile, st.booleans())
def test_cleaning_once_more_changes_nothing(block: bytes, keep: bool) -> None:
    once = neutralise(block, keep_colours=keep)
    again = neutralise(once, keep_colours=keep)
    assert again.replace(b"\x1b[0m", b"") == once.replace(b"\x1b[0m", b"")
    text = block.decode("utf-8", "surrogateescape")
    assert clean_text(clean_text(text)) == clean_text(text)


@given(hostile, hostile)
def test_two_clean_blocks_are_clean_when_they_meet(first: bytes, second: bytes) -> None:
    text = (neutralise(first, keep_colours=True) + neutralise(second, keep_colours=True)).decode()
    assert not _OBEYED.search(_COLOUR.sub("", text))


@given(hostile)
def test_a_line_keeps_its_place(block: bytes) -> None:
    """No sequence takes the end of a line with it, so that no text moves to another line's prefix."""
    assert neutralise(block, keep_colours=True).count(b"\n") == block.count(b"\n")


@given(hostile)
def test_of_a_text_nothing_is_left_that_is_obeyed(block: bytes) -> None:
    text = clean_text(block.decode("utf-8", "surrogateescape"))
    assert not _OBEYED.search(text)
    assert "\r" not in text
    text.encode()


@given(hostile)
def test_json_on_a_terminal_has_the_same_values(block: bytes) -> None:
    value = [block.decode("utf-8", "replace")]
    text = clean_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert not _OBEYED.search(text)


def test_a_terminal_of_another_encoding_gets_its_own_bytes() -> None:
    shown = neutralise("Ûber\x1b[2J\n".encode(), keep_colours=True, encoding="latin-1")
    assert shown == "Ûber\n".encode("latin-1")


EVIL = "x\x1b]0;OWNED\x07\x1b\x1b[2J[2J\x9d0;OWNED\x9c\x9b2J\u202ey\rz\x08"


def _evil_value(name: str, kind: str) -> Any:
    if name == "columns":
        return ("a",)
    if name == "rows":
        return ({"a": EVIL},)
    if name == "blocks":
        block = {item.name: _evil_value(item.name, str(item.type)) for item in fields(e.LogBlock)}
        return (e.LogBlock(**block), e.LogBlock(**block))
    if kind.startswith("tuple"):
        return (EVIL,)
    if name == "data":
        return EVIL.encode() if kind == "bytes" else {"a": EVIL}
    return {"str": EVIL, "float": 1.0, "int": 1, "bool": True}.get(kind.partition(" ")[0], 1)


def _evil_status() -> dict[str, Any]:
    rebuild = {"what": EVIL, "at": "2026-01-01T00:00:00+00:00", "seconds": 1}
    service = {"service": EVIL, "state": EVIL, "mark": "bad", "addresses": [EVIL, EVIL], "restarts": 1}
    failure = {"cause": EVIL, "service": EVIL, "hint": EVIL, "command": EVIL, "at": EVIL, "over": False}
    return {
        "project": EVIL,
        "services": [{**service, "rebuild": rebuild}],
        "failure": {**failure, "at": rebuild["at"]},
        "up": {"steps": [{"action": EVIL, "cause": EVIL, "service": EVIL}], "error": EVIL, "hint": EVIL},
        "busy": EVIL,
    }


EVENTS = [kind for kind in vars(e).values() if isinstance(kind, type) and issubclass(kind, e.Event)]


@pytest.mark.parametrize("term", ["xterm", "dumb", ""])
@pytest.mark.parametrize("json_kind", ["", "answer", "events"])
@pytest.mark.parametrize("kind", [kind for kind in EVENTS if kind is not e.Event])
def test_no_event_steers_a_terminal(kind: type[e.Event], json_kind: str, term: str, theatre: Theatre) -> None:
    stage = theatre.open(terminal=True, json=json_kind, TERM=term)
    values = {item.name: _evil_value(item.name, str(item.type)) for item in fields(kind)}
    if kind is e.Status:
        values["data"] = _evil_status()
    stage.console.emit(kind(**values))
    stage.console.close()
    for shown in (stage.out.written, stage.err.written):
        assert not re.search("\x1b\\]|\x1b\\[2J|[\x80-\x9f\x07\x08\u202e]|\r(?![\n\x1b])", shown), repr(shown)


def test_a_question_is_clean_too(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: "y")
    stage = theatre.open(terminal=True)
    stage.console.ask(EVIL)
    assert "\x9d" not in stage.err.written
    assert "\x1b]" not in stage.err.written


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_what_goes_into_a_pipe_is_as_it_was_written(term: str, theatre: Theatre) -> None:
    stage = theatre.open(TERM=term)
    stage.console.emit(
        e.LogBlock(service="web", container="p-web-1", stream="stdout", data=b"\x1b]0;t\x07\n")
    )
    stage.console.emit(e.Document(text=EVIL))
    assert stage.out.written == f"web | \x1b]0;t\x07\n{EVIL}\n"


def test_the_name_before_a_log_line_is_clean_and_on_its_line(theatre: Theatre) -> None:
    stage = theatre.open()
    stage.console.emit(e.LogBlock(service="a\nb\x1b[2J", container="c", stream="stdout", data=b"line\n"))
    assert stage.out.written == "a b | line\n"

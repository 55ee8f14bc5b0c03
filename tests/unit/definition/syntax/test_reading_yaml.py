"""Scalars, keys, aliases and positions: YAML as go-yaml 3, the reader of Docker Compose, has it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition.syntax.tree import Table
from invoke_devstack.definition.syntax.yaml_reader import MAX_ALIASED_NODES, MAX_DEPTH, read_documents
from invoke_devstack.errors import DefinitionError

FILE = Path("compose.yaml")


def read(text: str) -> Any:
    return read_documents(text.encode(), FILE)[0].root


def failure(content: str | bytes) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        read_documents(content.encode() if isinstance(content, str) else content, FILE)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("no", "no"),
        ("yes", "yes"),
        ("True", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("~", None),
        ("NULL", None),
        ("", None),
        ("0777", 511),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("089", 89.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("+12", 12),
        ("1.2.3", "1.2.3"),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("2001-12-14", datetime(2001, 12, 14, tzinfo=UTC)),
        ("2001-99-14", "2001-99-14"),
        ("!!str 12", "12"),
        ("!!float 12", 12.0),
        ("'12'", "12"),
        ("!custom 12", "12"),
    ],
)
def test_a_scalar_is_what_compose_takes_it_for(text: str, value: Any) -> None:
    found = read(f"key: {text}\n")["key"]

    assert found == value
    assert type(found) is type(value)


def test_a_value_remembers_its_line_and_column() -> None:
    root = read("a:\n  b: [x, {c: deep}]\n")
    mark = root["a"]["b"][1].location_of("c")

    assert isinstance(root, Table)
    assert (mark.line, mark.column, mark.key_column) == (2, 14, 11)


def test_a_merge_key_fills_in_what_is_not_there() -> None:
    root = read("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n")

    assert root["z"] == {"a": 0, "b": 1, "c": 2}


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    assert read('{"<<": 1}') == {"<<": 1}


def test_two_aliases_of_one_anchor_are_two_values() -> None:
    root = read("a: &a {k: [1]}\nb: *a\n")
    root["a"]["k"].add(2, root.location)

    assert root["b"]["k"] == [1]


def test_documents_of_one_file_are_read_one_by_one() -> None:
    documents = read_documents(b"a: 1\n---\nb: !reset null\n", FILE)

    assert [document.root for document in documents] == [{"a": 1}, {}]
    assert documents[1].resets == [("b",)]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("a: 1\nb: [1\nc: 2\n", "invalid YAML", 3, 2),
        ("a: 1\n\tb: 2\n", "invalid YAML", 2, 1),
        ("a: 1\na: 2\n", "duplicate key `a`; the first is at line 1", 2, 1),
        ("a: {1: x}\n", "the key `1` must be a string", 1, 5),
        ("a: {[x]: y}\n", "a key must be a string", 1, 5),
        ("a: *nobody\n", "unknown anchor `nobody`", 1, 4),
        ("a: &a [*a]\n", "anchor `a` contains itself", 1, 8),
        ("a: {<<: x}\n", "`<<` needs a mapping", 1, 9),
        ("a: !!int x\n", "`x` is not of the type `!!int`", 1, 4),
        ("a: " + "[" * 200, "nested more than", 1, 103),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str, line: int, column: int) -> None:
    error = failure(text)

    assert message in error.message
    assert error.position is not None
    assert (error.position.line, error.position.column) == (line, column)


def test_bytes_that_are_no_utf8_are_named_with_their_place() -> None:
    error = failure(b"a: 1\nb: \xff\n")

    assert error.message == "the file is not UTF-8: invalid byte 0xff"
    assert error.position is not None
    assert (error.position.line, error.position.column) == (2, 4)


def test_a_control_character_is_an_error_with_a_position() -> None:
    error = failure(b"a: 1\nb: \x00\n")

    assert error.position is not None


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert f"more than {MAX_ALIASED_NODES}" in failure("\n".join(lines)).message


def test_aliases_cannot_nest_deeper_than_lists_can() -> None:
    lines = ["a0: &a0 x"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH * 2)]

    assert "nested more than" in failure("\n".join(lines)).message

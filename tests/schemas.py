"""Compares what `invoke … --json` printed with the schemas in docs/reference/schema, to the member."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from invoke_devstack.schema.shapes import closed

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "schema"


@cache
def tasks() -> dict[str, dict[str, Any]]:
    """Full name of a task -> its entry in tasks.json."""
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / "tasks.json").read_text("utf-8"))["tasks"]
    return found


@cache
def validator(file: str) -> Draft202012Validator:
    """Of the schema in a file, without room for members that it does not name."""
    return Draft202012Validator(closed(json.loads((FOLDER / file).read_text("utf-8"))))


def check_output(words: Sequence[str], out: str, code: int) -> None:
    """Fails if `invoke` with these words printed JSON that is not as the schemas say. Does nothing for words
    without `--json`, for a command that a signal ended, and for several tasks at once."""
    mine = words[: words.index("--")] if "--" in words else words
    names = [name for word in mine if (name := _task(word))]
    if "--json" not in mine or code < 0 or code > 128 or len(names) != 1 or not out.strip():
        return
    entry = tasks()[names[0]]
    if entry["prints"] == "events":
        for line in out.splitlines():
            check_event(json.loads(line))
    elif entry["prints"] == "answer":
        values = list(_values(out))
        assert len(values) == 1 or names[0] == "stats", f"several answers of {names[0]}: {out}"
        for value in values:
            check_answer(names[0], value, code)


def check_event(event: dict[str, Any]) -> None:
    """Fails if an event is not as its schema says."""
    _check(f"event.{event.get('type')}.json", event)


def check_answer(task: str, value: Any, code: int) -> None:
    """Fails if a task's answer, or the error instead of it, is not as its schema says."""
    if isinstance(value, dict) and value.get("type") == "error" and "v" in value:
        check_event(value)
        assert value["exit_code"] == code
    else:
        _check(tasks()[task]["schema"], value)


def _check(file: str, value: Any) -> None:
    wrong = [f"{error.json_path}: {error.message}" for error in validator(file).iter_errors(value)]
    assert not wrong, f"not as {file} says: {wrong}"


def _task(word: str) -> str:
    """The task that a word names, also below a namespace (`shop.ps`); "" for any other word."""
    parts = word.split(".")
    return next((name for start in range(len(parts)) if (name := ".".join(parts[start:])) in tasks()), "")


def _values(text: str) -> Iterator[Any]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        yield value
        position += len(text[position:]) - len(text[position:].lstrip())

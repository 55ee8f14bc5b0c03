"""docs/reference/schema: a schema for every task and every event, and what they say of themselves."""

from __future__ import annotations

import ast
import json
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from invoke_devstack import events
from invoke_devstack.schema.answers import ANSWERS
from invoke_devstack.schema.events_schema import event_classes, reasons
from invoke_devstack.schema.exit_codes import EXIT_CODES
from invoke_devstack.schema.shapes import closed
from tests.schemas import FOLDER, check_event, tasks, validator
from tools import schema as tool

ROOT = Path(__file__).parents[2]
FILES = sorted(path.name for path in FOLDER.glob("*.json"))


def test_every_task_of_the_catalogue_has_a_schema_and_no_other_is_declared() -> None:
    prints = tool.prints()
    assert {*ANSWERS} == {name for name, kind in prints.items() if kind == "answer"}
    assert {name: entry["prints"] for name, entry in tasks().items()} == prints
    for name, entry in tasks().items():
        assert (entry["schema"] in FILES) == bool(prints[name]), name
        assert {"0", "1", "2"} <= {*entry["exit_codes"]}


def test_every_kind_of_event_has_a_schema() -> None:
    kinds = {kind.type for kind in events.Event.__subclasses__() if kind.in_json}
    assert kinds == {*event_classes()}
    assert kinds == {
        name.removeprefix("event.").removesuffix(".json") for name in FILES if name[:6] == "event."
    }
    lines = json.loads((FOLDER / "events.json").read_text("utf-8"))["oneOf"]
    assert {line["$ref"] for line in lines} == {f"event.{kind}.json" for kind in kinds}


def test_every_event_says_what_happened() -> None:
    for kind in event_classes().values():
        assert (kind.__doc__ or "").partition("\n\n")[0].rstrip().endswith("."), kind


@pytest.mark.parametrize("name", [name for name in FILES if name != "tasks.json"])
def test_every_file_is_a_schema(name: str) -> None:
    data = json.loads((FOLDER / name).read_text("utf-8"))
    assert data["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(data)


def test_the_files_and_the_page_are_as_the_code_has_them() -> None:
    for path, text in tool.files().items():
        assert path.read_text("utf-8") == text, f"run `invoke docs.schema`: {path.name}"


def test_an_event_with_one_more_member_fits_the_schema_but_not_this_version() -> None:
    event = {**events.Notice(text="x").to_json(), "more": 1}
    Draft202012Validator(json.loads((FOLDER / "event.notice.json").read_text("utf-8"))).validate(event)
    with pytest.raises(AssertionError, match="more"):
        check_event(event)


@pytest.mark.parametrize(
    "event",
    [
        {"v": 2, "type": "notice", "text": "x", "level": "info"},
        {"v": 1, "type": "notice", "text": "x", "level": "info", "service": ""},
        {"v": 2, "type": "notice", "text": 1, "level": "info", "service": ""},
        {"v": 2, "type": "notice", "text": "x", "level": "fatal", "service": ""},
    ],
)
def test_what_is_missing_or_of_another_type_is_found(event: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(json.loads((FOLDER / "event.notice.json").read_text("utf-8"))).validate(event)


def test_closing_a_schema_leaves_open_objects_open() -> None:
    data = {"properties": {"a": {"properties": {}}, "b": {"properties": {}, "additionalProperties": True}}}
    made = closed(data)
    assert made["additionalProperties"] is False
    assert made["properties"]["a"]["additionalProperties"] is False
    assert made["properties"]["b"]["additionalProperties"] is True


def test_every_reason_that_a_class_declares_is_known() -> None:
    found = set()
    for file in (ROOT / "invoke_devstack").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and any("Error" in ast.unparse(base) for base in node.bases):
                found |= {
                    str(item.value.value)
                    for item in node.body
                    if isinstance(item, ast.Assign | ast.AnnAssign)
                    and ast.unparse(item.targets[0] if isinstance(item, ast.Assign) else item.target)
                    == "reason"
                    and isinstance(item.value, ast.Constant)
                }
    assert found - {""} <= {*reasons()}


def test_the_exit_codes_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    listed = {int(word) for row in rows for word in row.replace(",", " ").split() if word.isdigit()}
    assert listed == {*EXIT_CODES}
    for code in EXIT_CODES:
        validator("exit-codes.json").validate(code)


def test_an_error_needs_no_member_beyond_its_class() -> None:
    assert {item.name for item in fields(events.Failed)} | {"v", "type"} == {
        *json.loads((FOLDER / "event.error.json").read_text("utf-8"))["required"]
    }

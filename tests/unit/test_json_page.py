"""docs/json.md is the schema of `--json`: what it says of each event, and which tasks it names."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from invoke_devstack import events
from invoke_devstack.tasks import namespace

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")
_WORDS = {
    "str": "text",
    "bytes": "text",
    "float": "number",
    "int": "number",
    "bool": "true or false",
    "int | None": "number or null",
    "tuple[str, ...]": "list of texts",
    "tuple[dict[str, Any], ...]": "list of objects",
    "Any": "anything",
}
EVENTS = sorted(
    (item for item in vars(events).values() if isinstance(item, type) and issubclass(item, events.Event)),
    key=lambda item: item.type,
)


def described(kind: type[events.Event]) -> str:
    """An event's members as the page writes them."""
    return ", ".join(f"`{item.name}` {_WORDS[str(item.type)]}" for item in fields(kind))


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = (line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `"))
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in cells}


@pytest.mark.parametrize("kind", [kind for kind in EVENTS if kind is not events.Event])
def test_every_event_is_on_the_page_with_its_members(kind: type[events.Event]) -> None:
    assert rows("Events")[kind.type][0] == described(kind)


def test_the_page_has_no_event_that_there_is_not() -> None:
    assert {*rows("Events")} == {kind.type for kind in EVENTS if kind is not events.Event}


def test_the_page_is_of_this_version_of_the_schema() -> None:
    assert f"version {events.SCHEMA_VERSION} of the schema" in PAGE
    assert events.Notice(text="x").to_json()["v"] == events.SCHEMA_VERSION


def test_every_task_that_takes_json_stands_on_the_page_as_what_it_prints() -> None:
    tasks = namespace.stack()
    for name in tasks.task_names:
        declared = tasks[name].declared
        shown = name.removesuffix(".list")
        answers, acts = shown in rows("Answers"), re.search(rf"`{re.escape(shown)}`", rows_of_acts())
        assert answers == (declared.json == "answer"), name
        assert bool(acts) == (declared.json == "events"), name


def rows_of_acts() -> str:
    """The paragraph that lists the tasks that print events."""
    return next(part for part in PAGE.split("\n\n") if part.startswith("Tasks that act"))


def test_only_tasks_that_pass_on_a_commands_own_output_have_no_json() -> None:
    tasks = namespace.stack()
    without = {name for name in tasks.task_names if not tasks[name].declared.json}
    assert without == {"exec", "run", "shell", "connect", "cp"}

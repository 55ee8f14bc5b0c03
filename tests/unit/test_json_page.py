"""docs/json.md: what is written by hand there. `test_schema.py` compares its tables of events and answers."""

from __future__ import annotations

import re
from pathlib import Path

from invoke_devstack import events
from invoke_devstack.planning.causes import CauseKind
from invoke_devstack.schema.events_schema import reasons
from invoke_devstack.tasks import namespace

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = (line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `"))
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in cells}


def test_the_page_has_every_reason() -> None:
    section = PAGE.partition("\n## Reasons\n")[2].partition("\n## ")[0]
    names = {
        name
        for row in section.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])
    }
    assert names == {*reasons()}


def test_every_kind_of_reason_is_on_the_page() -> None:
    assert {*rows("Kinds of reasons")} == {*CauseKind}


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


def test_only_tasks_that_pass_on_other_output_or_print_an_address_have_no_json() -> None:
    tasks = namespace.stack()
    without = {name for name in tasks.task_names if not tasks[name].declared.json}
    assert without == {
        "exec",
        "run",
        "attach",
        "export",
        "deploy.exec",
        "shell",
        "connect",
        "cp",
        "dashboard",
        "mcp",
    }

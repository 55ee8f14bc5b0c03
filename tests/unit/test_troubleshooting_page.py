"""docs/guides/troubleshooting.md speaks of messages that the code still has."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from invoke_devstack import stack

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guides" / "troubleshooting.md").read_text("utf-8")
HEADINGS = [line.removeprefix("### ") for line in PAGE.splitlines() if line.startswith("### ")]


@cache
def messages() -> str:
    """All texts of the code, one a line, with `…` for what is put in."""
    found = []
    for file in sorted((ROOT / "invoke_devstack").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"\{\w+\}", "…", node.value))
    return "\n".join(found)


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_message_is_in_the_code(heading: str) -> None:
    assert heading in messages()


def test_every_message_has_a_remedy_below_it() -> None:
    for heading in HEADINGS:
        remedy = PAGE.partition(f"### {heading}\n")[2].partition("\n#")[0]
        assert len(remedy.split()) > 8, heading


def test_the_page_names_tasks_that_there_are() -> None:
    names = {name.removesuffix(".list") for name in stack().task_names}
    assert {*re.findall(r"`invoke ([a-z.-]+)", PAGE)} <= names

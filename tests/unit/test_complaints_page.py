"""docs/complaints.md: each complaint is held by tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "complaints.md").read_text("utf-8")
NUMBERS = re.findall(r"^\| (\d+) \|.*$", PAGE, re.MULTILINE)
TESTS = sorted(set(re.findall(r"`(tests/\S+\.py)::(test_\w+)`", PAGE)))


def test_every_complaint_has_a_row_with_a_test() -> None:
    assert list(map(int, NUMBERS)) == [*range(1, 24)]
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize(("file", "name"), TESTS, ids=[name for _, name in TESTS])
def test_the_test_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {item.name for item in tree.body if isinstance(item, ast.FunctionDef)}

"""docs/reference/complaints.md: each complaint has a test. (`test_docs.py` checks that the tests exist.)"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "complaints.md").read_text("utf-8")
NUMBERS = re.findall(r"^\| (\d+) \|.*$", PAGE, re.MULTILINE)


def test_every_complaint_has_a_row_with_a_test() -> None:
    assert list(map(int, NUMBERS)) == [*range(1, 24)]
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    assert [row for row in rows if "::test_" not in row] == []

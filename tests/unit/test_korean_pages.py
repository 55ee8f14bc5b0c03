"""Each Korean page has the parts of its English one: the same headings in depth and order, the same code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KOREAN = ROOT / "docs/ko"
ENGLISH = {
    "README.md": ROOT / "README.md",
    "getting-started.md": ROOT / "docs/getting-started.md",
    "docker-commands.md": ROOT / "docs/guides/docker-commands.md",
}
_PART = re.compile(r"^```(\w+)\n(.*?)^```$|^(#+) ", re.MULTILINE | re.DOTALL)


def parts(page: Path) -> list[tuple[str, str]]:
    """In order: ("##", "") for a heading, (language, code without the comments for a reader) for a block."""
    return [
        (match[3], "") if match[3] else (match[1], re.sub(r"(^| +)# .*$", "", match[2], flags=re.MULTILINE))
        for match in _PART.finditer(page.read_text("utf-8"))
    ]


@pytest.mark.parametrize("name", ENGLISH)
def test_a_korean_page_has_the_parts_of_the_english_one(name: str) -> None:
    assert parts(KOREAN / name) == parts(ENGLISH[name])


def test_every_korean_page_is_compared() -> None:
    assert {page.name for page in KOREAN.glob("*.md")} == set(ENGLISH)


@pytest.mark.parametrize("name", ENGLISH)
def test_a_korean_page_is_in_korean(name: str) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`|\([^)]*\)", "", (KOREAN / name).read_text("utf-8"), flags=re.DOTALL)
    hangul, latin = (len(re.findall(letters, prose)) for letters in ("[가-힣]", "[A-Za-z]"))
    assert hangul > latin


def test_the_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 100

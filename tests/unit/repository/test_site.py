"""The pages as a site: built strictly, so that a page without a place, a dead link or a lost anchor fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.site import ROOT, parts

_FROM_ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="?(https?:[^"\s>]+)""")


@pytest.fixture(scope="module")
def site() -> Path:
    words = [sys.executable, "tools/site.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ROOT / "build/site"


def test_every_page_is_in_it(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in ROOT.glob("docs/**/*.md")}
    named = {page for page in pages if page.name != "README.html"}  # that one is the index of its folder
    assert {page for page in named if not (site / "docs" / page).is_file()} == set()


def test_a_reader_s_browser_asks_nobody_else(site: Path) -> None:
    """No font, script or picture of another server; the address of the site itself is not known."""
    pages = [page.read_text("utf-8") for page in site.rglob("*.html")]
    assert {link for page in pages for link in _FROM_ELSEWHERE.findall(page)} == set()


def test_the_parts_are_those_of_the_table_of_contents() -> None:
    contents = "[Up](../README.md)\n\n## One\n\n[A](A.md), [B](b/C.md#d)\n\n## Two\n\n[E](../tests/E.md)\n"
    assert list(parts(contents)) == [("", ["README.md"]), ("One", ["docs/A.md"]), ("Two", ["tests/E.md"])]


def test_a_link_that_leads_nowhere_fails_the_build(site: Path) -> None:
    broken = ROOT / "build/pages/docs/getting-started.md"
    whole = broken.read_text("utf-8")
    broken.write_text(f"{whole}\n[nowhere](no-such-page.md)\n", "utf-8")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", "build/mkdocs.yml"]
    words += ["--site-dir", str(ROOT / "build/broken")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    broken.write_text(whole, "utf-8")
    assert done.returncode != 0
    assert "no-such-page.md" in done.stderr

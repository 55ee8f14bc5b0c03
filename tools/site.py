"""Builds the pages as a site into build/site: `site.py`, or `site.py --serve` to read it while writing.

docs/README.md is the table of contents: its headings become the parts, its links their pages, in that order.
A page that it does not name, a link that leads nowhere and an anchor that is not there are errors.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build/pages"
CONTENTS = Path("docs/README.md")
# What the pages link to, beside each other.
BROUGHT = ("*.md", "docs/**/*", "benchmarks/*.md", "tests/*/README.md")
_PART = re.compile(r"^## (.+)$|\]\(([^)#\s]+\.md)\)", re.MULTILINE)
_OUT = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def parts(contents: str) -> Iterator[tuple[str, list[str]]]:
    """(part, pages below the repository) of the table of contents."""
    part, pages = "", list[str]()
    for match in _PART.finditer(contents):
        if match[1]:
            yield part, pages
            part, pages = match[1], []
        else:
            page = (ROOT / CONTENTS.parent / match[2]).resolve().relative_to(ROOT)
            pages.append(str(page))
    yield part, pages


def bring_pages() -> None:
    """Copies the pages, laid out as in the repository; links to its other files become plain text."""
    shutil.rmtree(PAGES, ignore_errors=True)
    found = {path for pattern in BROUGHT for path in ROOT.glob(pattern) if path.is_file()}
    for path in sorted(found):
        copy = PAGES / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            copy.write_text(_without_links_to_code(path, found), "utf-8")
        else:
            shutil.copyfile(path, copy)


def _without_links_to_code(page: Path, brought: set[Path]) -> str:
    def kept(match: re.Match[str]) -> str:
        target = (page.parent / match[1]).resolve()
        return match[0] if target in brought or not target.exists() else "]"

    return _OUT.sub(kept, page.read_text("utf-8"))


def configuration() -> Path:
    """mkdocs.yml with the navigation in it; the path of the copy."""
    nav: list[object] = ["README.md", str(CONTENTS)]
    nav += [{part: pages} for part, pages in parts((ROOT / CONTENTS).read_text("utf-8")) if part]
    file = ROOT / "build/mkdocs.yml"
    text = (ROOT / "mkdocs.yml").read_text("utf-8").replace("build/", "")
    file.write_text(text + yaml.safe_dump({"nav": nav}, allow_unicode=True, sort_keys=False), "utf-8")
    return file


def main(serve: bool) -> int:
    """The exit code of MkDocs."""
    bring_pages()
    words = ["serve"] if serve else ["build"]
    command = [sys.executable, "-m", "mkdocs", *words, "--strict", "--config-file", str(configuration())]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement, before each build
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(serve="--serve" in sys.argv[1:]))

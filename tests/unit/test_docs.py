"""The documentation: its links lead somewhere, and the files, functions and tests that it names exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("tests/*/README.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
# Folders in which a page may start a path: `running/session.py`, `unit/planning/test_graph.py`.
FOLDERS = (ROOT, ROOT / "invoke_devstack", ROOT / "tests")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMED = re.compile(r"`([\w./-]+\.py)?(?:::(\w+)(?:\.\w+)?(?:\(\))?)?`")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def identity(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that GitHub makes of a page's headings."""
    titles = (line.lstrip("#").strip().lower() for line in text_of(page).splitlines() if line.startswith("#"))
    return frozenset(re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles)


@pytest.mark.parametrize("page", PAGES, ids=identity)
def test_every_link_has_a_target(page: Path) -> None:
    for link in _LINK.findall(text_of(page)):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def named(page: Path) -> Iterator[tuple[str, str]]:
    """(file, name) of each `file.py`, `file.py::name` and `::name` (of the file before it) on a page."""
    file = ""
    for match in _NAMED.finditer(text_of(page)):
        if match[0] == "``" or not (match[1] or match[2]):
            continue
        file = match[1] or file
        yield file, match[2] or ""


@cache
def names_in(file: Path) -> frozenset[str]:
    """The functions, methods, classes and variables that a module defines."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return frozenset(found)


@pytest.mark.parametrize("page", PAGES, ids=identity)
def test_every_file_function_and_test_it_names_exists(page: Path) -> None:
    for path, name in named(page):
        if "/" not in path and not name:
            continue  # a file of the reader's own, or one in the folder that the sentence is about
        files = [folder / path for folder in FOLDERS if (folder / path).is_file()]
        assert files, path
        assert not name or name in names_in(files[0]), f"{path}::{name}"


def test_every_room_and_subroom_is_in_the_architecture() -> None:
    page = text_of(ROOT / "docs/architecture.md")
    package = ROOT / "invoke_devstack"
    rooms = {path.parent.relative_to(package) for path in package.rglob("__init__.py")} - {Path()}
    assert [f"{room}/" for room in sorted(rooms) if f"`{room}/" not in page] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "guides" not in page.parts], ids=identity)
def test_every_folder_of_the_package_it_names_exists(page: Path) -> None:
    rooms = "testing|tasks|setup|console|running|engine|planning|definition"
    named = re.findall(rf"`((?:{rooms})/(?:\w+/)*)`", text_of(page))
    assert [folder for folder in named if not (ROOT / "invoke_devstack" / folder).is_dir()] == []


def test_every_page_that_the_code_names_exists() -> None:
    files = [*ROOT.glob("invoke_devstack/**/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "tasks.py"]
    named = {page for file in files for page in re.findall(r"\bdocs/[a-z/-]+\.md\b", file.read_text("utf-8"))}
    assert [page for page in sorted(named) if not (ROOT / page).is_file()] == []

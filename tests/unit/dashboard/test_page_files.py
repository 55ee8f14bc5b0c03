"""What the files of the page must be: in two languages, nothing from elsewhere, no markup made of data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import invoke_devstack.dashboard

STATIC = Path(invoke_devstack.dashboard.__file__).parent / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
FILES = sorted(file for file in STATIC.rglob("*") if file.suffix in {".js", ".css", ".html"})
KOREAN = sorted((STATIC / "languages").glob("korean*.js"))
SENTENCE = re.compile(r'(?<![\w.])(?:t\(|help: |(?:Label|title): )"((?:[^"\\]|\\.)+)"')
ENTRY = re.compile(r'^  (?:"([^"]+)"|(\w+)): "', re.MULTILINE)
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function")


def test_every_sentence_of_the_page_is_in_korean_too() -> None:
    korean = {long or short for file in KOREAN for long, short in ENTRY.findall(file.read_text())}
    said = {text for file in SCRIPTS for text in SENTENCE.findall(file.read_text())}
    assert len(said) > 200
    assert sorted(said - korean) == []


def test_a_translation_keeps_the_places_of_its_values() -> None:
    texts = [file.read_text() for file in KOREAN]
    pairs = [pair for text in texts for pair in re.findall(r'^  "([^"]+)": "([^"]+)"', text, re.MULTILINE)]
    wrong = [one for one, two in pairs if set(re.findall(r"{\w+}", one)) != set(re.findall(r"{\w+}", two))]
    assert wrong == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(STATIC)))
def test_a_file_loads_nothing_from_elsewhere_and_makes_no_markup(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"""["'(]https?://|["'(]//""", text)
    assert not MARKUP.search(text)
    assert len(text.splitlines()) <= 400


def test_the_document_has_no_script_or_style_of_its_own() -> None:
    text = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|style=|<script(?![^>]* src=)|\son\w+=", text)


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: str(file.relative_to(STATIC)))
def test_a_module_imports_only_what_is_there(file: Path) -> None:
    for path in re.findall(r'(?:from|import) "(\.[^"]+)"', file.read_text()):
        assert (file.parent / path).is_file(), path


def test_no_folder_of_the_page_has_more_than_fifteen_modules() -> None:
    folders = [file.parent for file in SCRIPTS]
    assert len(set(folders)) >= 4
    assert max(folders.count(folder) for folder in folders) <= 15

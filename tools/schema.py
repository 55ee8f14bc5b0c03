"""Writes docs/reference/schema, the schemas of `--json`, and the tables of docs/json.md.

`python tools/schema.py` writes them, `--check` fails if one is out of date. The declarations are the classes
of `invoke_devstack/events.py` and `invoke_devstack/schema/answers.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from invoke_devstack.schema.answers import ANSWERS, Answer
from invoke_devstack.schema.events_schema import event_classes, meaning_of, members_of
from invoke_devstack.schema.files import every_file
from invoke_devstack.schema.shapes import Shape
from invoke_devstack.tasks.catalogue import every
from invoke_devstack.tasks.menu import menu

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference" / "schema"
PAGE = ROOT / "docs" / "json.md"
LINKS = {"kind of reason": "#kinds-of-reasons", "Reasons": "#reasons"}
"""Words in the meaning of an event that lead to another part of the page."""


def prints() -> dict[str, str]:
    """Full name -> what `--json` prints, of all tasks."""
    return {name: declared.json for name, declared in {**every(), menu.name: menu}.items()}


def files() -> dict[Path, str]:
    """Path -> text of all that this tool writes. Ends the program for a task without a declaration."""
    missing = [name for name, kind in prints().items() if kind == "answer" and name not in ANSWERS]
    if missing:
        sys.exit(f"declare what they answer in invoke_devstack/schema/answers.py: {', '.join(missing)}")
    schemas = {FOLDER / name: text for name, text in every_file(prints()).items()}
    return {**schemas, PAGE: page(PAGE.read_text("utf-8"))}


def page(text: str) -> str:
    """docs/json.md with its tables of events and answers."""
    return _with_table(_with_table(text, "Events", _events()), "Answers", _answers())


def _with_table(text: str, heading: str, rows: str) -> str:
    before, mark, rest = text.partition(f"\n## {heading}\n")
    lead, bar, _ = rest.partition("| ")
    following = rest.partition("\n## ")[2]
    assert mark and bar and following, f"no table below {heading}"
    return f"{before}{mark}{lead}{rows}\n## {following}"


def _events() -> str:
    rows = [
        f"| `{name}` | {_members(members_of(kind))} | {_linked(meaning_of(kind))} |"
        for name, kind in event_classes().items()
    ]
    return "\n".join(
        ["| type | members beside `v` and `type` | what happened |", "| --- | --- | --- |", *rows, ""]
    )


def _answers() -> str:
    rows = [
        f"| `{name}` | {answer.form} | {_of_answer(answer)} | {answer.meaning} |"
        for name, answer in ANSWERS.items()
    ]
    return "\n".join(["| task | JSON | members | each is |", "| --- | --- | --- | --- |", *rows, ""])


def _of_answer(answer: Answer) -> str:
    return _members(answer.members)


def _members(members: Mapping[str, Shape]) -> str:
    return ", ".join(f"`{name}` {shape.words}" for name, shape in members.items())


def _linked(text: str) -> str:
    for words, target in LINKS.items():
        text = text.replace(words, f"[{words}]({target})")
    return text


def main(words: list[str]) -> int:
    """Writes or checks. Returns 1 if `--check` finds a file that is out of date."""
    wanted = files()
    extra = {path for path in FOLDER.glob("*.json") if path not in wanted}
    if "--check" not in words:
        FOLDER.mkdir(exist_ok=True)
        for path, text in wanted.items():
            path.write_text(text, "utf-8")
        for path in extra:
            path.unlink()
        return 0
    old = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in sorted({*old, *extra}):
        print(f"{path.relative_to(ROOT)} is out of date: run `invoke docs.schema`")  # noqa: T201 - its answer
    return 1 if old or extra else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

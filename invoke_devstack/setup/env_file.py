"""Creates `.env` from `.env.example`, or adds the variables that it lacks.

Existing lines of `.env` stay as they are. A variable gets the example's default. If its comment (the line
above it, or the rest of its line) starts with `generate`, it gets a random value, with as many characters as
a number after that word says. If it has no default, the user is asked.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.definition.syntax.dotenv import DECLARATION, quote
from invoke_devstack.events import Emit
from invoke_devstack.local_files.reading import read_text
from invoke_devstack.local_files.replacing import replace_text, with_line_ends_of
from invoke_devstack.setup.reporting import Questions, say

EXAMPLE = ".env.example"
GENERATED_LENGTH = 32
_COMMENTED_OUT = re.compile(r"^\s*#\s*(?P<name>[A-Za-z_]\w*)=")
_GENERATE = re.compile(r"^generate[d]?\b\D*(?P<length>\d+)?", re.IGNORECASE)
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable of the example. `line` is its line; `generate` is the number of random characters, 0 for
    none."""

    name: str
    value: str
    line: str
    comments: tuple[str, ...] = ()
    generate: int = 0

    def with_value(self, value: str) -> str:
        """Its line with another value."""
        return f"{self.line.partition('=')[0]}={quote(value)}"


def read_example(text: str) -> tuple[Entry, ...]:
    """The variables of an example with the comments above each."""
    found: list[Entry] = []
    comments: list[str] = []
    for line in text.splitlines():
        assignment = DECLARATION.match(line)
        if assignment and assignment["separator"] == "=":
            value, comment = _split_comment(assignment["value"])
            found.append(Entry(assignment["name"], value, line, tuple(comments), _length(comments, comment)))
        comments = [*comments, line.strip()] if line.lstrip().startswith("#") else []
    return tuple(found)


def _split_comment(rest: str) -> tuple[str, str]:
    value = rest.strip()
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        return value[: end + 1], value[end + 1 :].lstrip(" #")
    if value.startswith("#"):
        return "", value.lstrip("# ")
    plain, _, comment = value.partition(" #")
    return plain.strip(), comment.strip()


def _length(above: list[str], beside: str) -> int:
    for comment in (beside, above[-1].lstrip("# ") if above else ""):
        marked = _GENERATE.match(comment)
        if marked:
            return int(marked["length"] or GENERATED_LENGTH)
    return 0


def variable_names(text: str) -> frozenset[str]:
    """The variables that a `.env` file sets."""
    return frozenset(match["name"] for line in text.splitlines() if (match := DECLARATION.match(line)))


def optional_names(example: str) -> frozenset[str]:
    """The variables that an example has in a comment, `# NAME=value`: known, but optional."""
    return frozenset(match["name"] for line in example.splitlines() if (match := _COMMENTED_OUT.match(line)))


def write_env_file(directory: Path, emit: Emit, questions: Questions) -> tuple[str, ...]:
    """Creates or completes `.env` in `directory`. Returns the variables that it added. Those that have no
    default and could not be asked for are empty, with a warning. Raises FileError if a file cannot be read or
    written, and then `.env` is as it was."""
    example = directory / EXAMPLE
    if not example.is_file():
        return ()
    text = read_text(example)
    target = directory / ".env"
    there = read_text(target) if target.exists() else None
    missing = [entry for entry in read_example(text) if entry.name not in variable_names(there or "")]
    if there is not None and not missing:
        return ()
    lines = {entry.line: _line(entry, questions) for entry in missing}
    content = _filled(text, lines) if there is None else _completed(there, missing, lines)
    replace_text(target, content)
    _tell(emit, there is None, missing, lines)
    return tuple(entry.name for entry in missing)


def _line(entry: Entry, questions: Questions) -> str:
    if entry.generate:
        return entry.with_value("".join(secrets.choice(_ALPHABET) for _ in range(entry.generate)))
    if entry.value or questions.ask is None or questions.assume_yes:
        return entry.line
    about = " ".join(comment.lstrip("# ") for comment in entry.comments)
    answer = questions.ask(f"{entry.name}{f' ({about})' if about else ''}:").strip()
    return entry.with_value(answer) if answer else entry.line


def _filled(example: str, lines: dict[str, str]) -> str:
    return "".join(f"{lines.get(line, line)}\n" for line in example.splitlines())


def _completed(there: str, missing: Iterable[Entry], lines: dict[str, str]) -> str:
    kept = there if not there or there.endswith("\n") else there + with_line_ends_of(there, "\n")
    added = ["", f"# Added from {EXAMPLE}:"]
    for entry in missing:
        added += [*entry.comments, lines[entry.line]]
    return kept + with_line_ends_of(there, "".join(f"{line}\n" for line in added))


def _tell(emit: Emit, is_new: bool, added: Iterable[Entry], lines: dict[str, str]) -> None:
    if is_new:
        say(emit, f"Created .env from {EXAMPLE}.")
    else:
        say(emit, f"Added to .env from {EXAMPLE}: {', '.join(entry.name for entry in added)}.")
    empty = [entry.name for entry in added if not entry.value and lines[entry.line] == entry.line]
    if empty:
        say(emit, f".env has no value for {', '.join(empty)}: fill it in.", level="warning")

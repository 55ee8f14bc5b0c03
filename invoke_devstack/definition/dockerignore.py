"""Docker's ignore rules: which paths below a build context, or below a watched path, do not count.

The rules are those of the `.dockerignore` reference (https://docs.docker.com/build/concepts/context/#dockerignore-files):
patterns as Go's `filepath.Match`, `**` for any number of directories, a later pattern wins over an
earlier one, `!` brings back, and a pattern that matches a directory matches all that is in it.
Paths are relative, with slashes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from invoke_devstack.errors import DefinitionError, Position

_IGNORE_FILE = ".dockerignore"


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    brings_back: bool
    expression: re.Pattern[str]


class IgnoreRules:
    """Patterns in their order. Raises DefinitionError for one that Docker would refuse."""

    def __init__(self, patterns: Iterable[str], *, file: Path | None = None) -> None:
        """`file` is where the patterns were read, for the message of an error."""
        self._patterns = tuple(_compile(text, file) for text in _cleaned(patterns))
        self._brings_back = tuple(item.text for item in self._patterns if item.brings_back)
        self._decide = lru_cache(maxsize=4096)(self._matches)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The cleaned patterns, `!` in front of those that bring back."""
        return tuple(f"!{item.text}" if item.brings_back else item.text for item in self._patterns)

    def matches(self, path: str) -> bool:
        """Whether `path`, or a directory that it is in, is matched by the last pattern that has a say."""
        return bool(self._patterns) and self._decide(path)

    def matches_whole(self, directory: str) -> bool:
        """Whether all that is in `directory` is matched too, so that nobody need look into it."""
        return self.matches(directory) and not any(
            _may_be_below(text, directory) for text in self._brings_back
        )

    def _matches(self, path: str) -> bool:
        matched = False
        ways = (path, *_parents(path))
        for pattern in self._patterns:
            if pattern.brings_back is matched and any(pattern.expression.match(way) for way in ways):
                matched = not pattern.brings_back
        return matched


def read_patterns(text: str) -> tuple[str, ...]:
    """The patterns of an ignore file: no comments, no empty lines, no byte order mark."""
    lines = text.removeprefix("\ufeff").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def find_ignore_file(context: Path, dockerfile: str = "Dockerfile") -> Path | None:
    """The file whose rules hold for a build: `<Dockerfile>.dockerignore` beside the Dockerfile (a
    path, absolute or below `context`), else the context's `.dockerignore`; None where neither is."""
    own = context / f"{dockerfile or 'Dockerfile'}{_IGNORE_FILE}"
    for candidate in (own, context / _IGNORE_FILE):
        if candidate.is_file():
            return candidate
    return None


def rules_of_context(context: Path, dockerfile: str = "Dockerfile") -> IgnoreRules:
    """The rules for a build of `context`. Raises DefinitionError for a bad pattern or unreadable file."""
    file = find_ignore_file(context, dockerfile)
    if file is None:
        return IgnoreRules(())
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise DefinitionError(
            f"the ignore file cannot be read: {error.strerror}", position=Position(file)
        ) from error
    return IgnoreRules(read_patterns(text), file=file)


def _cleaned(patterns: Iterable[str]) -> Iterable[str]:
    for raw in patterns:
        text = raw.strip()
        brings_back = text.startswith("!")
        body = text[1:].strip() if brings_back else text
        if body:
            body = posixpath.normpath(body).lstrip("/") or "."
        if text:
            yield f"!{body}" if brings_back else body


def _compile(text: str, file: Path | None) -> _Pattern:
    brings_back = text.startswith("!")
    body = text[1:] if brings_back else text
    try:
        if not body:
            raise ValueError("nothing after `!`")
        return _Pattern(body, brings_back, re.compile(_expression(body), re.DOTALL))
    except (ValueError, re.error) as error:
        raise DefinitionError(
            f"the ignore pattern `{text}` is not valid: {error}",
            hint="Patterns are those of a .dockerignore: `*`, `?`, `[a-z]`, `**`, and `!` to bring back.",
            position=Position(file) if file else None,
        ) from error


def _expression(pattern: str) -> str:
    """A regular expression for the whole of a path."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        piece, at = _translate(pattern, at)
        parts.append(piece)
    return "".join(parts) + r"\Z"


def _translate(pattern: str, at: int) -> tuple[str, int]:
    """The expression of what stands at `at`, and where the next piece begins."""
    char = pattern[at]
    if pattern.startswith("**", at):
        after = at + 2 + (pattern[at + 2 : at + 3] == "/")
        return (".*" if after >= len(pattern) else "(?:.*/)?"), after
    if char == "*":
        return "[^/]*", at + 1
    if char == "?":
        return "[^/]", at + 1
    if char == "[":
        return _character_class(pattern, at)
    if char == "\\":
        if at + 1 == len(pattern):
            raise ValueError("a backslash at the end")
        return re.escape(pattern[at + 1]), at + 2
    return re.escape(char), at + 1


def _character_class(pattern: str, at: int) -> tuple[str, int]:
    end = pattern.find("]", at + 2)
    if end < 0:
        raise ValueError("`[` without `]`")
    inside = pattern[at + 1 : end]
    negation = "^" if inside.startswith("^") else ""
    members = inside.removeprefix("^").replace("[", r"\[").replace("&&", r"\&\&")
    return f"[{negation}{members}]", end + 1


def _parents(path: str) -> Sequence[str]:
    """The directories that `path` is in, outermost first, without the root."""
    pieces = path.split("/")
    return ["/".join(pieces[:count]) for count in range(1, len(pieces))]


def _may_be_below(pattern: str, directory: str) -> bool:
    """Whether something below `directory` could match: their pieces agree as far as both go."""
    for wanted, piece in zip(pattern.split("/"), directory.split("/"), strict=False):
        if wanted == "**":
            return True
        if not re.match(_expression(wanted), piece):
            return False
    return True

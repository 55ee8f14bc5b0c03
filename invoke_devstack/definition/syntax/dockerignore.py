"""Which files a `.dockerignore` leaves out, by Docker's rules
(https://docs.docker.com/build/concepts/context/#dockerignore-files). Builds and the watch both use this.

Paths are relative to the context, with forward slashes. The rules differ from those of `.gitignore`: a
pattern without a slash matches only at the top level, the last match decides, and an exception includes a
file even inside an ignored folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from posixpath import normpath

from invoke_devstack.errors import DefinitionError, FileError, Position
from invoke_devstack.local_files.reading import read_bytes
from invoke_devstack.records import record

IGNORE_FILE = ".dockerignore"
_Match = Callable[[str], bool]


@record
class _Pattern:
    text: str
    exception: bool  # written with `!`
    match: _Match

    def may_match_in(self, folder: str) -> bool:
        """Whether something inside the folder, at any depth, can match."""
        wanted, given = self.text.split("/"), folder.split("/")
        for index, name in enumerate(given):
            if index == len(wanted):
                return False
            if "**" in wanted[index]:
                return True
            if not re.fullmatch(_expression(wanted[index]), name, re.DOTALL):
                return False
        return len(wanted) > len(given)


class Ignore:
    """The patterns of one ignore file, or of `ignore:` in `develop.watch`."""

    def __init__(self, patterns: Iterable[str] = (), *, file: Path | None = None) -> None:
        """Raises DefinitionError for an invalid pattern; `file` is for its position, and for `reason`."""
        self._source = file.name if file else "`ignore`"
        cleaned = (_clean(line, file) for line in patterns)
        self._patterns = tuple(_compile(text, exception, file) for text, exception in cleaned if text)
        self._exceptions = tuple(pattern for pattern in self._patterns if pattern.exception)

    @classmethod
    def parse(cls, text: str, *, file: Path | None = None) -> Ignore:
        """The patterns of an ignore file's text: one a line; a line that starts with `#` is a comment."""
        lines = text.removeprefix("\ufeff").splitlines()
        return cls((line for line in lines if not line.startswith("#")), file=file)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def ignores(self, path: str) -> bool:
        """Whether the file or folder is left out: a pattern matches it, or a folder that it is in."""
        return self._deciding(path) is not None

    def reason(self, path: str) -> str:
        """What leaves `path` out: "`*.pyc` in .dockerignore"; "" if nothing does."""
        pattern = self._deciding(path)
        return f"`{pattern.text}` in {self._source}" if pattern else ""

    def _deciding(self, path: str) -> _Pattern | None:
        """The pattern that leaves the path out."""
        parts = path.split("/")
        names = [path, *("/".join(parts[:end]) for end in range(1, len(parts)))]
        deciding: _Pattern | None = None
        for pattern in self._patterns:
            if pattern.exception == (deciding is not None) and any(map(pattern.match, names)):
                deciding = None if pattern.exception else pattern
        return deciding

    def ignores_all_in(self, folder: str) -> bool:
        """Whether an ignored folder has no exceptions inside, so that it need not be read."""
        return self.ignores(folder) and not any(item.may_match_in(folder) for item in self._exceptions)


def read_ignore(context: Path, dockerfile: Path | None = None) -> Ignore:
    """The patterns for a build of `context`: of `NAME.dockerignore` beside the Dockerfile NAME, else of
    `.dockerignore` in the context, else none."""
    candidates = [context / IGNORE_FILE]
    if dockerfile is not None:
        candidates.insert(0, dockerfile.with_name(f"{dockerfile.name}{IGNORE_FILE}"))
    for file in candidates:
        if file.exists() and not file.is_dir():
            return Ignore.parse(_text_of(file), file=file)
    return Ignore()


def _text_of(file: Path) -> str:
    """Builders read the file themselves, and would wait for a pipe. Raises DefinitionError."""
    if not file.is_file():
        text = f"{file.name} is a pipe, a socket or a device"
        raise DefinitionError(text, hint="Put a file in its place.", position=Position(file))
    try:
        return read_bytes(file).decode("utf-8", "replace")
    except FileError as error:
        raise DefinitionError(error.message, hint=error.hint, position=Position(file)) from None


def _clean(line: str, file: Path | None) -> tuple[str, bool]:
    """(pattern, whether it is an exception), cleaned as Go's filepath.Clean does; "" for nothing."""
    text = line.strip()
    exception = text.startswith("!")
    if exception:
        text = text[1:].strip()
        if not text:
            raise DefinitionError(
                "`!` without a pattern",
                hint="Write a pattern after it: `!keep.txt`",
                position=Position(file) if file else None,
            )
    if not text:
        return "", exception
    text = normpath(text.replace("//", "/"))
    return text.lstrip("/") if len(text) > 1 else text, exception


def _compile(text: str, exception: bool, file: Path | None) -> _Pattern:
    if text.startswith("**") and not re.search(r"[*?\[\]\\]", text[2:]):
        return _Pattern(text, exception, _ends_with(text[2:]))
    if not re.search(r"[*?\[\]\\]", text):
        return _Pattern(text, exception, text.__eq__)
    try:
        expression = re.compile(_expression(text), re.DOTALL)
    except re.error as error:
        raise DefinitionError(
            f"invalid pattern `{text}`: {error}",
            hint="Put a backslash before a literal bracket.",
            position=Position(file) if file else None,
        ) from error
    return _Pattern(text, exception, lambda path: expression.fullmatch(path) is not None)


def _ends_with(suffix: str) -> _Match:
    """`**/x` is any x at any depth; `**x` any path that ends with x."""
    return lambda path: path.endswith(suffix) or (suffix.startswith("/") and path == suffix[1:])


def _expression(text: str) -> str:
    """The regular expression of a pattern: `*` and `?` stay within a name, `**/` is any number of folders."""
    result: list[str] = []
    tokens = re.finditer(r"\*\*/?|\*|\?|\\.|\[\^?\]?[^\]]*\]|.", text, re.DOTALL)
    for token in (match[0] for match in tokens):
        if token.startswith("**"):
            result.append("(.*/)?" if not text.endswith(token) or token == "**/" else ".*")
        elif token == "*":
            result.append("[^/]*")
        elif token == "?":
            result.append("[^/]")
        elif token.startswith("[") and len(token) > 1:
            result.append(token)
        elif token.startswith("\\") and len(token) > 1:
            result.append(re.escape(token[1:]))
        else:
            result.append(re.escape(token) if token != "[" else token)
    return "".join(result)

"""`.env` files, as Docker Compose reads them.

Not python-dotenv: Compose also accepts `KEY: value`, a key alone (its value comes from the environment),
all forms of `${…}`, and quotes across lines with Go's escapes; and it refuses what python-dotenv skips.
A stack must get the same values as under `docker compose`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from invoke_devstack.definition.syntax.template import DOUBLING, TemplateError, substitute
from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.late_patterns import late
from invoke_devstack.local_files.reading import LARGEST, read_bytes
from invoke_devstack.secrets import looks_secret

Lookup = Callable[[str], str | None]
OnBlank = Callable[[str, Position], object]
"""Gets the name of a variable that is set nowhere, and where a value uses it."""

_SPACES = " \t\v\f\r\x85\xa0"
_BLANK = late(r"\s*")
_INDENT = late(f"[{_SPACES}]*")
_EXPORT = late(rf"(?:export\s+[{_SPACES}]*)?")
_ESCAPE = late(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})')
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
_BARE = late(r"[A-Za-z0-9_./:@%+,-]*")
DECLARATION = late(
    r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*(?:(?P<separator>[=:])(?P<value>.*))?$"
)
"""A line that declares a variable, for those who edit a file or point into it. `value` is not unquoted."""


def quote(value: str) -> str:
    """The value as Compose, python-dotenv and shells all read it from a `.env` file."""
    if _BARE.fullmatch(value):
        return value
    if not {"'", "\\"} & set(value):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def read_env_file(
    path: Path, lookup: Lookup, known: Mapping[str, str] | None = None, on_blank: OnBlank | None = None
) -> dict[str, str]:
    """The variables of a file. Its values can refer to what `lookup` gives, then to the file's own variables.

    `known` are variables of files that were read before; values can refer to them too. Raises
    DefinitionError with the line of what is invalid, FileError if the file cannot be read.
    """
    return parse_env(_read(path), path, lookup, known, on_blank)


def parse_env(
    content: str,
    path: Path,
    lookup: Lookup,
    known: Mapping[str, str] | None = None,
    on_blank: OnBlank | None = None,
) -> dict[str, str]:
    """The variables of a file's content; see `read_env_file`."""
    return _Parser(content, path, lookup, dict(known or {}), on_blank).parse()


def read_raw_env_file(path: Path, lookup: Lookup) -> dict[str, str]:
    """The variables of an `env_file` with `format: raw`: whole lines, without quotes and substitution.

    The value of a key alone comes from `lookup`. Raises DefinitionError for a key with a space in it,
    FileError if the file cannot be read.
    """
    result: dict[str, str] = {}
    for number, line in enumerate(_read(path).split("\n"), 1):
        name, equals, value = line.removesuffix("\r").lstrip().partition("=")
        if name.startswith("#") or not (name or equals):
            continue
        if not name or set(name) & set(" \t"):
            message = "invalid variable name"
            raise DefinitionError(message, hint="Write KEY=value.", position=Position(path, number))
        found = value if equals else lookup(name)
        if found is not None:
            result[name] = found
    return result


def _read(path: Path) -> str:
    return read_bytes(path).decode("utf-8-sig", "replace")


class _Parser:
    """Its errors quote no line: what is not read as a key may be a piece of a secret."""

    def __init__(
        self, content: str, path: Path, lookup: Lookup, values: dict[str, str], on_blank: OnBlank | None
    ) -> None:
        self.content = content
        self.at = 0  # what is before it has been read
        self.start = 0  # of the current statement
        self.path = path
        self.lookup = lookup
        self.values = values
        self.on_blank = on_blank
        self.key = ""  # of the current statement
        self.expanded = 0  # characters of all values

    def parse(self) -> dict[str, str]:
        while self._skip_to_statement():
            key, alone = self._key()
            self.key = key
            if " " in key:
                raise self._fail("a key contains a space", "Write KEY=value.")
            if alone:
                value = self.lookup(key)
                if value is not None:
                    self.values[key] = value
            else:
                self.values[key] = self._value()
        return self.values

    def _skip(self, pattern: re.Pattern[str]) -> None:
        """Moves on past what matches the pattern, which may be nothing."""
        match = pattern.match(self.content, self.at)
        self.at = match.end() if match else self.at

    def _line(self) -> str:
        """The rest of the line, without moving on."""
        end = self.content.find("\n", self.at)
        return self.content[self.at : len(self.content) if end < 0 else end]

    def _skip_to_statement(self) -> bool:
        while True:
            self._skip(_BLANK)
            if not self.content.startswith("#", self.at):
                self.start = self.at
                return self.at < len(self.content)
            self.at += len(self._line())

    def _key(self) -> tuple[str, bool]:
        """The next key, and whether it is alone on its line."""
        self._skip(_EXPORT)
        if self.at == len(self.content):
            if self.content.endswith("\n"):  # as for Compose
                return "", True
            raise self._fail("`export` without a key", "Write export KEY=value.")
        for index in range(self.at, len(self.content)):
            character = self.content[index]
            if character in "=:\n":
                key, self.at = self.content[self.at : index].rstrip(), index + 1
                self._skip(_INDENT)
                return key, character == "\n"
            if character not in _SPACES and character not in "_.-[]" and not _is_alphanumeric(character):
                raise self._fail(f"unexpected character `{character}` in a key", "Write KEY=value.")
        key, self.at = self.content[self.at :].rstrip(), len(self.content)
        return key, True

    def _value(self) -> str:
        quote = self.content[self.at : self.at + 1]
        if quote not in ("'", '"'):
            line = self._line()
            self.at += len(line) + 1
            return self._expand(line.partition(" #")[0].rstrip())
        value = self._quoted(quote)
        return self._expand(_unescape(value)) if quote == '"' else value

    def _quoted(self, quote: str) -> str:
        value, escaped = "", False
        for index in range(self.at + 1, len(self.content)):
            character = self.content[index]
            if character == quote and not escaped:
                self.at = index + 1
                return value
            if character == "\\" and not escaped:
                escaped = True
                continue
            value += f"\\{character}" if escaped and character != quote else character
            escaped = False
        raise self._fail("unclosed quote", f"Add the closing {quote}.")

    def _expand(self, value: str) -> str:
        try:
            expanded = substitute(value, lambda name: self._known(name), on_blank=self._tell_blank)
        except TemplateError as error:
            raise self._fail(str(error), error.hint) from None
        self.expanded += len(expanded)
        if self.expanded > LARGEST:
            raise self._fail(f"the values are larger than {LARGEST >> 20} MB in total", DOUBLING)
        return expanded

    def _known(self, name: str) -> str | None:
        value = self.lookup(name)
        return self.values.get(name) if value is None else value

    def _tell_blank(self, name: str) -> None:
        """What follows a `$` in a password is no variable but a piece of it."""
        if self.on_blank is not None:
            self.on_blank(f"a variable in {self.key}" if looks_secret(self.key) else name, self._position())

    def _position(self) -> Position:
        return Position(self.path, self.content.count("\n", 0, self.start) + 1)

    def _fail(self, message: str, hint: str) -> DefinitionError:
        return DefinitionError(message, hint=hint, position=self._position())


def _is_alphanumeric(character: str) -> bool:
    return character.isalpha() or character.isnumeric()


def _unescape(value: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        code = match[0][1:]
        if code == "$":
            return "$$"
        if code[0] == "0":
            return chr(int(code[1:], 8)) if re.fullmatch("0[0-3][0-7]{2}", code) else match[0]
        return _ESCAPED.get(code, match[0])

    return _ESCAPE.sub(replacement, value)

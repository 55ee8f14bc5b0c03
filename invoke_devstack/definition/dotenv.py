"""`.env` files, as Docker Compose reads them.

Not python-dotenv: Compose also takes `KEY: value`, a key alone (its value comes from the environment),
all forms of `${…}` with those of `template`, and quotes across lines with Go's escapes; and it refuses
what python-dotenv skips. A stack must not get other values than under `docker compose`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from invoke_devstack.definition.template import TemplateError, substitute
from invoke_devstack.errors import DefinitionError, Position

Lookup = Callable[[str], str | None]

_SPACES = " \t\v\f\r\x85\xa0"
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})')
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


def read_env_file(path: Path, lookup: Lookup, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a file. `lookup` gives those that its values refer to, before its own ones.

    `known` are variables of files that were read before; a value may refer to them too. Raises
    DefinitionError with the line of what cannot be read.
    """
    return parse_env(_read(path), path, lookup, known)


def parse_env(
    content: str, path: Path, lookup: Lookup, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The variables of a file's content; see `read_env_file`."""
    return _Parser(content, path, lookup, dict(known or {})).parse()


def read_raw_env_file(path: Path, lookup: Lookup) -> dict[str, str]:
    """The variables of an `env_file` with `format: raw`: whole lines, nothing quoted or replaced.

    A key alone has its value from `lookup`. Raises DefinitionError for a key with a space in it.
    """
    result: dict[str, str] = {}
    for number, line in enumerate(_read(path).split("\n"), 1):
        name, equals, value = line.removesuffix("\r").lstrip().partition("=")
        if name.startswith("#") or not (name or equals):
            continue
        if not name or set(name) & set(" \t"):
            message = f"`{name}` is no variable name"
            raise DefinitionError(message, hint="Write KEY=value.", position=Position(path, number))
        found = value if equals else lookup(name)
        if found is not None:
            result[name] = found
    return result


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise DefinitionError(
            f"cannot read the env file {path}: {error.strerror}",
            hint="Make the file, or take it out of the definition.",
            position=Position(path),
        ) from None


class _Parser:
    def __init__(self, content: str, path: Path, lookup: Lookup, values: dict[str, str]) -> None:
        self.rest = content
        self.content = content
        self.start = 0  # of the statement that is being read
        self.path = path
        self.lookup = lookup
        self.values = values

    def parse(self) -> dict[str, str]:
        while self._skip_to_statement():
            key, alone = self._key()
            if " " in key:
                raise self._fail("a key cannot contain a space", "Write KEY=value.")
            if alone:
                value = self.lookup(key)
                if value is not None:
                    self.values[key] = value
            else:
                self.values[key] = self._value()
        return self.values

    def _skip_to_statement(self) -> bool:
        while True:
            self.rest = self.rest.lstrip()
            if not self.rest.startswith("#"):
                self.start = len(self.content) - len(self.rest)
                return bool(self.rest)
            _, _, self.rest = self.rest.partition("\n")

    def _key(self) -> tuple[str, bool]:
        """The next key, and whether it stands alone on its line."""
        exported = re.match(r"export\s+", self.rest)
        source = self.rest.removeprefix("export").lstrip(_SPACES) if exported else self.rest
        if not source:
            raise self._fail("`export` without a key", "Write export KEY=value.")
        for index, character in enumerate(source):
            if character in "=:\n":
                self.rest = source[index + 1 :].lstrip(_SPACES)
                return source[:index].rstrip(), character == "\n"
            if character not in _SPACES and character not in "_.-[]" and not _is_alphanumeric(character):
                name = source.split("\n", 1)[0]
                raise self._fail(f"unexpected character `{character}` in `{name}`", "Write KEY=value.")
        self.rest = ""
        return source.rstrip(), True

    def _value(self) -> str:
        quote = self.rest[:1]
        if quote not in ("'", '"') or not quote:
            value, _, self.rest = self.rest.partition("\n")
            return self._expand(value.partition(" #")[0].rstrip())
        value = self._quoted(quote)
        return self._expand(_unescape(value)) if quote == '"' else value

    def _quoted(self, quote: str) -> str:
        value, escaped = "", False
        for index, character in enumerate(self.rest[1:], 1):
            if character == quote and not escaped:
                self.rest = self.rest[index + 1 :]
                return value
            if character == "\\" and not escaped:
                escaped = True
                continue
            value += f"\\{character}" if escaped and character != quote else character
            escaped = False
        raise self._fail("a quoted value does not end", f"Add the closing {quote}.")

    def _expand(self, value: str) -> str:
        try:
            return substitute(value, lambda name: self._known(name))
        except TemplateError as error:
            raise self._fail(str(error), "Write `$$` for a dollar sign.") from None

    def _known(self, name: str) -> str | None:
        value = self.lookup(name)
        return self.values.get(name) if value is None else value

    def _fail(self, message: str, hint: str) -> DefinitionError:
        line = self.content.count("\n", 0, self.start) + 1
        return DefinitionError(message, hint=hint, position=Position(self.path, line))


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

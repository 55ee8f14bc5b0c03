"""Variables in texts: `$V`, `${V}`, `${V:-d}`, `${V-d}`, `${V:?e}`, `${V?e}`, `${V:+r}`, `${V+r}`, `$$`.

Compose Specification, "Interpolation". Where the specification says nothing (braces in a default, text
after the closing brace, line breaks), this does what Docker Compose does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from invoke_devstack.late_patterns import late

MAX_DEPTH = 50  # of variables in the defaults of others
MAX_LENGTH = 1 << 20  # characters of a value: the kernel takes an eighth of that for a variable
DOUBLING = "Find the variables that repeat each other, such as `B=$A$A`."

_START = late(
    r"\$(?:(?P<escaped>\$)|(?P<named>[_a-z][_a-z0-9]*)"
    r"|\{(?P<braced>[_a-z][_a-z0-9]*)(?P<operator>:?[-+?]|(?=\}))|(?P<invalid>\{))",
    re.IGNORECASE | re.ASCII,
)

Lookup = Callable[[str], str | None]
Tell = Callable[[str], object]


class TemplateError(ValueError):
    """A malformed `${…}`."""

    hint = "Write `$$` for a literal dollar sign."


class TooLongError(TemplateError):
    """Variables that repeat others until nothing can hold the value."""

    hint = DOUBLING

    def __init__(self) -> None:
        super().__init__(f"the value is longer than {MAX_LENGTH >> 20} MB")


class RequiredVariableError(TemplateError):
    """A `${V?…}` whose variable is not set."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"required variable {name} has no value{': ' + reason if reason else ''}")
        self.name = name


Complain = Callable[[RequiredVariableError], object]


def _raise(error: RequiredVariableError) -> None:
    raise error


def substitute(
    text: str,
    lookup: Lookup,
    depth: int = 0,
    *,
    on_blank: Tell | None = None,
    on_required: Complain | None = None,
) -> str:
    """`text` with its variables replaced. `on_blank` gets the name of each variable that is not set and has
    no operator, so that it becomes empty; `on_required` the error about each that must be set, which becomes
    empty too. Raises TemplateError, without `on_required` also for those."""
    if "$" not in text:
        return text
    if depth > MAX_DEPTH:
        raise TemplateError(f"variables are nested more than {MAX_DEPTH} levels deep")
    return _Substitution(text, lookup, depth, on_blank, on_required or _raise).result()


def variables_in(text: str) -> Iterator[tuple[str, str, str]]:
    """The variables of a text that `substitute` takes, those in the defaults of others too: name, operator
    ("" if it has none), and what follows that up to the brace."""
    parsed = _Substitution(text, lambda name: None, 0, None, _raise)
    end = 0
    while match := _START.search(text, end):
        end = match.end()
        operator = match["operator"] or ""
        if name := match["named"] or match["braced"]:
            close = parsed._closing_brace(match.start() + 1, end) if operator else end
            word = text[end:close]
            yield name, operator, word
            yield from variables_in(word)
            end = close


class _Substitution:
    def __init__(
        self, text: str, lookup: Lookup, depth: int, on_blank: Tell | None, on_required: Complain
    ) -> None:
        self.text = text
        self.lookup = lookup
        self.depth = depth
        self.on_blank = on_blank
        self.on_required = on_required
        self.line_end = -1

    def result(self) -> str:
        pieces: list[str] = []
        end = length = 0
        while match := _START.search(self.text, end):
            pieces.append(self.text[end : match.start()])
            value, end = self._replacement(match)
            pieces.append(value)
            length += len(value)
            if length > MAX_LENGTH:
                raise TooLongError
        return "".join([*pieces, self.text[end:]])

    def _replacement(self, match: re.Match[str]) -> tuple[str, int]:
        """A variable's replacement, and where the text continues after it."""
        if match["escaped"]:
            return "$", match.end()
        if match["named"]:
            return self._plain(match["named"]), match.end()
        if match["braced"] is None:
            raise self._malformed()
        if not match["operator"]:
            return self._plain(match["braced"]), match.end() + 1
        close = self._closing_brace(match.start() + 1, match.end())
        inner = self.text[match.end() : close]
        word = substitute(
            inner, self.lookup, self.depth + 1, on_blank=self.on_blank, on_required=self.on_required
        )
        try:
            return _value(match["braced"], match["operator"], word, self.lookup), close + 1
        except RequiredVariableError as error:
            self.on_required(error)
            return "", close + 1

    def _plain(self, name: str) -> str:
        """The value of a variable without an operator."""
        value = self.lookup(name)
        if value is None and self.on_blank is not None:
            self.on_blank(name)
        return value or ""

    def _closing_brace(self, opening: int, start: int) -> int:
        """Where a brace closes, on the same line.

        Like Compose, it ignores the character after a `{`, and takes the last brace of the line if they do
        not match.
        """
        if self.line_end < start:
            self.line_end = (self.text + "\n").find("\n", start)
        last = self.text.rfind("}", start, self.line_end)
        if last < 0:
            raise self._malformed()
        depth, index = 1, opening + 2
        while index <= last:
            if self.text[index] == "}":
                depth -= 1
                if depth == 0:
                    return index
            elif self.text[index] == "{":
                depth += 1
                index += 1
            index += 1
        return last

    def _malformed(self) -> TemplateError:
        shown = self.text if len(self.text) <= 60 else f"{self.text[:60]}…"
        return TemplateError(f"invalid variable in `{shown}`; write ${{NAME}} or ${{NAME:-default}}")


def _value(name: str, operator: str, word: str, lookup: Lookup) -> str:
    value = lookup(name)
    given = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return word if given else value or ""
    if given:
        return value or ""
    if operator.endswith("?"):
        raise RequiredVariableError(name, word)
    return word

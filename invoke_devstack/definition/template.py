"""Variables in texts: `$V`, `${V}`, `${V:-d}`, `${V-d}`, `${V:?e}`, `${V?e}`, `${V:+r}`, `${V+r}`, `$$`.

Compose Specification, "Interpolation". Where the specification is silent (braces in a default, a text
after the closing brace, line breaks) this does what Docker Compose does.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MAX_DEPTH = 50  # of variables in the defaults of others

_START = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[_a-z][_a-z0-9]*)"
    r"|\{(?P<braced>[_a-z][_a-z0-9]*)(?P<operator>:?[-+?]|(?=\}))|(?P<invalid>\{))",
    re.IGNORECASE | re.ASCII,
)

Lookup = Callable[[str], str | None]


class TemplateError(ValueError):
    """A `${…}` that is not well formed."""


class RequiredVariableError(TemplateError):
    """A `${V?…}` whose variable is not set."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"required variable {name} is missing a value{': ' + reason if reason else ''}")
        self.name = name


def substitute(text: str, lookup: Lookup, depth: int = 0) -> str:
    """`text` with its variables replaced. Raises TemplateError."""
    if "$" not in text:
        return text
    if depth > MAX_DEPTH:
        raise TemplateError(f"variables are nested more than {MAX_DEPTH} levels deep")
    return _Substitution(text, lookup, depth).result()


class _Substitution:
    def __init__(self, text: str, lookup: Lookup, depth: int) -> None:
        self.text = text
        self.lookup = lookup
        self.depth = depth
        self.line_end = -1

    def result(self) -> str:
        pieces: list[str] = []
        end = 0
        while match := _START.search(self.text, end):
            pieces.append(self.text[end : match.start()])
            value, end = self._replacement(match)
            pieces.append(value)
        return "".join([*pieces, self.text[end:]])

    def _replacement(self, match: re.Match[str]) -> tuple[str, int]:
        """What stands for a variable, and where the text goes on after it."""
        if match["escaped"]:
            return "$", match.end()
        if match["named"]:
            return self.lookup(match["named"]) or "", match.end()
        if match["braced"] is None:
            raise self._malformed()
        if not match["operator"]:
            return self.lookup(match["braced"]) or "", match.end() + 1
        close = self._closing_brace(match.start() + 1, match.end())
        word = substitute(self.text[match.end() : close], self.lookup, self.depth + 1)
        return _value(match["braced"], match["operator"], word, self.lookup), close + 1

    def _closing_brace(self, opening: int, start: int) -> int:
        """Where a brace closes, on the same line.

        Like Compose, it takes no notice of the sign after a `{`, and where braces do not match it takes
        the last one of the line.
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
        return TemplateError(f"`{shown}` has a `${{` that is no variable")


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

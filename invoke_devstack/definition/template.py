"""Variables in texts: `$V`, `${V}`, `${V:-d}`, `${V-d}`, `${V:?e}`, `${V?e}`, `${V:+r}`, `${V+r}`, `$$`.

Compose Specification, "Interpolation". Where the specification is silent (braces in a default, a text
after the closing brace, line breaks) this does what Docker Compose does.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[_a-z][_a-z0-9]*)"
    r"|\{(?:(?P<braced>[_a-z][_a-z0-9]*(?::?[-+?].*)?)\}|(?P<invalid>)))",
    re.IGNORECASE | re.ASCII,
)
_BRACED = re.compile(r"(?P<name>[_a-z][_a-z0-9]*)(?:(?P<operator>:?[-+?])(?P<rest>.*))?", re.I | re.A)

Lookup = Callable[[str], str | None]


class TemplateError(ValueError):
    """A `${…}` that is not well formed."""


class RequiredVariableError(TemplateError):
    """A `${V?…}` whose variable is not set."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"required variable {name} is missing a value{': ' + reason if reason else ''}")
        self.name = name


def substitute(text: str, lookup: Lookup) -> str:
    """`text` with its variables replaced. Raises TemplateError."""
    if "$" not in text:
        return text
    return _VARIABLE.sub(lambda match: _replacement(match, text, lookup), text)


def _replacement(match: re.Match[str], text: str, lookup: Lookup) -> str:
    if match["escaped"]:
        return "$"
    if match["named"]:
        return lookup(match["named"]) or ""
    if match["braced"] is None:
        raise TemplateError(f"`{text}` has a `${{` that is no variable")
    whole = match[0]
    end = _closing_brace(whole)
    inner, rest = (whole[2:end], whole[end + 1 :]) if end is not None else (whole[2:-1], "")
    braced = _BRACED.fullmatch(inner)
    if braced is None:
        raise TemplateError(f"`{text}` has a `${{` that is no variable")
    return _value(braced, lookup) + substitute(rest, lookup)


def _value(braced: re.Match[str], lookup: Lookup) -> str:
    value = lookup(braced["name"])
    operator = braced["operator"]
    if operator is None:
        return value or ""
    word = substitute(braced["rest"], lookup)
    given = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return word if given else value or ""
    if given:
        return value or ""
    if operator.endswith("?"):
        raise RequiredVariableError(braced["name"], word)
    return word


def _closing_brace(text: str) -> int | None:
    """Where the first brace of `text` closes. Like Compose, it takes no notice of the sign after a `{`."""
    depth, index = 0, 0
    while index < len(text):
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        if text[index] == "{":
            depth += 1
            index += 1
        index += 1
    return None

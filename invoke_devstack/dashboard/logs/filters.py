"""Which lines a page wants to see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from invoke_devstack.acting.log_line import LEVELS, Line, without_colours
from invoke_devstack.dashboard.logs.needles import can_walk, needle_of
from invoke_devstack.errors import UsageError
from invoke_devstack.records import record
from invoke_devstack.running.logs.sources import moment

_CONDITION = re.compile(r"([^=!<>~]+)(!=|=|>|<|~)(.*)", re.DOTALL)
_LONGEST_PATTERN = 1000


@record
class Condition:
    """A condition on a field of a JSON line."""

    name: str
    operator: str
    value: str

    def holds(self, fields: Mapping[str, Any]) -> bool:
        if self.name not in fields:
            return self.operator == "!="
        return _compare(fields[self.name], self.operator, self.value)


@record
class Filter:
    """All of it must hold. `pattern` is searched in the text. Every match has `needle`, if it is not empty,
    and all `signs`, in lower case; `walker` finds whatever `pattern` finds, in many lines at once. `since`
    and `until` are stamps."""

    services: frozenset[str] = frozenset()
    pattern: re.Pattern[bytes] | None = None
    needle: bytes = b""
    signs: tuple[bytes, ...] = ()
    walker: re.Pattern[bytes] | None = None
    level: int = 0
    conditions: tuple[Condition, ...] = field(default_factory=tuple)
    since: bytes = b""
    until: bytes = b""

    @property
    def is_empty(self) -> bool:
        return self == Filter()

    def matches(self, line: Line) -> bool:
        if not line.stamp or (self.services and line.service not in self.services):
            return False
        if (self.since and line.stamp < self.since) or (self.until and line.stamp > self.until):
            return False
        if self.pattern is not None and not self.pattern.search(line.plain()):
            return False
        return self._matches_contents(line)

    def _matches_contents(self, line: Line) -> bool:
        if not (self.level or self.conditions):
            return True
        fields = line.fields()
        if self.level and not self._is_high(line.level(fields)):
            return False
        return not self.conditions or (
            fields is not None and all(item.holds(fields) for item in self.conditions)
        )

    def _is_high(self, level: str) -> bool:
        return bool(level) and LEVELS.index(level) >= self.level

    @property
    def is_quick(self) -> bool:
        """Whether `may_match` tells anything."""
        return bool(self.needle or self.signs or self.walker)

    def may_match(self, texts: bytes) -> bool:
        """Whether lines, one below the other, can have a match: a quick look."""
        plain = without_colours(texts)
        lowered = plain.lower()
        if not self._has_signs(lowered):
            return False
        if self.needle and self.pattern:
            return any(map(self.pattern.search, _lines_with(self.needle, plain, lowered)))
        return self.walker is None or self.walker.search(plain) is not None

    def may_be_in(self, block: bytes) -> bool:
        """The same for lines that begin with their stamps; it is told less."""
        return self._has_signs(without_colours(block).lower())

    def _has_signs(self, lowered: bytes) -> bool:
        return self.needle in lowered and all(sign in lowered for sign in self.signs)

    def may_have_level(self, levels: int) -> bool:
        """Whether lines with these levels, a bit for each, can have a match."""
        return not self.level or levels >> self.level != 0


def read_filter(query: Mapping[str, str], conditions: Sequence[str] = ()) -> Filter:
    """From the parameters of a request. Raises UsageError."""
    text = query.get("q", "")
    regex = query.get("regex") in ("1", "true")
    case = query.get("case") in ("1", "true")
    found = tuple(_condition(item) for item in conditions)
    needle = needle_of(text) if regex else text
    signs = {sign for item in found for sign in _signs_of(item)}
    return Filter(
        services=frozenset(name for name in query.get("services", "").split(",") if name),
        pattern=_pattern(text, regex=regex, case=case),
        needle=needle.lower().encode() if needle.isascii() else b"",
        signs=tuple(sign.lower().encode() for sign in signs if sign.isascii()),
        walker=_walker(text, regex=regex, case=case),
        level=_level(query.get("level", "")),
        conditions=found,
        since=_stamp(query.get("since", ""), "since"),
        until=_stamp(query.get("until", ""), "until"),
    )


def _pattern(text: str, *, regex: bool, case: bool) -> re.Pattern[bytes] | None:
    if not text:
        return None
    if len(text) > _LONGEST_PATTERN:
        raise UsageError(f"a search may have {_LONGEST_PATTERN} characters")
    words = text.encode("utf-8", "surrogatepass")
    try:
        return re.compile(words if regex else re.escape(words), 0 if case else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"invalid regular expression `{text}`: {error}",
            hint=r"Put a backslash before special characters, for example `\[`.",
        ) from None


def _level(text: str) -> int:
    if text and text not in LEVELS:
        raise UsageError(f"unknown level `{text}`", hint=f"Use one of: {', '.join(LEVELS)}.")
    return LEVELS.index(text) if text else 0


def _condition(text: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(f"invalid condition `{text}`", hint="Write NAME=VALUE, or with !=, >, < or ~.")
    return Condition(match[1].strip(), match[2], match[3].strip())


def _signs_of(condition: Condition) -> tuple[str, ...]:
    """Texts that every line has for which it may hold: a JSON line, and unless it must not be there, the
    member."""
    last = condition.name.rpartition(".")[2]
    return ("{", f'{last}"') if last.isalnum() and condition.operator != "!=" else ("{",)


def _walker(text: str, *, regex: bool, case: bool) -> re.Pattern[bytes] | None:
    if not text or (regex and not can_walk(text)):
        return None
    words = text.encode("utf-8", "surrogatepass")
    return re.compile(words if regex else re.escape(words), re.MULTILINE | (0 if case else re.IGNORECASE))


def _lines_with(needle: bytes, texts: bytes, lowered: bytes) -> Iterator[bytes]:
    """The lines of `texts` that have the needle; `lowered` is the same in lower case."""
    place = lowered.find(needle)
    while place >= 0:
        start, end = lowered.rfind(b"\n", 0, place) + 1, lowered.find(b"\n", place)
        end = len(lowered) if end < 0 else end
        yield texts[start:end]
        place = lowered.find(needle, end)


def _stamp(text: str, name: str) -> bytes:
    return stamp_at(float(moment(text, name))) if text else b""


def stamp_at(seconds: float) -> bytes:
    """A moment in the form of Docker's stamps."""
    from datetime import UTC, datetime

    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z".encode()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"no such time: {seconds:g}") from None


def _compare(found: Any, operator: str, wanted: str) -> bool:
    text = shown(found)
    if operator in "><":
        return _ordered(text, wanted, operator)
    tests: dict[str, Callable[[], bool]] = {
        "=": lambda: text == wanted,
        "!=": lambda: text != wanted,
        "~": lambda: wanted.lower() in text.lower(),
    }
    return tests[operator]()


def _ordered(shown: str, wanted: str, operator: str) -> bool:
    try:
        left, right = float(shown), float(wanted)
        return left > right if operator == ">" else left < right
    except ValueError:
        return shown > wanted if operator == ">" else shown < wanted


def shown(value: Any) -> str:
    """The value of a member as conditions name it."""
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""YAML as Docker Compose reads it: one tree per document, with positions, `!reset` and `!override`.

PyYAML's libyaml turns a file into events. Compose's go-yaml 3 is a port of libyaml, so both accept the same
files. Scalars are resolved here as go-yaml does: with YAML 1.2's booleans (`no` and `22:22` are texts) and
Go's numbers (`0777` is octal). Duplicate keys and keys that are not texts are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from invoke_devstack.definition.syntax.tree import Items, Location, Steps, Table
from invoke_devstack.errors import DefinitionError, Position

MAX_DEPTH = 100
MAX_NODES = 100_000  # values in one file; each takes 1 KB while it is read
MAX_ALIASED_NODES = 200_000  # values that aliases may multiply to, in one file

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)")
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}(([Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(\.\d+)?([ \t]*(Z|[-+]\d{2}(:?\d{2})?))?)?"
)
_CONSTANTS: dict[str, Any] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_LONGEST_INTEGER = 70  # characters: 64 binary digits, a prefix and a sign
_MERGE = object()
_REMOVED = object()


class Document:
    """One document of a file. Earlier documents lose their values at `resets`."""

    __slots__ = ("location", "resets", "root")

    def __init__(self, root: Any, location: Location, resets: list[Steps]) -> None:
        self.root = root
        self.location = location
        self.resets = resets


def read_documents(content: bytes, file: Path) -> list[Document]:
    """The documents of a YAML file. Raises DefinitionError with the position of what is wrong."""
    return list(_Reader(_decode(content, file), file).documents())


def _decode(content: bytes, file: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise DefinitionError(
            f"the file is not UTF-8: invalid byte 0x{content[error.start]:02x}",
            hint="Save the file as UTF-8 text.",
            position=Position(file, line, column),
        ) from None


class _Node:
    """An event and its content, before aliases are expanded."""

    __slots__ = ("alias", "children", "event", "open")

    def __init__(self, event: Any, *, alias: _Node | None = None, is_open: bool = True) -> None:
        self.event = event
        self.children: list[_Node] = []  # of a mapping: key, value, key, value …
        self.alias = alias
        self.open = is_open


class _Reader:
    def __init__(self, text: str, file: Path) -> None:
        self.text = text
        self.file = file
        self.anchors: dict[str, _Node] = {}
        self.resets: list[Steps] = []
        self.aliased = 0

    def documents(self) -> Iterator[Document]:
        for node in self._nodes():
            self.resets = []
            root = self._build(node, (), False, 0)
            yield Document(None if root is _REMOVED else root, self._location(node, node), self.resets)

    def _nodes(self) -> Iterator[_Node]:
        """The top node of each document. Not recursive, because depth is only checked here."""
        stack: list[_Node] = []
        for number, event in enumerate(self._events()):
            kind = type(event).__name__
            if number > MAX_NODES:
                raise self._fail(f"more than {MAX_NODES} values", event, "Split the file: `include:`.")
            if kind == "DocumentStartEvent":
                self.anchors = {}
            elif kind in ("SequenceEndEvent", "MappingEndEvent"):
                node = stack.pop()
                node.open = False
                if not stack:
                    yield node
            elif kind in ("ScalarEvent", "AliasEvent", "SequenceStartEvent", "MappingStartEvent"):
                node = self._node(event, kind)
                if stack:
                    stack[-1].children.append(node)
                if node.open:
                    stack.append(node)
                    if len(stack) > MAX_DEPTH:
                        raise self._fail(f"nested more than {MAX_DEPTH} levels deep", event)
                elif not stack:
                    yield node

    def _node(self, event: Any, kind: str) -> _Node:
        if kind == "AliasEvent":
            target = self.anchors.get(event.anchor)
            if target is None:
                raise self._fail(f"unknown anchor `{event.anchor}`", event)
            if target.open:
                raise self._fail(f"anchor `{event.anchor}` contains itself", event)
            return _Node(event, alias=target, is_open=False)
        node = _Node(event, is_open=kind != "ScalarEvent")
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _events(self) -> Iterator[Any]:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 20 times faster
        try:
            yield from yaml.parse(self.text, Loader=loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._syntax_error(str(error.problem or error.context), mark) from None
        except yaml.YAMLError as error:
            raise self._reader_error(error) from None

    def _syntax_error(self, problem: str, mark: Any) -> DefinitionError:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        lines = self.text.splitlines()
        shown = lines[line - 1].rstrip() if line <= len(lines) else ""
        return DefinitionError(
            f"invalid YAML: {problem}",
            hint="Check the indentation, colons and quotes of that line and the one before it.",
            position=Position(self.file, line, column),
            details=(shown[:120],) if shown else (),
        )

    def _reader_error(self, error: Any) -> DefinitionError:
        offset = getattr(error, "position", 0) or 0
        line = self.text.count("\n", 0, offset) + 1
        reason = getattr(error, "reason", None) or str(error)
        return DefinitionError(f"invalid YAML: {reason}", position=Position(self.file, line, 1))

    def _build(self, node: _Node, steps: Steps, aliased: bool, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._fail(f"nested more than {MAX_DEPTH} levels deep", node.event)
        if node.alias is not None:
            return self._build(node.alias, steps, True, depth + 1)
        if aliased:
            self._count_aliased(node)
        tag = getattr(node.event, "tag", None)
        if tag == "!reset":
            self.resets.append(steps)
            return _REMOVED
        if tag == "!override":
            self.resets.append(steps)
        kind = type(node.event).__name__
        if kind == "ScalarEvent":
            return self._scalar(node.event)
        if kind == "SequenceStartEvent":
            return self._items(node, steps, aliased, depth)
        return self._table(node, steps, aliased, depth)

    def _count_aliased(self, node: _Node) -> None:
        self.aliased += 1
        if self.aliased > MAX_ALIASED_NODES:
            raise self._fail(
                f"aliases expand to more than {MAX_ALIASED_NODES} values", node.event, "Use fewer aliases."
            )

    def _items(self, node: _Node, steps: Steps, aliased: bool, depth: int) -> Items:
        result = Items(self._location(node, node))
        for index, child in enumerate(node.children):
            value = self._build(child, (*steps, f"[{index}]"), aliased, depth + 1)
            if value is not _REMOVED:
                result.add(value, self._location(child, child))
        return result

    def _table(self, node: _Node, steps: Steps, aliased: bool, depth: int) -> Table:
        result = Table(self._location(node, node))
        merged: list[Table] = []
        seen: dict[str, _Node] = {}
        for key_node, child in zip(node.children[::2], node.children[1::2], strict=True):
            key = self._key(key_node)
            self._refuse_duplicate(key_node, seen)
            if key is _MERGE:
                merged += self._merge_sources(child, steps, depth)
                continue
            value = self._build(child, (*steps, key), aliased, depth + 1)
            if value is not _REMOVED:
                result.put(key, value, self._location(child, key_node))
        for source in merged:
            for key, value in source.items():
                if key not in result:
                    result.put(key, value, source.location_of(key))
        return result

    def _refuse_duplicate(self, key_node: _Node, seen: dict[str, _Node]) -> None:
        text = getattr(self._target(key_node).event, "value", "")
        if text in seen:
            line = seen[text].event.start_mark.line + 1
            raise self._fail(
                f"duplicate key `{text}`; the first is at line {line}", key_node.event, "Keep one of them."
            )
        seen[text] = key_node

    def _key(self, node: _Node) -> Any:
        event = self._target(node).event
        if type(event).__name__ != "ScalarEvent":
            raise self._fail("a key must be a string, not a list or a mapping", node.event)
        if event.value == "<<" and (event.tag in (None, "!", "tag:yaml.org,2002:merge")) and not event.style:
            return _MERGE
        key = self._scalar(event)
        if not isinstance(key, str):
            raise self._fail(
                f"the key `{event.value}` must be a string", node.event, f'Put it in quotes: "{event.value}"'
            )
        return key

    def _merge_sources(self, node: _Node, steps: Steps, depth: int) -> list[Table]:
        target = self._target(node)
        kind = type(target.event).__name__
        if kind == "MappingStartEvent":
            value = self._build(node, steps, node.alias is not None, depth + 1)
            return [value] if isinstance(value, Table) else []
        if kind == "SequenceStartEvent":
            tables: list[Table] = []
            for child in target.children:
                if type(self._target(child).event).__name__ != "MappingStartEvent":
                    raise self._fail("`<<` needs a mapping or a list of mappings", child.event)
                tables += self._merge_sources(child, steps, depth + 1)
            return tables
        raise self._fail("`<<` needs a mapping or a list of mappings", node.event)

    def _target(self, node: _Node) -> _Node:
        while node.alias is not None:
            node = node.alias
        return node

    def _scalar(self, event: Any) -> Any:
        tag = (event.tag or "").removeprefix("tag:yaml.org,2002:")
        if tag in ("str", "binary") or event.style or tag.startswith("!"):
            return event.value
        value = resolve_scalar(event.value)
        if tag == "float" and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        wanted = {"int": int, "bool": bool, "float": float, "null": type(None)}.get(tag)
        if wanted is not None and type(value) is not wanted:
            raise self._fail(f"`{event.value}` is not of the type `!!{tag}`", event)
        return value

    def _location(self, node: _Node, key: _Node) -> Location:
        start, key_start = node.event.start_mark, key.event.start_mark
        raw = getattr(node.event, "value", "")
        return Location(
            self.file, start.line + 1, start.column + 1, key_start.line + 1, key_start.column + 1, raw
        )

    def _fail(self, message: str, event: Any, hint: str = "") -> DefinitionError:
        mark = event.start_mark
        return DefinitionError(
            message, hint=hint, position=Position(self.file, mark.line + 1, mark.column + 1)
        )


def resolve_scalar(text: str) -> Any:
    """The value of a plain scalar: a text, a number, a boolean, a date or None."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if len(plain) <= _LONGEST_INTEGER and _INTEGER.fullmatch(plain):
        return _integer(plain)
    if _FLOAT.fullmatch(plain):
        return float(plain) if math.isfinite(float(plain)) else text
    if _DATE.fullmatch(text):
        return _date(text)
    return text


def _integer(plain: str) -> int | float:
    digits = plain.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
        digits = "0o" + digits
    number = int(digits, 0) * (-1 if plain[0] == "-" else 1)
    return number if -(2**63) <= number < 2**64 else float(number)


def _date(text: str) -> date | str:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return text
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)

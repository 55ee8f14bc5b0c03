"""What a member of `--json` holds: its JSON Schema, and the words for it on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """`words` say it in `docs/json.md`, `schema` in JSON Schema, draft 2020-12."""

    words: str
    schema: Schema


TEXT = Shape("text", {"type": "string"})
NUMBER = Shape("number", {"type": "number"})
INTEGER = Shape("number", {"type": "integer"})
BOOLEAN = Shape("true or false", {"type": "boolean"})
ANYTHING = Shape("anything", {})
OPEN_OBJECT = Shape("object", {"type": "object", "additionalProperties": True})


def nullable(shape: Shape) -> Shape:
    """The shape, or null."""
    return Shape(f"{shape.words} or null", {**shape.schema, "type": [shape.schema["type"], "null"]})


def several(shape: Shape) -> Shape:
    """An array of the shape."""
    return Shape(f"list of {shape.words}s", {"type": "array", "items": shape.schema})


def one_of(*texts: str) -> Shape:
    """One of these texts, and no other within this version."""
    return Shape("text", {"type": "string", "enum": list(texts)})


def by_name(shape: Shape) -> Shape:
    """An object whose members have any names, and this shape."""
    return Shape("object", {"type": "object", "additionalProperties": shape.schema})


def record_of(members: Mapping[str, Shape], *, is_open: bool = False) -> Shape:
    """An object with these members. With `is_open`, it has others too that cannot be told beforehand."""
    schema: Schema = {
        "type": "object",
        "properties": {name: shape.schema for name, shape in members.items()},
        "required": [*members],
    }
    return Shape("object", {**schema, "additionalProperties": True} if is_open else schema)


def any_of(*shapes: Shape) -> Shape:
    """One of several shapes."""
    return Shape(shapes[0].words, {"anyOf": [shape.schema for shape in shapes]})


def closed(schema: Any) -> Any:
    """The schema without room for more: what this version of the code prints, to the member."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: closed(item) for key, item in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        kept["additionalProperties"] = False
    return kept

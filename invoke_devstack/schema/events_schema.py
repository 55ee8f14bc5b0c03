"""Schemas of events, from their classes: `invoke_devstack.events` is the declaration."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any, get_args

from invoke_devstack import errors, events
from invoke_devstack.planning.causes import CauseKind
from invoke_devstack.schema.exit_codes import OF_ERRORS
from invoke_devstack.schema.shapes import (
    ANYTHING,
    BOOLEAN,
    INTEGER,
    NUMBER,
    OPEN_OBJECT,
    TEXT,
    Schema,
    Shape,
    nullable,
    one_of,
    record_of,
    several,
)

_SHAPES: Mapping[str, Shape] = {
    "str": TEXT,
    "bytes": TEXT,
    "float": NUMBER,
    "int": INTEGER,
    "bool": BOOLEAN,
    "int | None": nullable(INTEGER),
    "tuple[str, ...]": several(TEXT),
    "tuple[dict[str, Any], ...]": several(OPEN_OBJECT),
    "Any": ANYTHING,
}
"""A field's annotation -> what `to_json` makes of it."""

_STREAM = one_of("stdout", "stderr")
_VALUES: Mapping[tuple[str, str], Shape] = {
    ("action.progress", "unit"): one_of("bytes", "steps", ""),
    ("action.started", "cause_kind"): one_of(*CauseKind, ""),
    ("doctor.check", "state"): one_of("ok", "warning", "failed"),
    ("error", "exit_code"): Shape("number", {"type": "integer", "enum": [*OF_ERRORS]}),
    ("log", "stream"): _STREAM,
    ("notice", "level"): one_of("info", "warning"),
    ("output", "stream"): _STREAM,
    ("service.changed", "what"): one_of("exited", "restarted", "unhealthy", "healthy"),
    ("service.ready", "state"): one_of("running", "healthy", "done"),
}
"""Members that hold one of a few values."""


_OF_ROOMS = ("copy", "deploy", "locked", "no-context", "no-manager", "preflight", "unfinished")
"""Reasons of errors that rooms above this one declare."""


def event_classes() -> dict[str, type[events.Event]]:
    """Type -> class, of all events."""
    found = (item for item in vars(events).values() if isinstance(item, type))
    every = (item for item in found if issubclass(item, events.Event) and item is not events.Event)
    kinds = (item for item in every if item.in_json)
    return {kind.type: kind for kind in sorted(kinds, key=lambda kind: kind.type)}


def members_of(kind: type[events.Event]) -> dict[str, Shape]:
    """The members of an event beside `v` and `type`. Raises KeyError for an annotation that is not known."""
    return {item.name: _shape(kind, item) for item in fields(kind)}


def _shape(kind: type[events.Event], item: Field[Any]) -> Shape:
    return _VALUES.get((kind.type, item.name)) or _SHAPES[str(item.type)]


def meaning_of(kind: type[events.Event]) -> str:
    """What happened: the first paragraph of its docstring, in one line."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def event_schema(kind: type[events.Event]) -> Schema:
    """The schema of one line of this type."""
    own = {"v": Shape("", {"const": events.SCHEMA_VERSION}), "type": Shape("", {"const": kind.type})}
    schema = record_of({**own, **members_of(kind)}).schema
    if kind is events.Failed:
        schema["properties"]["reason"] = {**TEXT.schema, "examples": reasons()}
    return {"title": kind.type, "description": meaning_of(kind), **schema}


def reasons() -> list[str]:
    """Every `reason` of an error: those of the classes, and those that the engine and files add."""
    found = {"bug", *_OF_ROOMS}
    for item in vars(errors).values():
        if isinstance(item, type) and issubclass(item, errors.DevstackError):
            found.add(item.reason)
    return sorted((found | _texts(errors.EngineReason) | _texts(errors.FileReason)) - {""})


def _texts(kind: object) -> set[str]:
    return {kind} if isinstance(kind, str) else {name for part in get_args(kind) for name in _texts(part)}

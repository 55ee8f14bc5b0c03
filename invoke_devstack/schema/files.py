"""The files of docs/reference/schema: a schema for each answer and event, for any line of a stream, and for
exit codes; and `tasks.json`, which says which of them is a task's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from invoke_devstack.events import SCHEMA_VERSION
from invoke_devstack.schema.answers import ANSWERS, Answer
from invoke_devstack.schema.events_schema import event_classes, event_schema
from invoke_devstack.schema.exit_codes import EXIT_CODES
from invoke_devstack.schema.shapes import Schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ANY_EVENT = "events.json"
TASKS = "tasks.json"


def answer_file(task: str) -> str:
    """The name of the file for a task's answer."""
    return f"answer.{task}.json"


def event_file(kind: str) -> str:
    """The name of the file for events of a type."""
    return f"event.{kind}.json"


def every_file(prints: Mapping[str, str]) -> dict[str, str]:
    """Name -> text of all files. `prints` maps each task's full name to what its `--json` prints: "answer",
    "events" or "" for nothing. Raises KeyError for a task that answers and has no declaration."""
    found = {**dict(_schemas(prints)), TASKS: _index(prints)}
    return {name: f"{json.dumps(data, indent=2, ensure_ascii=False)}\n" for name, data in found.items()}


def _schemas(prints: Mapping[str, str]) -> Iterator[tuple[str, Schema]]:
    for task, kind in prints.items():
        if kind == "answer":
            yield answer_file(task), _of_version(answer_schema(task, ANSWERS[task]))
    kinds = event_classes()
    for kind in kinds:
        yield event_file(kind), _of_version(event_schema(kinds[kind]))
    lines = [{"$ref": event_file(kind)} for kind in kinds]
    title = "A line of a task that acts; types that are not here may be added."
    yield ANY_EVENT, _of_version({"title": "events", "description": title, "oneOf": lines})
    codes = [{"const": code, "description": text} for code, text in EXIT_CODES.items()]
    other = {"type": "integer", "description": "`exec`, `run`, `wait`: of the command or container"}
    yield "exit-codes.json", _of_version({"title": "exit code", "anyOf": [*codes, other]})


def _of_version(schema: Schema) -> Schema:
    return {"$schema": DRAFT, "$comment": f"version {SCHEMA_VERSION} of --json", **schema}


def answer_schema(task: str, answer: Answer) -> Schema:
    """The schema of what a task prints. When it fails, it prints an error instead: `event.error.json`."""
    return {"title": f"invoke {task} --json", "description": answer.meaning, **answer.schema}


def _index(prints: Mapping[str, str]) -> dict[str, Any]:
    return {"v": SCHEMA_VERSION, "tasks": {task: _entry(task, kind) for task, kind in sorted(prints.items())}}


def _entry(task: str, kind: str) -> dict[str, Any]:
    exits = {code: text for code, text in EXIT_CODES.items() if code in (0, 1, 2)}
    if kind == "answer":
        return {"prints": kind, "schema": answer_file(task), "exit_codes": {**exits, **ANSWERS[task].exits}}
    if kind == "events":
        return {"prints": kind, "schema": ANY_EVENT, "exit_codes": exits}
    return {"prints": "", "schema": None, "exit_codes": exits}

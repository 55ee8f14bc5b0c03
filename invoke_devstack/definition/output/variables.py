"""The variables that Compose files use: what `config --variables` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.definition.syntax.template import variables_in

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

COLUMNS = ("variable", "required", "default", "alternative", "set_by")
"""`alternative` replaces a value that is set (`${V:+alternative}`). `set_by`: `environment`, the path of a
`.env` file, `project`, or `unset`."""


def used_variables(definition: Definition) -> list[dict[str, object]]:
    """A row for each, by name. One that is used several times is required if it is so once, and its first
    default counts."""
    rows: dict[str, dict[str, object]] = {}
    for origin in definition.origins.values():
        sources = {variable.name: variable.source for variable in origin.variables}
        for name, operator, word in variables_in(origin.raw) if sources else ():
            row = rows.setdefault(name, _row(name, sources.get(name, "unset")))
            row["required"] = row["required"] or operator.endswith("?")
            if key := {"-": "default", "+": "alternative"}.get(operator[-1:]):
                row[key] = row[key] or word
    return [rows[name] for name in sorted(rows)]


def _row(name: str, source: str) -> dict[str, object]:
    return {"variable": name, "required": False, "default": "", "alternative": "", "set_by": source}

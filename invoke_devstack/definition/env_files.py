"""`env_file` and `label_file`: their variables become the service's own."""

from __future__ import annotations

from pathlib import Path

from invoke_devstack.definition.consistency import Draft, Values
from invoke_devstack.definition.dotenv import Lookup, read_env_file, read_raw_env_file
from invoke_devstack.definition.environment import Environment
from invoke_devstack.definition.tree import Steps
from invoke_devstack.errors import DefinitionError


def add_env_files(draft: Draft, name: str, service: Values, environment: Environment) -> None:
    """Adds what the service's `env_file`s say and its `environment` does not. Raises DefinitionError."""
    own: dict[str, str | None] = {
        key: environment.get(key) if value is None else value
        for key, value in (service.get("environment") or {}).items()
    }
    values = {key: value for key, value in own.items() if value is not None}

    def lookup(variable: str) -> str | None:
        return environment.get(variable, own.get(variable))

    for index, entry in enumerate(service.get("env_file") or ()):
        path = Path(entry["path"])
        steps = ("services", name, "env_file", f"[{index}]")
        if not path.exists():
            if entry.get("required", True):
                raise DefinitionError(
                    f"service `{name}`: no such env file: {path}",
                    hint="Make the file, or say `required: false`.",
                    position=draft.position(steps),
                )
            continue
        values = _read(draft, path, entry.get("format") or "", values, lookup, steps)
    service["inline_environment"] = service.get("environment") or {}
    merged = {**values, **own}
    if merged:
        service["environment"] = {key: merged[key] for key in sorted(merged, key=str.encode)}


def _read(
    draft: Draft, path: Path, form: str, values: dict[str, str], lookup: Lookup, steps: Steps
) -> dict[str, str]:
    if form == "raw":
        return {**values, **read_raw_env_file(path, lookup)}
    if form not in ("", ".env"):
        raise DefinitionError(
            f"`{form}` is no format of an env file",
            hint="Write `raw`, or nothing.",
            position=draft.position(steps),
        )
    return read_env_file(path, lookup, values)


def add_label_files(draft: Draft, name: str, service: Values) -> None:
    """Adds what the service's `label_file`s say and its `labels` do not. Raises DefinitionError."""
    labels: dict[str, str] = {}
    for index, file in enumerate(service.get("label_file") or ()):
        if not Path(file).exists():
            raise DefinitionError(
                f"service `{name}`: no such label file: {file}",
                hint="Make the file, or take it out of the definition.",
                position=draft.position(("services", name, "label_file", f"[{index}]")),
            )
        labels |= read_env_file(Path(file), labels.get)
    labels |= service.get("labels") or {}
    if labels:
        service["labels"] = {key: labels[key] for key in sorted(labels, key=str.encode)}

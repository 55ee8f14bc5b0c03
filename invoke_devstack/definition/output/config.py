"""A definition as `docker compose config` prints it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.output.render import Form, render
from invoke_devstack.definition.syntax.scalars import float_text
from invoke_devstack.definition.syntax.yaml_reader import resolve_scalar
from invoke_devstack.secrets import MASK, masked

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_RESOURCES = ("services", "networks", "volumes", "secrets", "configs")


def to_config(definition: Definition, *, show_secrets: bool) -> dict[str, Any]:
    """The definition as `docker compose config --format json` gives it.

    Dollar signs are doubled, so that the result can be read again. Without `show_secrets`, the contents of
    configs and the variables and build arguments whose names look like a secret's are masked.
    """
    config: dict[str, Any] = {"name": definition.name, **_resources(definition, Form.JSON)}
    config |= {key: _null_for_empty(value) for key, value in definition.extensions.items()}
    if not show_secrets:
        _mask(config)
    escaped: dict[str, Any] = _escape({key: config[key] for key in sorted(config)})
    return escaped


def to_document(definition: Definition, *, show_secrets: bool) -> dict[str, Any]:
    """The definition as `docker compose config` gives it in YAML; see `to_config` for the masks."""
    config = {"name": definition.name, **_resources(definition, Form.YAML)}
    if definition.models:
        config["models"] = {key: render(model, Form.YAML) for key, model in definition.models.items()}
    if not show_secrets:
        _mask(config)
    escaped: dict[str, Any] = _escape({**config, **definition.extensions})
    return escaped


def _resources(definition: Definition, form: Form) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in _RESOURCES:
        parts = {key: render(part, form) for key, part in getattr(definition, name).items()}
        if parts or name == "services":
            result[name] = parts
    for config in result.get("configs", {}).values():
        if "environment" in config:
            config.pop("content", None)
    return result


def _null_for_empty(value: Any) -> Any:
    """Compose prints an empty list of an extension as null."""
    if isinstance(value, dict):
        return {key: _null_for_empty(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_null_for_empty(item) for item in value] or None
    return value


def _escape(value: Any) -> Any:
    match value:
        case str():
            return value.replace("$", "$$")
        case dict():
            return {key.replace("$", "$$"): _escape(item) for key, item in value.items()}
        case list():
            return [_escape(item) for item in value]
    return value


def _mask(config: dict[str, Any]) -> None:
    for service in config["services"].values():
        _mask_values(service.get("environment"))
        _mask_values((service.get("build") or {}).get("args"))
    for item in config.get("configs", {}).values():
        if "content" in item:
            item["content"] = MASK


def _mask_values(values: dict[str, Any] | None) -> None:
    for name, value in (values or {}).items():
        if value and values is not None:
            values[name] = masked(name, str(value))


_PLAIN = re.compile(r"[A-Za-z0-9_./$][A-Za-z0-9_./$:=@+*,()\[\]{}-]*(?: [A-Za-z0-9_./$=@+*,()-]+)*")
_BASE_60 = re.compile(r"[0-9][0-9:.]*:[0-9:.]*")
_OTHER_BOOLEANS = frozenset(("y", "n", "yes", "no", "on", "off", "<<", "="))


def to_yaml(document: Mapping[str, Any]) -> str:
    """A document in block style. Texts that YAML would read as another type are quoted."""
    return "".join(f"{line}\n" for line in _lines(document, ""))


def _lines(value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping) and value:
        return [
            line
            for key, item in value.items()
            for line in _entry(f"{indent}{_scalar(str(key))}:", item, f"{indent}  ")
        ]
    if isinstance(value, list | tuple) and value:
        return [line for item in value for line in _item(item, indent)]
    return [f"{indent}{_scalar(value)}"]


def _entry(head: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping | list | tuple) and value:
        return [head, *_lines(value, indent)]
    return [f"{head} {_scalar(value)}"]


def _item(value: Any, indent: str) -> list[str]:
    first, *rest = _lines(value, f"{indent}  ")
    return [f"{indent}- {first.lstrip(' ')}", *rest]


def _scalar(value: Any) -> str:
    match value:
        case str():
            return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)
        case float():
            return (
                float_text(value, 21).replace("+Inf", ".inf").replace("-Inf", "-.inf").replace("NaN", ".nan")
            )
        case Mapping():
            return "{}"
        case list() | tuple():
            return "[]"
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or ": " in f"{text} " or text.lower() in _OTHER_BOOLEANS:
        return False
    if _BASE_60.fullmatch(text):
        return False
    return isinstance(resolve_scalar(text), str)

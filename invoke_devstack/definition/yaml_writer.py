"""A definition as YAML that Docker Compose reads back to the same values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from invoke_devstack.definition.scalars import float_text
from invoke_devstack.definition.yaml_reader import resolve_scalar

_PLAIN = re.compile(r"[A-Za-z0-9_./$][A-Za-z0-9_./$:=@+*,()\[\]{}-]*(?: [A-Za-z0-9_./$=@+*,()-]+)*")
_BASE_60 = re.compile(r"[0-9][0-9:.]*:[0-9:.]*")
_OTHER_BOOLEANS = frozenset(("y", "n", "yes", "no", "on", "off", "<<", "="))


def to_yaml(document: Mapping[str, Any]) -> str:
    """A document in block style, two spaces a level. Texts that YAML could take for more are quoted."""
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

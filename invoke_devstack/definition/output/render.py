"""Parts as plain data, the way `docker compose config` prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.syntax.scalars import json_float
from invoke_devstack.definition.syntax.units import Bytes, Seconds

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.part import Part
    from invoke_devstack.definition.model import Definition, Service


class Form(Enum):
    """What the data is for."""

    JSON = "json"
    YAML = "yaml"  # with `x-*` keys, and without empty keys
    HASH = "hash"  # as JSON, without the keys that are not hashed


def render(part: Part, form: Form = Form.JSON) -> dict[str, Any]:
    """A part as plain data, its keys in Compose's order."""
    result: dict[str, Any] = {}
    for key in part.fields.values():
        if key is None or not key.printed or (form is Form.HASH and not key.hashed):
            continue
        if key.always or key.name in part.__dict__:
            value = _plain(getattr(part, key.name), form)
            if form is not Form.YAML:
                result[key.json_name or key.name] = value
            elif not key.always or (value is not None and value != {}):
                result[key.name] = value
    if form is Form.YAML:
        result.update(part.extensions)
    return result


def _plain(value: Any, form: Form) -> Any:
    match value:
        case Seconds() | Bytes():
            return str(value)
        case None | str() | int() | float():
            return value
        case Mapping():
            return {key: _plain(item, form) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item, form) for item in value]
    return str(value) if value.printed_as_text else render(value, form)


def to_json(value: Any) -> str:
    """JSON on one line as Go's `encoding/json` writes it."""
    match value:
        case dict():
            return "{" + ",".join(f"{to_json(str(key))}:{to_json(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(to_json(item) for item in value) + "]"
        case float():
            return json_float(value)
        case str():
            return json.dumps(value, ensure_ascii=False).translate(_GO_ESCAPES)
    return json.dumps(value)


_GO_ESCAPES = str.maketrans(
    {character: f"\\u{ord(character):04x}" for character in ("<", ">", "&", "\u2028", "\u2029")}
)


def config_hash(definition: Definition, service: str) -> str:
    """The hash that `docker compose config --hash` prints.

    Compose also writes it into the label of the service's containers, with three exceptions. For a service
    with an `env_file`, the printed hash is over the file's path and not over its variables. The label's hash
    is also over the paths of `label_file`. And in it, `service:NAME` is already the id of a container.
    """
    own = definition.services[service]
    values = render(own, Form.HASH)
    if own.env_file:
        values["environment"] = dict(own.inline_environment)
        values["env_file"] = [
            entry.path if entry.required else render(entry, Form.HASH) for entry in own.env_file
        ]
        if not own.inline_environment:
            del values["environment"]
    return digest(to_json(_in_order(own, values)))


def label_values(service: Service) -> dict[str, Any]:
    """What the hash in the label of a service's containers is made over."""
    values = render(service, Form.HASH)
    if service.label_file:
        values["label_file"] = list(service.label_file)
    return _in_order(service, values)


def digest(text: str) -> str:
    """The hash of a text, as Compose writes it."""
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _in_order(service: Service, values: dict[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in service.fields if key in values}

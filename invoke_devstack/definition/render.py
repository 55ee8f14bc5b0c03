"""A definition as `docker compose config` prints it, and the hash by which Compose knows a container."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.scalars import json_float
from invoke_devstack.definition.units import Bytes, Seconds
from invoke_devstack.secrets import MASK, masked

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Part, Service

_NOT_HASHED = ("build", "depends_on", "pull_policy", "scale", "profiles")
_ALWAYS_IN_JSON: Mapping[str, Mapping[str, Any]] = {
    "Service": {"command": None, "entrypoint": None},
    "Hook": {"command": None},
    "WatchRule": {"exec": {"command": None}},
    "Deploy": {"resources": {}, "placement": {}},
    "Network": {"ipam": {}},
}
_KINDS = ("services", "networks", "volumes", "secrets", "configs")


def to_config(definition: Definition, *, show_secrets: bool) -> dict[str, Any]:
    """The definition as `docker compose config --format json` gives it.

    A dollar sign is doubled, so that the result can be read again. Without `show_secrets`, variables and
    build arguments whose names look like a secret's, and the contents of configs, are masked.
    """
    config: dict[str, Any] = {"name": definition.name, **_kinds(definition, for_json=True)}
    config |= {key: _null_for_empty(value) for key, value in definition.extensions.items()}
    if not show_secrets:
        _mask(config)
    escaped: dict[str, Any] = _escape({key: config[key] for key in sorted(config)})
    return escaped


def to_document(definition: Definition, *, show_secrets: bool) -> dict[str, Any]:
    """The definition as `docker compose config` gives it in YAML; see `to_config` for the masks."""
    config = {"name": definition.name, **_kinds(definition, for_json=False)}
    if definition.models:
        config["models"] = {key: _dump(model, False) for key, model in definition.models.items()}
    if not show_secrets:
        _mask(config)
    escaped: dict[str, Any] = _escape({**config, **definition.extensions})
    return escaped


def config_hash(definition: Definition, service: str) -> str:
    """The hash that `docker compose config --hash` prints.

    It is what Compose also writes into the label of the service's containers, but in three cases. For a
    service with an `env_file` Compose prints a hash over the file's path in place of its variables. The
    label is also over the paths of `label_file`s. And it is made when `service:NAME` has become the id of
    a container.
    """
    own = definition.services[service]
    values = service_config(own)
    if own.env_file:
        values["environment"] = dict(own.inline_environment)
        values["env_file"] = [entry.path if entry.required else _dump(entry, True) for entry in own.env_file]
        if not own.inline_environment:
            del values["environment"]
    return _hash(_in_order(own, values))


def _hash(service: dict[str, Any]) -> str:
    hashed = {key: value for key, value in service.items() if key not in _NOT_HASHED}
    if "deploy" in hashed:
        hashed["deploy"] = {key: value for key, value in hashed["deploy"].items() if key != "replicas"}
    return hashlib.sha256(to_json(hashed).encode("utf-8", "surrogatepass")).hexdigest()


def service_config(service: Service) -> dict[str, Any]:
    """One service as `docker compose config --format json` gives it, but for the doubled dollar signs."""
    return _dump(service, True)


def labelled_config(service: Service) -> dict[str, Any]:
    """What the hash in the label of a service's containers is made over: the config and `label_file`."""
    values = service_config(service)
    if service.label_file:
        values["label_file"] = list(service.label_file)
    return _in_order(service, values)


def _in_order(service: Service, values: dict[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in service.keys if key in values}


def _kinds(definition: Definition, *, for_json: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for kind in _KINDS:
        parts = {key: _dump(part, for_json) for key, part in getattr(definition, kind).items()}
        if parts or kind == "services":
            result[kind] = parts
    for secret in result.get("secrets", {}).values():
        secret.pop("content", None)
    for config in result.get("configs", {}).values():
        if "environment" in config:
            config.pop("content", None)
    return result


def _dump(part: Part, for_json: bool) -> dict[str, Any]:
    always = _ALWAYS_IN_JSON.get(type(part).__name__, {})
    given = part.given
    result: dict[str, Any] = {}
    for name, field in part.keys.items():
        if field.exclude or (name not in given and name not in always):
            continue
        key = field.written_as if field.written_as and for_json else name
        value = _plain(getattr(part, name), for_json)
        if value is None and name in always:
            value = always[name]
        if for_json or name not in always or not _is_default(value, always[name]):
            result[key] = value
    if not for_json:
        result.update(part.extensions)
    return result


def _is_default(value: Any, default: Any) -> bool:
    return value is None or value in (default, {})


def _plain(value: Any, for_json: bool) -> Any:
    match value:
        case Seconds() | Bytes():
            return str(value)
        case Mapping():
            return {key: _plain(item, for_json) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item, for_json) for item in value]
        case None | str() | int() | float():
            return value
    if type(value).__name__ == "SshKey":
        return f"{value.id}: {value.path}" if value.path else value.id
    return _dump(value, for_json)


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
            return _json_text(value)
    return json.dumps(value)


_GO_ESCAPES = str.maketrans(
    {character: f"\\u{ord(character):04x}" for character in ("<", ">", "&", "\u2028", "\u2029")}
)


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_GO_ESCAPES)

"""The hashes that mark containers, networks and volumes: Compose's own, so that either tool leaves
alone what the other made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning.networks import shared_service

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Network, Part, Service, Volume

_UNHASHED = ("build", "depends_on", "pull_policy", "scale", "profiles")


def plain(part: Part) -> dict[str, Any]:
    """A part of the definition as `docker compose config --format json` shows it."""
    return part.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def service_text(service: Service, containers: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The text that the service's hash is made of, and the same as data. Compose makes it once
    `service:x` is a container's id: `containers` is service -> that id."""
    values = plain(with_ids(service, containers))
    for key in _UNHASHED:
        values.pop(key, None)
    if isinstance(values.get("deploy"), dict):
        values["deploy"] = {key: value for key, value in values["deploy"].items() if key != "replicas"}
    return go_json(values), values


def service_plain(service: Service, containers: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The service's config hash, and what it is made of as data."""
    text, values = service_text(service, containers)
    return digest(text), values


def with_ids(service: Service, containers: Mapping[str, str]) -> Service:
    """The service with `service:x` and `volumes_from` replaced by containers, where those are known."""
    update: dict[str, Any] = {}
    for key in ("network_mode", "ipc", "pid"):
        other = shared_service(getattr(service, key))
        if other in containers:
            update[key] = f"container:{containers[other]}"
    if service.volumes_from:
        update["volumes_from"] = tuple(_volumes_from(entry, containers) for entry in service.volumes_from)
    return service.model_copy(update=update) if update else service


def _volumes_from(entry: str, containers: Mapping[str, str]) -> str:
    first, _, rest = entry.partition(":")
    return rest.partition(":")[0] if first == "container" else containers.get(first, entry)


def network_hash(network: Network) -> str:
    return digest(go_json(plain(network)))


def volume_hash(volume: Volume) -> str:
    """A volume without a driver is hashed as one of `local`."""
    values = plain(volume)
    if not volume.driver:
        name = {"name": values.pop("name")}
        values = name | {"driver": "local"} | values
    return digest(go_json(values))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def go_json(values: Mapping[str, Any]) -> str:
    """JSON as Go's `json.Marshal` writes it: no spaces, `<`, `>` and `&` escaped."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text

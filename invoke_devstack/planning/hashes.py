"""The hashes that mark containers, networks and volumes: Compose's own, so that either tool leaves
alone what the other made."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.render import labelled_config, to_json
from invoke_devstack.planning.networks import shared_service

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Network, Part, Service, Volume

_UNHASHED = ("build", "depends_on", "pull_policy", "scale", "profiles")


def hashed_values(service: Service, containers: Mapping[str, str]) -> dict[str, Any]:
    """What the service's hash is made of. Compose makes it once `service:x` is a container's id:
    `containers` is service -> that id."""
    values = labelled_config(with_ids(service, containers))
    for key in _UNHASHED:
        values.pop(key, None)
    if isinstance(values.get("deploy"), dict):
        values["deploy"] = {key: value for key, value in values["deploy"].items() if key != "replicas"}
    return values


def service_hash(service: Service, containers: Mapping[str, str]) -> str:
    """The value of a container's label `com.docker.compose.config-hash`."""
    return digest(hashed_text(service, containers))


def hashed_text(service: Service, containers: Mapping[str, str]) -> str:
    """What is hashed, letter for letter."""
    return to_json(hashed_values(service, containers))


def with_ids(service: Service, containers: Mapping[str, str]) -> Service:
    """The service with `service:x` and `volumes_from` replaced by containers, where those are known."""
    update: dict[str, Any] = {}
    for key in ("network_mode", "ipc", "pid"):
        other = shared_service(getattr(service, key))
        if other in containers:
            update[key] = f"container:{containers[other]}"
    if service.volumes_from:
        update["volumes_from"] = tuple(_volumes_from(entry, containers) for entry in service.volumes_from)
    return service.copy_with(update) if update else service


def _volumes_from(entry: str, containers: Mapping[str, str]) -> str:
    first, _, rest = entry.partition(":")
    return rest.partition(":")[0] if first == "container" else containers.get(first, entry)


def network_hash(network: Network) -> str:
    """The value of a network's label `com.docker.compose.config-hash`."""
    return digest(to_json(_given(network, ipam={})))


def volume_hash(volume: Volume) -> str:
    """The same of a volume. One without a driver is hashed as one of `local`."""
    return digest(to_json(_given(volume, driver="local")))


def _given(part: Part, **defaults: Any) -> dict[str, Any]:
    """What the files say of it, and `defaults` where they say nothing, in the order of the model."""
    values = defaults | part.as_data()
    return {name: values[name] for name in part.keys if name in values}


def digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

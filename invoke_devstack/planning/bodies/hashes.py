"""The hashes in the labels of containers, networks and volumes. They equal Compose's, so neither tool
recreates what the other created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.output.render import digest, label_values, render, to_json
from invoke_devstack.planning import labels
from invoke_devstack.planning.names import shared_service
from invoke_devstack.planning.plan import Body, CreateContainer, LateValues

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Network, Service, Volume


def hashed_values(service: Service, containers: Mapping[str, str]) -> dict[str, Any]:
    """What the service's hash is over, with `service:NAME` replaced by a container's id, as in Compose.
    `containers` is service -> id."""
    return label_values(with_ids(service, containers))


def service_hash(service: Service, containers: Mapping[str, str]) -> str:
    """The value of a container's label `com.docker.compose.config-hash`."""
    return digest(hashed_text(service, containers))


def hashed_text(service: Service, containers: Mapping[str, str]) -> str:
    """The text that is hashed."""
    return to_json(hashed_values(service, containers))


def with_ids(service: Service, containers: Mapping[str, str]) -> Service:
    """The service with `service:NAME` and `volumes_from` replaced by the ids in `containers`."""
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
    return digest(to_json(render(network)))


def volume_hash(volume: Volume) -> str:
    """The same of a volume. Without a driver it has the hash of a `local` one."""
    return digest(to_json(render(volume.copy_with({"driver": volume.driver or "local"}))))


_SHARED = ("NetworkMode", "IpcMode", "PidMode")


def placeholder(name: str) -> str:
    """What `LateValues.hash_input` has in place of the id of container `name`."""
    return f"id-of-container:{name}:"


def body_with_late_values(
    action: CreateContainer,
    *,
    image_id: str = "",
    image_volumes: Iterable[str] = (),
    containers: Mapping[str, str] | None = None,
) -> Body:
    """The action's body with the id of `action.late.image` in its label and volumes at its VOLUME paths, and
    with ids in place of the names in `action.late.containers`; `containers` is name -> id."""
    late = action.late
    if late is None:
        return action.body
    body: dict[str, Any] = dict(action.body)
    body["Labels"] = dict(body["Labels"])
    if late.image and image_id:
        body["Labels"][labels.IMAGE] = image_id
        body["HostConfig"] = _host_with_volumes(body["HostConfig"], late, image_volumes)
    if late.containers:
        ids = containers or {}
        body["HostConfig"] = _host_with_ids(body["HostConfig"], ids)
        text = late.hash_input
        for name in late.containers:
            text = text.replace(placeholder(name), ids.get(name, name))
        body["Labels"][labels.CONFIG_HASH] = digest(text)
    return body


def _host_with_volumes(host: Mapping[str, Any], late: LateValues, paths: Iterable[str]) -> dict[str, Any]:
    mounts = list(host.get("Mounts", ()))
    taken = [line.split(":")[1] for line in host.get("Binds", ())]
    taken += [*(mount["Target"] for mount in mounts), *host.get("Tmpfs", ())]
    if late.anonymous:
        mounts += late.anonymous.image_mounts(paths, taken)
    return {**host, "Mounts": mounts} if mounts else dict(host)


def _host_with_ids(host: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    result = dict(host)
    for key in _SHARED:
        kind, _, name = str(host.get(key, "")).partition(":")
        if kind == "container" and name in ids:
            result[key] = f"container:{ids[name]}"
    if "VolumesFrom" in host:
        entries = (entry.partition(":") for entry in host["VolumesFrom"])
        result["VolumesFrom"] = [f"{ids.get(name, name)}{colon}{mode}" for name, colon, mode in entries]
    return result

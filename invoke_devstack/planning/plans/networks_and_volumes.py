"""Networks and volumes of a project: which are created or recreated, and which must already exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.hashes import network_hash, volume_hash
from invoke_devstack.planning.bodies.mounts import volume_body
from invoke_devstack.planning.bodies.networks import network_body
from invoke_devstack.planning.causes import Cause, CauseKind, missing
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import Action, CreateNetwork, CreateVolume
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Network, Service, Volume


@record
class NetworksAndVolumes:
    """`networks` and `volumes` are key -> the action that creates it. A network in `recreated` exists in
    another form: it is removed first, once its containers have stopped."""

    networks: dict[str, Action] = field(default_factory=dict)
    volumes: dict[str, Action] = field(default_factory=dict)
    recreated: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        return (*self.networks.values(), *self.volumes.values())


def used_networks(service: Service) -> frozenset[str]:
    """The keys of the networks that the service joins."""
    return frozenset() if service.network_mode else frozenset(service.networks) or frozenset({"default"})


def used_volumes(service: Service) -> frozenset[str]:
    """The keys of the named volumes that the service mounts."""
    return frozenset(mount.source for mount in service.volumes if mount.type == "volume" and mount.source)


def networks_and_volumes(
    definition: Definition,
    services: Iterable[Service],
    observed: Observed,
    leaving: frozenset[str] = frozenset(),
) -> NetworksAndVolumes:
    """What `services` need. Containers of other services stay on their networks, except those named in
    `leaving`. Raises DevstackError for an external one that does not exist."""
    used = tuple(services)
    staying = _staying(observed, {service.name for service in used}, leaving)
    notices: list[str] = []
    networks: dict[str, Action] = {}
    for key in _sorted_keys(definition.networks, map(used_networks, used)):
        network = definition.networks[key]
        on_it = sorted(item.name for item in staying if network.name in item.networks)
        if action := _network_action(definition, key, observed, notices, on_it):
            networks[key] = action
    volumes = {
        key: action
        for key in _sorted_keys(definition.volumes, map(used_volumes, used))
        if (action := _volume_action(definition, key, observed, notices))
    }
    recreated = frozenset(key for key, action in networks.items() if action.target in observed.networks)
    return NetworksAndVolumes(networks, volumes, recreated, tuple(notices))


def _sorted_keys(declared: Iterable[str], used: Iterable[frozenset[str]]) -> list[str]:
    return sorted(frozenset(declared).intersection(frozenset[str]().union(*used)))


def _staying(
    observed: Observed, services: set[str], leaving: frozenset[str]
) -> tuple[ObservedContainer, ...]:
    """The active containers that a plan for `services` leaves alone."""
    return tuple(
        item
        for item in observed.containers
        if item.is_active and item.name not in leaving and (item.service not in services or item.oneoff)
    )


def _network_action(
    definition: Definition, key: str, observed: Observed, notices: list[str], on_it: list[str]
) -> Action | None:
    network = definition.networks[key]
    found = observed.networks.get(network.name)
    if network.external:
        if found is None:
            raise _not_found("network", network.name, key)
        return None
    if found is None:
        return _create_network(definition, key, network, missing("network"))
    if not _is_ours(definition, "network", network.name, found.labels.get(labels.PROJECT), notices):
        return None
    if found.labels.get(labels.CONFIG_HASH, "") in ("", network_hash(network)):
        return None
    if users := sorted((*on_it, *found.guests)):
        notices.append(
            f"`networks.{key}` changed, but network {network.name} was not recreated:"
            f" {', '.join(users)} would lose it"
        )
        return None
    return _create_network(definition, key, network, Cause(CauseKind.DEFINITION, f"`networks.{key}` changed"))


def _create_network(definition: Definition, key: str, network: Network, cause: Cause) -> CreateNetwork:
    return CreateNetwork(target=network.name, cause=cause, body=network_body(definition.name, key, network))


def _volume_action(definition: Definition, key: str, observed: Observed, notices: list[str]) -> Action | None:
    volume = definition.volumes[key]
    found = observed.volumes.get(volume.name)
    if found is None and volume.external:
        raise _not_found("volume", volume.name, key)
    if found is None:
        body = volume_body(definition, key, volume)
        return CreateVolume(target=volume.name, cause=missing("volume"), body=body)
    if (
        not volume.external
        and _is_ours(definition, "volume", volume.name, found.labels.get(labels.PROJECT), notices)
        and found.labels.get(labels.CONFIG_HASH, "") not in ("", volume_hash(volume))
    ):
        notices.append(_not_recreated(key, volume))
    return None


def _not_recreated(key: str, volume: Volume) -> str:
    return (
        f"`volumes.{key}` changed, but volume {volume.name} was not recreated, because it holds data;"
        f" `invoke down --volumes` and `invoke up` recreate it, empty"
    )


def _not_found(kind: str, name: str, key: str) -> DevstackError:
    return DevstackError(
        f"external {kind} `{name}` not found (`{kind}s.{key}`)",
        hint=f"Create it with `docker {kind} create {name}`, or remove `external: true`.",
    )


def _is_ours(definition: Definition, kind: str, name: str, owner: str | None, notices: list[str]) -> bool:
    """Whether the project owns it; if not, a notice says so."""
    if owner == definition.name:
        return True
    whose = f"belongs to project {owner}" if owner else "does not belong to any project"
    notices.append(f"{kind} {name} {whose} and is used as it is; set `external: true` if that is intended")
    return False

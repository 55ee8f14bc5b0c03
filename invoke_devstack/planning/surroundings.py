"""The networks and volumes of a project: which are made, which are made anew, which must be there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.hashes import network_hash, volume_hash
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import Action, CreateNetwork, CreateVolume, RemoveNetwork
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Network, Service, Volume


@record
class Surroundings:
    """`networks` and `volumes` are key -> the action that makes it. A network in `remade` is there in
    another form: it is removed first, once the containers on it have stopped."""

    networks: dict[str, Action]
    volumes: dict[str, Action]
    remade: frozenset[str]
    notices: tuple[str, ...]


def used_networks(definition: Definition, services: Iterable[Service]) -> tuple[str, ...]:
    """The keys of the networks that `services` join, sorted."""
    keys: set[str] = set()
    for service in services:
        if not service.network_mode:
            keys |= set(service.networks) or {"default"}
    return tuple(sorted(keys & set(definition.networks)))


def used_volumes(definition: Definition, services: Iterable[Service]) -> tuple[str, ...]:
    """The keys of the named volumes that `services` mount, sorted."""
    sources = {
        mount.source
        for service in services
        for mount in service.volumes
        if mount.type == "volume" and mount.source
    }
    return tuple(sorted(sources & set(definition.volumes)))


def surroundings(
    definition: Definition,
    services: Iterable[Service],
    observed: Observed,
    leaving: frozenset[str] = frozenset(),
) -> Surroundings:
    """What `services` need around them. Containers of other services stay on their networks, but for
    those called in `leaving`. Raises DevstackError for an external one that is not there."""
    wanted = tuple(services)
    staying = _staying(observed, {service.name for service in wanted}, leaving)
    notices: list[str] = []
    networks: dict[str, Action] = {}
    remade: set[str] = set()
    for key in used_networks(definition, wanted):
        network = definition.networks[key]
        on_it = sorted(item.name for item in staying if network.name in item.networks)
        action = _network_action(definition, key, network, observed, notices, on_it)
        if action:
            networks[key] = action
            if network.name in observed.networks:
                remade.add(key)
    volumes = {
        key: action
        for key in used_volumes(definition, wanted)
        if (action := _volume_action(definition, key, definition.volumes[key], observed, notices))
    }
    return Surroundings(networks, volumes, frozenset(remade), tuple(notices))


def _staying(
    observed: Observed, services: set[str], leaving: frozenset[str]
) -> tuple[ObservedContainer, ...]:
    """The running containers that a plan for `services` leaves alone."""
    return tuple(
        item
        for item in observed.containers
        if item.state in ("running", "paused", "restarting")
        and item.name not in leaving
        and (item.service not in services or item.oneoff)
    )


def _network_action(
    definition: Definition,
    key: str,
    network: Network,
    observed: Observed,
    notices: list[str],
    on_it: list[str],
) -> Action | None:
    found = observed.networks.get(network.name)
    if network.external:
        if found is None:
            raise DevstackError(
                f"the network `{network.name}` is not there, which `{key}` says is made elsewhere",
                hint=f"Make it with `docker network create {network.name}`, or remove `external: true`.",
            )
        return None
    make = CreateNetwork(
        target=network.name, cause="no network yet", body=network_body(definition.name, key, network)
    )
    if found is None:
        return make
    owner = found.labels.get(label.PROJECT)
    if owner != definition.name:
        notices.append(_not_ours("network", network.name, owner))
        return None
    if found.labels.get(label.CONFIG_HASH, "") in ("", network_hash(network)):
        return None
    if on_it:
        notices.append(
            f"`networks.{key}` changed, but the network {network.name} is kept as it is:"
            f" {', '.join(on_it)} would lose it"
        )
        return None
    return CreateNetwork(target=network.name, cause=f"`networks.{key}` changed", body=make.body)


def _volume_action(
    definition: Definition, key: str, volume: Volume, observed: Observed, notices: list[str]
) -> Action | None:
    found = observed.volumes.get(volume.name)
    if found is None and volume.external:
        raise DevstackError(
            f"the volume `{volume.name}` is not there, which `{key}` says is made elsewhere",
            hint=f"Make it with `docker volume create {volume.name}`, or remove `external: true`.",
        )
    if found is None:
        body = volume_body(definition, key, volume)
        return CreateVolume(target=volume.name, cause="no volume yet", body=body)
    if volume.external:
        return None
    owner = found.labels.get(label.PROJECT)
    if owner != definition.name:
        notices.append(_not_ours("volume", volume.name, owner))
    elif found.labels.get(label.CONFIG_HASH, "") not in ("", volume_hash(volume)):
        notices.append(
            f"`volumes.{key}` changed, but the volume {volume.name} is kept as it is, with its data;"
            f" `invoke down --volumes` and `invoke up` make it anew, empty"
        )
    return None


def _not_ours(kind: str, name: str, owner: str | None) -> str:
    whose = f"belongs to the project {owner}" if owner else "was not made for a project"
    return f"the {kind} {name} {whose} and is used as it is; `external: true` says that it is meant so"


def remove_network(name: str, needs: frozenset[str]) -> RemoveNetwork:
    """Makes room for a network of the same name."""
    return RemoveNetwork(target=name, cause="it is made anew", needs=needs)


def network_body(project: str, key: str, network: Network) -> dict[str, Any]:
    """The body of `POST /networks/create`."""
    labels = dict(network.labels) | {
        label.NETWORK: key,
        label.PROJECT: project,
        label.VERSION: label.COMPOSE_VERSION,
        label.CONFIG_HASH: network_hash(network),
    }
    body: dict[str, Any] = {"Name": network.name, "CheckDuplicate": True, "Labels": labels}
    optional: dict[str, Any] = {
        "Driver": network.driver,
        "Options": dict(network.driver_opts),
        "Internal": network.internal,
        "Attachable": network.attachable,
        "IPAM": _ipam(network),
    }
    body |= {name: value for name, value in optional.items() if value}
    for name, value in (("EnableIPv6", network.enable_ipv6), ("EnableIPv4", network.enable_ipv4)):
        if value is not None:
            body[name] = value
    return body


def _ipam(network: Network) -> dict[str, Any]:
    pools = []
    for pool in network.ipam.config:
        values = {
            "Subnet": pool.subnet,
            "IPRange": pool.ip_range,
            "Gateway": pool.gateway,
            "AuxiliaryAddresses": dict(pool.aux_addresses),
        }
        pools.append({name: value for name, value in values.items() if value})
    driver = {"Driver": network.ipam.driver} if network.ipam.driver else {}
    return driver | ({"Config": pools} if pools else {})


def volume_body(definition: Definition, key: str, volume: Volume) -> dict[str, Any]:
    """The body of `POST /volumes/create`."""
    labels = dict(volume.labels) | {
        label.VOLUME: key,
        label.PROJECT: definition.name,
        label.VERSION: label.COMPOSE_VERSION,
        label.CONFIG_HASH: volume_hash(volume),
        label.DIRECTORY: str(definition.working_dir),
    }
    body: dict[str, Any] = {"Name": volume.name, "Labels": labels}
    if volume.driver:
        body["Driver"] = volume.driver
    if volume.driver_opts:
        body["DriverOpts"] = dict(volume.driver_opts)
    return body

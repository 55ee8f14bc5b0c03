"""Networks: the body that creates one, and how a container joins them (`NetworkMode`, `NetworkingConfig`)."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DefinitionError, EngineError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.hashes import network_hash
from invoke_devstack.planning.bodies.plain_keys import filled
from invoke_devstack.planning.names import container_name
from invoke_devstack.planning.observed import EngineInfo
from invoke_devstack.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke_devstack.definition.model import Definition, Network, Service, ServiceNetwork

SEVERAL_AT_CREATION = (1, 44)
"""Since Engine 25 a container can join several networks, with a MAC address on each, at its creation."""

_INTERFACE_NAMES = (1, 49)
_INTERFACE_OPTION = "com.docker.network.endpoint.ifname"


@record
class Networking:
    """`mode` is the `NetworkMode`. `endpoints` are joined at creation and `later` after it, by network
    name. `mac_address` is the container's, on engines before 25."""

    mode: str
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    later: dict[str, dict[str, Any]] = field(default_factory=dict)
    mac_address: str = ""


def networking(
    definition: Definition,
    service: Service,
    number: int,
    engine: EngineInfo,
    *,
    containers: Mapping[str, str],
    links: list[str],
    aliases: bool = True,
) -> Networking:
    """How container `number` of `service` joins its networks. `containers` is service -> container, for
    `service:NAME`. One-off containers have no `aliases`. Raises EngineError for what the engine is too old
    for, DefinitionError for contradictory MAC addresses."""
    if service.network_mode:
        return Networking(
            shared_mode(service.network_mode, containers), mac_address=service.mac_address or ""
        )
    if not definition.networks:
        return Networking("none")
    _check_addresses(service, engine)
    first, *others = service.networks_by_priority() or ("default",)
    own = _endpoint(definition, service, number, first, links, aliases)
    rest = {
        network_name(definition, key): _endpoint(definition, service, number, key, links, aliases)
        for key in others
    }
    name = network_name(definition, first)
    if engine.api < SEVERAL_AT_CREATION:
        joined = service.networks.get(first)
        mac = (joined.mac_address if joined else None) or service.mac_address or ""
        return Networking(name, {name: own}, rest, mac)
    if service.mac_address:
        own.setdefault("MacAddress", service.mac_address)
    return Networking(name, {name: own} | rest)


def network_name(definition: Definition, key: str) -> str:
    """The name on the engine of the network `key` of the definition."""
    network = definition.networks.get(key)
    return network.name if network else key


def shared_mode(mode: str, containers: Mapping[str, str]) -> str:
    """A network, ipc or pid mode for the engine: `service:NAME` becomes `container:ID`."""
    kind, _, name = mode.partition(":")
    return f"container:{containers[name]}" if kind == "service" else mode


def _endpoint(
    definition: Definition, service: Service, number: int, key: str, links: list[str], aliases: bool
) -> dict[str, Any]:
    joined = service.networks.get(key)
    names = [container_name(definition.name, service, number)]
    if aliases:
        names += [service.name, *(joined.aliases if joined else ())]
    body: dict[str, Any] = {"Aliases": names}
    if links:
        body["Links"] = links
    return body | (_endpoint_options(joined) if joined else {})


def _endpoint_options(joined: ServiceNetwork) -> dict[str, Any]:
    addresses = {
        "IPv4Address": joined.ipv4_address,
        "IPv6Address": joined.ipv6_address,
        "LinkLocalIPs": list(joined.link_local_ips),
    }
    optional = {
        "DriverOpts": {**joined.driver_opts, **filled({_INTERFACE_OPTION: joined.interface_name})},
        "MacAddress": joined.mac_address,
        "GwPriority": joined.gw_priority,
    }
    return {"IPAMConfig": filled(addresses), **filled(optional)}


def _check_addresses(service: Service, engine: EngineInfo) -> None:
    joined = [network for network in service.networks.values() if network]
    if engine.api < _INTERFACE_NAMES and any(network.interface_name for network in joined):
        raise EngineError(
            f"`{service.name}` sets `interface_name`, which {engine.name} {engine.version} does not support",
            hint="Upgrade to Docker Engine 28.1 or later, or remove `interface_name`.",
        )
    addresses = {network.mac_address for network in joined if network.mac_address}
    if engine.api < SEVERAL_AT_CREATION and len(addresses) > 1:
        raise EngineError(
            f"{engine.name} {engine.version} does not support several MAC addresses (`{service.name}`)",
            hint="Upgrade to Docker Engine 25 or later, or set only one `mac_address`.",
        )
    keys = service.networks_by_priority()
    main = service.networks[keys[0]] if keys else None
    if main and main.mac_address and service.mac_address not in (None, main.mac_address):
        raise DefinitionError(
            f"`{service.name}` has two MAC addresses: {service.mac_address} and {main.mac_address}",
            hint=f"Keep only the one of network `{keys[0]}`.",
        )


def network_body(project: str, key: str, network: Network) -> dict[str, Any]:
    """The body of `POST /networks/create`."""
    own = dict(network.labels) | {
        labels.NETWORK: key,
        labels.PROJECT: project,
        labels.VERSION: labels.COMPOSE_VERSION,
        labels.CONFIG_HASH: network_hash(network),
    }
    body: dict[str, Any] = {"Name": network.name, "CheckDuplicate": True, "Labels": own}
    optional: dict[str, Any] = {
        "Driver": network.driver,
        "Options": dict(network.driver_opts),
        "Internal": network.internal,
        "Attachable": network.attachable,
        "IPAM": _ipam(network),
    }
    body |= filled(optional)
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
        pools.append(filled(values))
    options = dict(network.ipam.options)
    return filled({"Driver": network.ipam.driver, "Config": pools, "Options": options})

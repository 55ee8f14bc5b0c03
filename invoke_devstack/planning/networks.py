"""How a service joins networks -> `NetworkMode`, `NetworkingConfig`, and what is joined afterwards."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DefinitionError, EngineError
from invoke_devstack.planning.names import container_name
from invoke_devstack.planning.observed import EngineInfo
from invoke_devstack.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke_devstack.definition.model import Definition, Service, ServiceNetwork

SEVERAL_AT_CREATION = (1, 44)
"""Since Engine 25 a container can be given all its networks, and a MAC address for each, when it is made."""

_INTERFACE_NAMES = (1, 49)
_INTERFACE_OPTION = "com.docker.network.endpoint.ifname"


@record
class Networking:
    """`mode` is that of `HostConfig`; `endpoints` are given at creation, `later` joined after it, both
    by the network's name on the engine. `mac_address` is the container's on engines before 25."""

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
    """`containers` is service -> the container that stands for it in `service:x`. One-off containers
    have no `aliases`."""
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
    """What the engine calls the network that the definition calls `key`."""
    network = definition.networks.get(key)
    return network.name if network else key


def shared_mode(mode: str, containers: Mapping[str, str]) -> str:
    """A network, ipc or pid mode as the engine knows it: `service:x` becomes a container's."""
    kind, _, name = mode.partition(":")
    return f"container:{containers[name]}" if kind == "service" else mode


def shared_service(mode: str | None) -> str:
    """The service that a mode such as `service:x` names, or ""."""
    kind, _, name = (mode or "").partition(":")
    return name if kind == "service" else ""


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
    body: dict[str, Any] = {"IPAMConfig": {key: value for key, value in addresses.items() if value}}
    options = dict(joined.driver_opts)
    if joined.interface_name:
        options[_INTERFACE_OPTION] = joined.interface_name
    if options:
        body["DriverOpts"] = options
    if joined.mac_address:
        body["MacAddress"] = joined.mac_address
    if joined.gw_priority:
        body["GwPriority"] = joined.gw_priority
    return body


def _check_addresses(service: Service, engine: EngineInfo) -> None:
    joined = [network for network in service.networks.values() if network]
    if engine.api < _INTERFACE_NAMES and any(network.interface_name for network in joined):
        raise EngineError(
            f"`interface_name` of `{service.name}` cannot be carried out: the engine is {engine.version}",
            hint="It needs Docker Engine 28.1 or later. Leave it out, or upgrade the engine.",
        )
    addresses = {network.mac_address for network in joined if network.mac_address}
    if engine.api < SEVERAL_AT_CREATION and len(addresses) > 1:
        raise EngineError(
            f"`{service.name}` has several MAC addresses: the engine is {engine.version}",
            hint="That needs Docker Engine 25 or later. Give one `mac_address`, or upgrade the engine.",
        )
    keys = service.networks_by_priority()
    main = service.networks[keys[0]] if keys else None
    if main and main.mac_address and service.mac_address not in (None, main.mac_address):
        raise DefinitionError(
            f"`{service.name}` has two MAC addresses: {service.mac_address} and {main.mac_address}",
            hint=f"Keep that of the network `{keys[0]}`.",
        )

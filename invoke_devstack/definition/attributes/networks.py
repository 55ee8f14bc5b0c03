"""`networks`: at the top level, and as a service joins them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.definition.attributes import decode, merge
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.part import Part, ValueType, key
from invoke_devstack.definition.attributes.resources import EXTERNAL, expand_external
from invoke_devstack.definition.syntax.tree import Items, Location, Steps, Table, dotted, fail, kind_of

_PRIORITY: ValueType[int] = ValueType(decode.number, 0, number=True)


class ServiceNetwork(Part):
    """How a service joins a network. The network of the highest `priority` is joined first."""

    aliases: tuple[str, ...] = key(t.unique(t.DISTINCT_TEXTS))
    driver_opts: Mapping[str, str] = key(t.OPTIONS)
    gw_priority: int = key(_PRIORITY)
    interface_name: str | None = key(t.TEXT)
    ipv4_address: str | None = key(t.TEXT)
    ipv6_address: str | None = key(t.TEXT)
    link_local_ips: tuple[str, ...] = key(t.unique(t.DISTINCT_TEXTS))
    mac_address: str | None = key(t.TEXT)
    priority: int = key(_PRIORITY)


SERVICE_NETWORKS: ValueType[Mapping[str, ServiceNetwork | None]] = t.named_or_nothing(
    t.part(ServiceNetwork), items=t.TEXT, distinct=True, promote=merge.by_name, expand=merge.by_name
)


class IpamPool(Part):
    """A subnet of a network."""

    subnet: str | None = key(t.TEXT)
    gateway: str | None = key(t.TEXT)
    ip_range: str | None = key(t.TEXT)
    aux_addresses: Mapping[str, str] = key(t.TEXT_MAPPING)


def _merge_pools(base: Any, over: Any, kind: ValueType[Any], steps: Steps, location: Location) -> Items:
    """Subnets that are the same are merged; the others are added."""
    for value in (base, over):
        if not isinstance(value, Items) or not all(isinstance(item, Table) for item in value):
            message = f"`{dotted(steps)}` must be a list of mappings, not {kind_of(value)}"
            raise fail(message, location, steps)
    result = Items(base.location)
    for pool, own in base.entries():
        for other, other_location in over.entries():
            if other.get("subnet") != pool.get("subnet"):
                if not _has_subnet(result, other.get("subnet")):
                    result.add(other, other_location)
                    continue
                if _has_subnet(result, pool.get("subnet")):
                    continue
            _put_pool(result, merge.merge(pool, other, kind.items, steps), own)
    return result


def _has_subnet(pools: Items, subnet: Any) -> bool:
    return any(pool.get("subnet") == subnet for pool in pools)


def _put_pool(pools: Items, pool: Table, location: Location) -> None:
    for index, known in enumerate(pools):
        if known.get("subnet") == pool.get("subnet"):
            pools[index] = pool
            return
    pools.add(pool, location)


class Ipam(Part):
    """How a network gives addresses."""

    driver: str | None = key(t.TEXT)
    config: tuple[IpamPool, ...] = key(t.list_of(t.part(IpamPool), merge=_merge_pools))
    options: Mapping[str, str] = key(t.TEXT_MAPPING, printed=False)  # Compose drops them


class Network(Part):
    """A network. `name` is what the engine calls it; an external one is not created here."""

    name: str = key(t.TEXT, default="")
    driver: str | None = key(t.TEXT)
    driver_opts: Mapping[str, str] = key(t.OPTIONS)
    ipam: Ipam = key(t.part(Ipam), default=Ipam(), always=True)
    external: bool = key(EXTERNAL)
    internal: bool = key(t.SWITCH)
    attachable: bool = key(t.SWITCH)
    labels: Mapping[str, str] = key(t.merged(t.LABELS))
    enable_ipv4: bool | None = key(t.SWITCH, default=None, keep_zero=True)
    enable_ipv6: bool | None = key(t.SWITCH, default=None, keep_zero=True)


NETWORKS: ValueType[Mapping[str, Network]] = t.named(
    t.part(Network, nothing=True, expand=expand_external), lenient=True
)

"""Where containers reach this machine, so that what listens there is heard by them and by nobody else.

On Linux that is the address of the default bridge: it is there before the stack's networks are, stays the
same when they are recreated, and every container can reach it, in internal networks too. No cable leads to
it. An engine in a virtual machine of its own (Docker Desktop) has a name for this machine instead. Where
neither works, forwarders do.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import UsageError
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine

LOOPBACK = "127.0.0.1"
_DEFAULT = "com.docker.network.bridge.default_bridge"
_DESKTOP_NAME = "host.docker.internal"


@record
class Gateway:
    """`host` is this machine for a container, empty if forwarders are needed. `binds` are the addresses of
    this machine to listen at."""

    host: str
    binds: tuple[str, ...] = (LOOPBACK,)


def find_gateway(engine: Engine) -> Gateway:
    """Raises UsageError for an engine on another machine, EngineError if it does not answer."""
    if not engine.endpoint.is_local:
        raise UsageError(
            f"traces cannot be received: the engine is on another machine, {engine.endpoint.host}",
            hint="Use an engine on this machine: `docker context use default`.",
        )
    if sys.platform != "linux":
        return Gateway(_DESKTOP_NAME)
    for address in _addresses(engine):
        if _is_ours(address):
            return Gateway(address, (address, LOOPBACK))
    return Gateway("")


def _addresses(engine: Engine) -> Iterator[str]:
    """Only those of the default bridge: what the project's own networks have is known after the first `up`
    alone, and the second would recreate everything."""
    for network in engine.list_networks({"driver": ["bridge"]}):
        if (network.get("Options") or {}).get(_DEFAULT) == "true":
            yield from _gateways(network)


def _gateways(network: Mapping[str, Any]) -> Iterator[str]:
    """Older engines do not name the gateway of the default bridge: it is the first address."""
    for pool in (network.get("IPAM") or {}).get("Config") or ():
        with suppress(KeyError, StopIteration, ValueError):
            found = pool.get("Gateway") or str(next(ipaddress.ip_network(pool["Subnet"]).hosts()))
            address = ipaddress.ip_address(found)
            if address.version == 4 and address.is_private:
                yield found


def _is_ours(address: str) -> bool:
    """Whether it is an address of this machine: an engine without root has networks that are not."""
    with socket.socket() as probing:
        try:
            probing.bind((address, 0))
        except OSError:
            return False
    return True

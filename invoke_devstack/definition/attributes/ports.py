"""`ports` of a service, in long form and short (`[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`)."""

from __future__ import annotations

import ipaddress
from typing import Any

from invoke_devstack.definition.attributes import decode, merge
from invoke_devstack.definition.attributes.part import Part, ValueType, key
from invoke_devstack.definition.attributes.types import COUNT, TEXT, defaults, list_of, part
from invoke_devstack.definition.syntax.scalars import to_text
from invoke_devstack.definition.syntax.tree import Items, Location, Steps, Table, dotted, fail, table_of
from invoke_devstack.records import record

_LONGEST = 20  # characters of a port's number, leading zeros included
_PROTOCOLS = ("tcp", "udp", "sctp")


class Port(Part):
    """A published port. `published` is a text: a port, a range of them, or None for any free one."""

    name: str | None = key(TEXT)
    mode: str | None = key(TEXT)
    host_ip: str | None = key(TEXT)
    target: int = key(COUNT.but(decode=decode.count_up_to(2**32 - 1)), default=0)
    published: str | None = key(TEXT.but(integer=True))
    protocol: str = key(TEXT, default="tcp")
    app_protocol: str | None = key(TEXT)


def _expand(value: Any, location: Location, steps: Steps) -> Items:
    result = Items(location)
    for index, (item, own) in enumerate(value.entries()):
        place = (*steps, f"[{index}]")
        for port in [item] if isinstance(item, Table) else _expand_port(item, own, place):
            result.add(port, own)
    return result


def _expand_port(value: Any, location: Location, steps: Steps) -> list[Table]:
    hint = "Write HOST:CONTAINER, such as 8080:80."
    if isinstance(value, float):
        raise fail(f"`{dotted(steps)}`: invalid port `{to_text(value)}`", location, steps, hint)
    try:
        specs = parse_ports(str(value))
    except ValueError as error:
        raise fail(f"`{dotted(steps)}`: {error}", location, steps, hint) from None
    return [_long_form(spec, location) for spec in specs]


def _long_form(spec: PortSpec, location: Location) -> Table:
    values: dict[str, Any] = {"mode": "ingress", "target": spec.target, "protocol": spec.protocol}
    if spec.published:
        values["published"] = spec.published
    if spec.host_ip:
        values["host_ip"] = spec.host_ip
    return table_of(values, location)


def _identity(value: Any, location: Location, steps: Steps) -> str:
    if not isinstance(value, Table):
        return str(value) if isinstance(value, str | int) else ""
    if "target" not in value:
        raise fail(f"`{dotted(steps)}` needs a `target`", location, steps, "Add the port in the container.")
    host, protocol = value.get("host_ip", "0.0.0.0"), value.get("protocol", "tcp")
    return f"{host}:{value.get('published')}:{value['target']}/{protocol}"


def _verify(port: Table, location: Location, steps: Steps) -> Table:
    address = port.get("host_ip")
    if address is not None and not is_address(address):
        raise fail(f"invalid IP address `{address}`", port.location_of("host_ip"), steps)
    return port


PORTS: ValueType[tuple[Port, ...]] = list_of(
    part(Port, text=True, number=True, complete=defaults(protocol="tcp", mode="ingress"), verify=_verify),
    distinct=True,
    unique=merge.unique_by(_identity),
    expand=_expand,
)


@record
class PortSpec:
    """One container port and where it is published; "" for what the text leaves out."""

    target: int
    published: str
    host_ip: str
    protocol: str


def parse_ports(text: str) -> list[PortSpec]:
    """The ports of a short form, which may be a range, in Compose's order. Raises ValueError."""
    *host, published, container = ["", "", *text.split(":")][-max(3, text.count(":") + 1) :]
    address = _address(":".join(host))
    container, protocol, *_ = [*container.split("/"), ""]  # Compose ignores what follows a second slash
    protocol = (protocol or "tcp").lower()
    if protocol not in _PROTOCOLS:
        raise ValueError(f"unknown protocol `{protocol}`; use tcp, udp or sctp")
    first, last = _range(container, "container port")
    if first == 0:
        raise ValueError("invalid container port 0")
    if not published:
        return [PortSpec(port, "", address, protocol) for port in _ordered(first, last)]
    host_first, host_last = _range(published, "host port")
    if first == last:
        shown = str(host_first) if host_first == host_last else f"{host_first}-{host_last}"
        return [PortSpec(first, shown, address, protocol)]
    if last - first != host_last - host_first:
        raise ValueError(f"the ranges {published} and {container} differ in length")
    offset = host_first - first
    return [PortSpec(port, str(port + offset), address, protocol) for port in _ordered(first, last)]


def is_address(text: str) -> bool:
    """Whether a text is an IP address without a zone."""
    try:
        return not getattr(ipaddress.ip_address(text), "scope_id", None)
    except ValueError:
        return False


def _ordered(first: int, last: int) -> list[int]:
    return sorted(range(first, last + 1), key=str)


def _address(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if bare and not is_address(bare):
        raise ValueError(f"invalid IP address `{text}`")
    if ":" in bare and bare == text:
        raise ValueError(f"put the address in brackets: [{text}]")
    return bare


def _range(text: str, what: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    start = _number(first, what)
    end = _number(last, what) if dash else start
    if end < start:
        raise ValueError(f"the range `{text}` of {what}s ends before it starts")
    return start, end


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < _LONGEST and int(text) <= 65535):
        raise ValueError(f"invalid {what} `{text[:_LONGEST]}`")
    return int(text)

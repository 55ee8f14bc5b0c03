"""`ports` in short form: `[HOST:]CONTAINER[/PROTOCOL]` (Compose Specification, "Short syntax" of ports)."""

from __future__ import annotations

import ipaddress

from invoke_devstack.records import record

_LONGEST = 20  # characters of a port's number, zeros in front included
_PROTOCOLS = ("tcp", "udp", "sctp")


@record
class PortSpec:
    """One container port and where it is published; empty texts where nothing is said."""

    target: int
    published: str
    host_ip: str
    protocol: str


def parse_ports(text: str) -> list[PortSpec]:
    """The ports of a short form, which may be a range, in Compose's order. ValueError for a bad one."""
    *host, published, container = ["", "", *text.split(":")][-max(3, text.count(":") + 1) :]
    address = _address(":".join(host))
    container, _, protocol = container.partition("/")
    protocol = (protocol or "tcp").lower()
    if protocol not in _PROTOCOLS:
        raise ValueError(f"`{protocol}` is no protocol; there are {', '.join(_PROTOCOLS)}")
    first, last = _range(container, "container port")
    if first == 0:
        raise ValueError("0 is no container port")
    if not published:
        return [PortSpec(port, "", address, protocol) for port in _ordered(first, last)]
    host_first, host_last = _range(published, "host port")
    if first == last:
        shown = str(host_first) if host_first == host_last else f"{host_first}-{host_last}"
        return [PortSpec(first, shown, address, protocol)]
    if last - first != host_last - host_first:
        raise ValueError(f"the ranges {published} and {container} are not equally long")
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
        raise ValueError(f"`{text}` is no IP address")
    if ":" in bare and bare == text:
        raise ValueError(f"`{text}` needs brackets: [{text}]")
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
        raise ValueError(f"`{text[:_LONGEST]}` is no {what}")
    return int(text)

"""Chooses how a service is probed for readiness: as it declares, else by its healthcheck, its protocol or its
port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning.connections import EXTENSION, bad_extension
from invoke_devstack.planning.known_images import KNOWN_IMAGES, ProbeKind, known_image
from invoke_devstack.planning.observed import ObservedImage
from invoke_devstack.planning.plan import Probe

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_NANO = 10**9
_SERVER_PORTS = {
    image.port: image.probe for image in KNOWN_IMAGES.values() if image.probe and image.probe.is_protocol
}
HTTP_PORTS = frozenset({80, 3000, 4200, 5000, 5173, 8000, 8008, 8080, 8081, 8888, 9090, 9200})
CONSOLE_PORTS = frozenset({9000, *(image.page for image in KNOWN_IMAGES.values() if image.page)})
"""Often a web page, but not always (PHP-FPM uses 9000), or a late one: worth opening, not worth probing."""


def probe_of(service: Service, image: ObservedImage | None) -> Probe:
    """The probe of a service that does not declare one (`declared_probe`). `image` is None while it is not on
    the engine: its healthcheck and ports are unknown until then."""
    check = service.healthcheck
    off = check is not None and (check.disable or check.test[:1] == ("NONE",))
    test = check.test if check and check.test else image.healthcheck if image else ()
    if test and test[0] != "NONE" and not off:
        # Docker's own defaults: 30 s between probes and for each, 3 retries, no start period.
        return Probe(
            ProbeKind.HEALTHCHECK,
            command=test,
            timeout=float(check.timeout) if check and check.timeout else 30.0,
            interval=float(check.interval) if check and check.interval else 30.0,
            retries=check.retries if check and check.retries else 3,
            start_period=float(check.start_period) if check and check.start_period else 0.0,
        )
    words = service.entrypoint or service.command or ()
    return _by_port(service.image or "", words, _tcp_ports(service, image))


def is_server_port(port: int) -> bool:
    """Whether a server that is no page usually has this port, such as 3306."""
    return port in _SERVER_PORTS and port not in HTTP_PORTS | CONSOLE_PORTS


def declared_probe(definition: Definition, service: Service) -> Probe | None:
    """What `x-devstack.ready` says: `running`, a port, or `{port: 8080, path: /health}`. None if it says
    nothing. Raises DefinitionError for anything else."""
    extension: Any = service.extensions.get(EXTENSION)
    said: Any = extension.get("ready") if isinstance(extension, Mapping) else None
    if said is None:
        return None
    if said == ProbeKind.RUNNING:
        return Probe(ProbeKind.RUNNING, declared=True)
    parts: Mapping[str, Any] = said if isinstance(said, Mapping) else {"port": said}
    port, path = str(parts.get("port", "")), str(parts.get("path", ""))
    known = not parts.keys() - {"port", "path"}
    if not (known and port.isdecimal() and (path.startswith("/") or not path)):
        raise bad_extension(
            definition,
            service,
            f"`{EXTENSION}.ready` of `{service.name}` must be `running`, a port, or a port and a path",
            f"Use `{EXTENSION}: {{ready: {{port: 8080, path: /health}}}}`.",
        )
    number = int(port)
    kind = ProbeKind.HTTP if path or number in HTTP_PORTS else _SERVER_PORTS.get(number, ProbeKind.PORT)
    return Probe(kind, port=number, path=path or "/", declared=True)


def probe_of_container(inspected: Mapping[str, Any]) -> Probe:
    """The probe of a container, from its inspection, which merges service and image."""
    config = inspected.get("Config") or {}
    check = config.get("Healthcheck") or {}
    test = tuple(check.get("Test") or ())
    if test and test[0] != "NONE":
        return Probe(
            ProbeKind.HEALTHCHECK,
            command=test,
            timeout=(check.get("Timeout") or 30 * _NANO) / _NANO,
            interval=(check.get("Interval") or 30 * _NANO) / _NANO,
            retries=check.get("Retries") or 3,
            start_period=(check.get("StartPeriod") or 0) / _NANO,
        )
    bound = (inspected.get("HostConfig") or {}).get("PortBindings") or {}
    exposed = config.get("ExposedPorts") or {}
    words = tuple(config.get("Cmd") or config.get("Entrypoint") or ())
    return _by_port(config.get("Image") or "", words, _numbers((*bound, *sorted(exposed))))


def _by_port(image: str, words: tuple[str, ...], ports: tuple[int, ...]) -> Probe:
    """A known server by its image's name (on its usual port if it has it, else on its first one), else a
    well-known port, else the first port. `words` are its command, if that is known."""
    known = known_image(image)
    if known and known.probe and ports:
        port = known.probe_port or known.port
        port = port if port in ports else ports[0]
        return Probe(known.probe, port=port, is_known_server=_runs(known.name, words))
    for number in ports:
        if number in _SERVER_PORTS:
            return Probe(_SERVER_PORTS[number], port=number, other_ports=_without(number, ports))
    for number in ports:
        if number in HTTP_PORTS:
            return Probe(ProbeKind.HTTP, port=number, other_ports=_without(number, ports))
    return Probe(ProbeKind.PORT, port=ports[0], other_ports=ports[1:]) if ports else Probe(ProbeKind.RUNNING)


def _runs(server: str, words: tuple[str, ...]) -> bool:
    """Whether the command runs the image's own server: it is the image's, or flags, or names the server."""
    return not words or words[0].startswith("-") or server in words[0]


def _without(number: int, ports: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(port for port in ports if port != number)


def _tcp_ports(service: Service, image: ObservedImage | None) -> tuple[int, ...]:
    """Published ports first, then exposed ones, then those of the image."""
    published = (f"{port.target}/{port.protocol}" for port in service.ports)
    return _numbers((*published, *service.expose, *(image.exposed_ports if image else ())))


def _numbers(ports: Iterable[str]) -> tuple[int, ...]:
    """The TCP ports in texts such as `6379/tcp` and `8000-8005` (the first of a range), without repeats."""
    numbers: list[int] = []
    for text in ports:
        number, _, protocol = text.partition("/")
        first = number.partition("-")[0]
        if protocol in ("", "tcp") and first.isdecimal() and int(first) not in numbers:
            numbers.append(int(first))
    return tuple(numbers)

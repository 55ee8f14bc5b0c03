"""How a service is asked whether it is ready: its healthcheck, else its protocol, else its port."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning.observed import ObservedImage
from invoke_devstack.planning.plan import Probe

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Healthcheck, Service

_NANO = 10**9
_SERVER_IMAGES = {
    "redis": ("redis", 6379),
    "valkey": ("redis", 6379),
    "keydb": ("redis", 6379),
    "dragonfly": ("redis", 6379),
    "mysql": ("mysql", 3306),
    "mariadb": ("mysql", 3306),
    "percona": ("mysql", 3306),
    "percona-server": ("mysql", 3306),
    "postgres": ("postgres", 5432),
    "postgresql": ("postgres", 5432),
    "postgis": ("postgres", 5432),
    "timescaledb": ("postgres", 5432),
    "pgvector": ("postgres", 5432),
    "nginx": ("http", 80),
    "httpd": ("http", 80),
    "caddy": ("http", 80),
    "traefik": ("http", 80),
    "elasticsearch": ("http", 9200),
    "opensearch": ("http", 9200),
    "minio": ("http", 9000),
    "grafana": ("http", 3000),
    "prometheus": ("http", 9090),
    "mailhog": ("http", 8025),
    "mailpit": ("http", 8025),
    "adminer": ("http", 8080),
    "phpmyadmin": ("http", 80),
    "wordpress": ("http", 80),
}
_SERVER_PORTS = {6379: "redis", 3306: "mysql", 5432: "postgres"}
_HTTP_PORTS = frozenset({80, 3000, 4200, 5000, 5173, 8000, 8008, 8080, 8081, 8888, 9090, 9200})


def probe_of(service: Service, image: ObservedImage | None) -> Probe:
    """The probe of a service. `image` None: it is not on the engine yet, so its own healthcheck and
    ports are not known."""
    check = service.healthcheck
    if check is not None and (check.disable or check.test[:1] == ("NONE",)):
        return _by_port(service.image or "", _tcp_ports(service, image))
    test = check.test if check and check.test else image.healthcheck if image else ()
    if test and test[0] != "NONE":
        return _healthcheck_probe(test, check)
    return _by_port(service.image or "", _tcp_ports(service, image))


def probe_of_container(inspected: Mapping[str, Any]) -> Probe:
    """The probe of a container as `GET /containers/ID/json` shows it, in which image and service are one."""
    config = inspected.get("Config") or {}
    check = config.get("Healthcheck") or {}
    test = tuple(check.get("Test") or ())
    if test and test[0] != "NONE":
        return Probe(
            "healthcheck",
            command=test,
            timeout=(check.get("Timeout") or 30 * _NANO) / _NANO,
            interval=(check.get("Interval") or 30 * _NANO) / _NANO,
            retries=check.get("Retries") or 3,
            start_period=(check.get("StartPeriod") or 0) / _NANO,
        )
    bound = (inspected.get("HostConfig") or {}).get("PortBindings") or {}
    exposed = config.get("ExposedPorts") or {}
    return _by_port(config.get("Image") or "", _numbers((*bound, *sorted(exposed))))


def _healthcheck_probe(test: tuple[str, ...], check: Healthcheck | None) -> Probe:
    """Docker's own defaults: 30 s between probes and for each, 3 retries, no start period."""
    return Probe(
        "healthcheck",
        command=test,
        timeout=float(check.timeout) if check and check.timeout else 30.0,
        interval=float(check.interval) if check and check.interval else 30.0,
        retries=check.retries if check and check.retries else 3,
        start_period=float(check.start_period) if check and check.start_period else 0.0,
    )


def _by_port(image: str, ports: tuple[int, ...]) -> Probe:
    """A known server by its image's name (on its own port if it listens there, else on its first one),
    else by a well-known port, else whatever the first port tells."""
    kind, port = _SERVER_IMAGES.get(_image_word(image), ("", 0))
    if kind and ports:
        return Probe(kind, port=port if port in ports else ports[0])
    for number in ports:
        if number in _SERVER_PORTS:
            return Probe(_SERVER_PORTS[number], port=number)
    for number in ports:
        if number in _HTTP_PORTS:
            return Probe("http", port=number)
    return Probe("port", port=ports[0]) if ports else Probe("running")


def _image_word(reference: str) -> str:
    """The last word of an image's name: `bitnami/redis:7@sha256:…` is `redis`."""
    return re.split(r"[:@]", reference.rpartition("/")[2])[0].lower()


def _tcp_ports(service: Service, image: ObservedImage | None) -> tuple[int, ...]:
    """Published ports first, then exposed ones, then those of the image."""
    published = (f"{port.target}/{port.protocol}" for port in service.ports)
    return _numbers((*published, *service.expose, *(image.exposed_ports if image else ())))


def _numbers(ports: Iterable[str]) -> tuple[int, ...]:
    """The TCP ports of texts such as `6379/tcp` and `8000-8005`, each once (of a range the first)."""
    numbers: list[int] = []
    for text in ports:
        number, _, protocol = text.partition("/")
        first = number.partition("-")[0]
        if protocol in ("", "tcp") and first.isdecimal() and int(first) not in numbers:
            numbers.append(int(first))
    return tuple(numbers)

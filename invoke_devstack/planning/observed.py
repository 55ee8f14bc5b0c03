"""What is on the engine, as plain data: all that the planner knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from invoke_devstack.records import record


@record
class PublishedPort:
    """A port of a container that the engine has published. `host_port` is 0 while it is not bound."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str = "tcp"


@record
class ObservedMount:
    """A mount as `inspect` shows it. `type`: volume, bind, tmpfs. `name` is the volume's."""

    type: str
    target: str
    source: str = ""
    name: str = ""


@record
class ObservedContainer:
    """One container of the project, running or not."""

    id: str
    name: str
    service: str
    number: int
    image: str  # the reference it was made from
    image_id: str
    state: str  # created, running, paused, restarting, removing, exited, dead
    health: str = ""  # "", starting, healthy, unhealthy
    exit_code: int | None = None  # None while it runs
    oneoff: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PublishedPort, ...] = ()
    networks: Mapping[str, str] = field(default_factory=dict)  # network's name -> its id
    mounts: tuple[ObservedMount, ...] = ()
    created_at: str = ""  # RFC 3339
    started_at: str = ""  # RFC 3339; "" if it never started
    stop_signal: str = ""  # "" if the image's or the engine's own
    stop_timeout: float | None = None  # seconds; None if the engine's own
    environment: Mapping[str, str] | None = None  # None: not asked for (`observe` without `inspect`)
    command: tuple[str, ...] | None = None  # likewise


@record
class ObservedNetwork:
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@record
class ObservedVolume:
    name: str
    driver: str = "local"
    labels: Mapping[str, str] = field(default_factory=dict)


@record
class ObservedImage:
    """An image that is on the engine, under the reference that the definition asks for."""

    reference: str
    id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    exposed_ports: tuple[str, ...] = ()  # "6379/tcp"
    volumes: tuple[str, ...] = ()  # paths of VOLUME instructions
    healthcheck: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    stop_signal: str = ""
    tagged_at: str = ""  # RFC 3339: when the reference was last given to it here


@record
class EngineInfo:
    """The engine itself. `api` as (1, 41)."""

    version: str
    api: tuple[int, int]
    os: str = "linux"
    architecture: str = ""
    name: str = "Docker Engine"  # or Podman


@record
class Observed:
    """Everything of one project on one engine, at one moment."""

    project: str
    engine: EngineInfo
    containers: tuple[ObservedContainer, ...] = ()
    networks: Mapping[str, ObservedNetwork] = field(default_factory=dict)  # by name; external ones too
    volumes: Mapping[str, ObservedVolume] = field(default_factory=dict)  # by name; external ones too
    images: Mapping[str, ObservedImage] = field(default_factory=dict)  # by reference asked for

    def of_service(self, service: str) -> tuple[ObservedContainer, ...]:
        """The service's own containers (no one-off ones), by number."""
        own = (item for item in self.containers if item.service == service and not item.oneoff)
        return tuple(sorted(own, key=lambda item: item.number))

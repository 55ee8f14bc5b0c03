"""What is on the engine, as plain data: everything the planner knows about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from invoke_devstack.records import record

ACTIVE = frozenset({"running", "paused", "restarting"})
"""States in which a container has to be stopped before it is removed."""
STARTABLE = frozenset({"created", "exited"})
ENDED = frozenset({"exited", "dead"})
REMOVABLE = STARTABLE | ENDED


@record
class PublishedPort:
    """A published port of a container. `host_port` is 0 while it is not bound."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str = "tcp"


@record
class ObservedMount:
    """A mount as `inspect` shows it. `type`: volume, bind, tmpfs. `name` is the name of a volume.
    `anonymous`: the container was created without a name for it; False if that is unknown."""

    type: str
    target: str
    source: str = ""
    name: str = ""
    anonymous: bool = False


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
    started_again: bool = False  # it was started within the last seconds, and not for the first time
    oneoff: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PublishedPort, ...] = ()
    networks: Mapping[str, str] = field(default_factory=dict)  # network's name -> its id
    cut_off: bool = False  # it runs, and the engine has taken its addresses and ports away
    mounts: tuple[ObservedMount, ...] = ()
    created_at: str = ""  # RFC 3339
    started_at: str = ""  # RFC 3339; "" if it never started
    restarts: int = 0  # by the engine since its last start, with `inspect`
    memory_limit: int | None = None  # bytes, if killed for memory (0: none), with `inspect`
    stop_signal: str = ""  # "" if the image's or the engine's own
    stop_timeout: float | None = None  # seconds; None if the engine's own
    environment: Mapping[str, str] | None = None  # None: unknown (`observe` without `inspect`)
    command: tuple[str, ...] | None = None  # likewise

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def has_exited(self) -> bool:
        return self.state == "exited"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


@record
class ObservedNetwork:
    """`guests` are running containers of other projects on it; see `running.observing.with_guests`.
    `doubled`: the project has another one of this name."""

    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    guests: tuple[str, ...] = ()
    doubled: bool = False


@record
class ObservedVolume:
    name: str
    driver: str = "local"
    labels: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""  # RFC 3339, in whole seconds


@record
class ObservedImage:
    """An image on the engine, under the reference used in the definition."""

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
    tagged_at: str = ""  # RFC 3339: when it was last tagged with the reference on this engine


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
    """Everything that belongs to one project on one engine, at one moment."""

    project: str
    engine: EngineInfo
    containers: tuple[ObservedContainer, ...] = ()
    networks: Mapping[str, ObservedNetwork] = field(default_factory=dict)  # by name; external ones too
    volumes: Mapping[str, ObservedVolume] = field(
        default_factory=dict
    )  # by name; external ones too, and all that are mounted
    images: Mapping[str, ObservedImage] = field(default_factory=dict)  # by reference
    ours: tuple[ObservedVolume, ...] = ()  # volumes with our labels alone, of any project: snapshots, marks

    def of_service(self, service: str) -> tuple[ObservedContainer, ...]:
        """The service's containers without one-off ones, by number."""
        own = (item for item in self.containers if item.service == service and not item.oneoff)
        return tuple(sorted(own, key=lambda item: item.number))


def seconds_of(text: str) -> float:
    """RFC 3339, also with nanoseconds, as seconds since the epoch; 0.0 if it is not."""
    trimmed = re.sub(r"(\.\d{1,6})\d*", r"\1", text).replace("Z", "+00:00")
    try:
        return max(0.0, datetime.fromisoformat(trimmed).timestamp())
    except ValueError:
        return 0.0

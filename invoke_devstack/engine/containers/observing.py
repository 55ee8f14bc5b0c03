"""The engine's state, as `Observed`. The list of containers has nearly everything, so containers are
inspected only on request; independent requests are sent in parallel."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from invoke_devstack.engine.containers.listing import Listing
from invoke_devstack.engine.transport import shapes
from invoke_devstack.engine.transport.api import filters_of
from invoke_devstack.errors import NotFoundError
from invoke_devstack.planning.labels import NUMBER, ONEOFF, OWN, PROJECT, SERVICE
from invoke_devstack.planning.observed import (
    ACTIVE,
    ENDED,
    REMOVABLE,
    EngineInfo,
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedMount,
    ObservedNetwork,
    ObservedVolume,
    PublishedPort,
)

if TYPE_CHECKING:
    from invoke_devstack.planning.plan import Body

_STATES = ACTIVE | REMOVABLE | {"removing"}
_LATELY = 10  # seconds
_SLOW_START = 2  # seconds between the creation and the first start of a container, at most


class Observing(Listing):
    """The part of the engine that reads its state."""

    _headers: Mapping[str, str]
    _version: tuple[int, int]
    _info: EngineInfo | None = None

    def info(self) -> EngineInfo:
        """The engine itself; requested once. It takes Docker 5 ms and Podman 1 s."""
        if self._info is None:
            self._info = read_info(self._headers, self._version, self._api.get("/version", shapes.VERSION))
        return self._info

    @property
    def _is_podman(self) -> bool:
        return is_podman(self._headers)

    def system_info(self) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self._api.get("/info", shapes.INFO)
        return body

    def disk_usage(self) -> Mapping[str, Any]:
        """See `Engine.disk_usage`."""
        body: Mapping[str, Any] = self._api.get("/system/df", shapes.DISK_USAGE)
        return body

    def observe(
        self,
        project: str,
        *,
        images: Iterable[str] = (),
        networks: Iterable[str] = (),
        volumes: Iterable[str] = (),
        inspect: bool = False,
    ) -> Observed:
        """See `Engine.observe`."""
        pool = self._api.pool
        seen_images = {name: pool.submit(self.find_image, name) for name in set(images)}
        seen_networks = pool.submit(self._api.get, "/networks", shapes.NETWORKS)
        seen_volumes = pool.submit(self._api.get, "/volumes", shapes.VOLUMES)
        entries = self.list_containers({"label": [f"{PROJECT}={project}"]})
        containers = tuple(read_container(entry) for entry in entries)
        if inspect or self._is_podman:  # its list has no health
            containers = tuple(
                with_details(item, body)
                for item, body in zip(containers, pool.map(self._inspect_if_there, containers), strict=True)
                if body is not None
            )
        found = {name: future.result() for name, future in seen_images.items()}
        on_engine = read_networks(seen_networks.result(), project, frozenset(networks))
        return Observed(
            project=project,
            engine=self._info or read_info(self._headers, self._version, {}),
            containers=tuple(with_network_ids(item, on_engine) for item in containers),
            networks=on_engine,
            volumes=read_volumes(seen_volumes.result(), project, {*volumes, *_mounted(containers)}),
            images={name: image for name, image in found.items() if image is not None},
            ours=read_our_volumes(seen_volumes.result()),
        )

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self._api.get(
            f"/containers/{quote(container, safe='')}/json", shapes.CONTAINER
        )
        return body

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self._api.get(f"/images/{quote(reference, safe='/:@')}/json", shapes.IMAGE)
        return body

    def find_image(self, reference: str) -> ObservedImage | None:
        try:
            return read_image(reference, self.inspect_image(reference))
        except NotFoundError:
            return None

    def list_images(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        entries: list[Body] = self._api.get("/images/json", shapes.IMAGES, {"filters": filters_of(filters)})
        return entries

    def list_networks(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        entries: list[Body] = self._api.get("/networks", shapes.NETWORKS, {"filters": filters_of(filters)})
        return entries

    def _inspect_if_there(self, container: ObservedContainer) -> Mapping[str, Any] | None:
        try:
            return self.inspect_container(container.id)
        except NotFoundError:
            return None  # removed since it was listed


def read_info(headers: Mapping[str, str], version: tuple[int, int], body: Mapping[str, Any]) -> EngineInfo:
    """The engine, from the headers of `/_ping` and the body of `/version`, if there is one."""
    server = re.match(r"\w+/(\S+)", headers.get("Server", ""))
    return EngineInfo(
        version=str(body.get("Version") or (server[1] if server else "")),
        api=version,
        os=str(body.get("Os") or headers.get("Ostype") or "linux"),
        architecture=str(body.get("Arch", "")),
        name="Podman" if is_podman(headers) else "Docker Engine",
    )


def is_podman(headers: Mapping[str, str]) -> bool:
    return "Libpod-Api-Version" in headers or "Libpod" in headers.get("Server", "")


def read_container(entry: Body) -> ObservedContainer:
    """A container from an entry of `GET /containers/json`."""
    labels = entry.get("Labels") or {}
    status = str(entry.get("Status", ""))
    number = str(labels.get(NUMBER, ""))
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return ObservedContainer(
        id=entry["Id"],
        name=_name(entry.get("Names") or ()),
        service=labels.get(SERVICE, ""),
        number=int(number) if number.isdigit() else 1,
        image=entry.get("Image", ""),
        image_id=entry.get("ImageID", ""),
        state=str(entry.get("State", "")),
        health=health_in(status),
        exit_code=exit_code_in(status),
        started_again=_started_again(status, int(entry.get("Created", 0))),
        oneoff=str(labels.get(ONEOFF, "")).lower() == "true",
        labels=labels,
        ports=_ports(entry.get("Ports") or ()),
        networks={name: endpoint.get("NetworkID", "") for name, endpoint in networks.items()},
        cut_off=entry.get("State") == "running" and _is_cut_off(networks),
        mounts=tuple(_mount(mount) for mount in entry.get("Mounts") or ()),
        created_at=datetime.fromtimestamp(int(entry.get("Created", 0)), UTC).isoformat(),
    )


def _is_cut_off(networks: Mapping[str, Body]) -> bool:
    """Whether the engine has forgotten the container's part in all of its networks. Podman 4, which tells no
    ids of networks, tells no ids of endpoints either."""
    known = [item for name, item in networks.items() if item.get("NetworkID") not in (None, "", name)]
    return bool(known) and not any(
        item.get("EndpointID") or item.get("IPAddress") or item.get("MacAddress") for item in known
    )


def with_network_ids(
    container: ObservedContainer, networks: Mapping[str, ObservedNetwork]
) -> ObservedContainer:
    """The container with the ids of its networks, where the engine tells their names, as Podman 4 does."""
    if not any(name == told and name in networks for name, told in container.networks.items()):
        return container
    from dataclasses import replace

    known = container.networks.items()
    ids = {name: networks[name].id if name == told and name in networks else told for name, told in known}
    return replace(container, networks=ids)


def _signal_name(told: str) -> str:
    """`SIGTERM` for `15`, which is how Podman tells it."""
    if not told.isdigit():
        return told
    import signal

    return next((item.name for item in signal.Signals if item == int(told)), told)


def with_details(container: ObservedContainer, body: Mapping[str, Any]) -> ObservedContainer:
    """The container with what only `inspect` has, and with the state that it tells: an engine whose disk was
    full lists what has exited since then as running and healthy, until it changes again."""
    from dataclasses import replace

    state, config = body.get("State") or {}, body.get("Config") or {}
    variables = (entry.partition("=") for entry in config.get("Env") or ())
    started = str(state.get("StartedAt", ""))
    told = str(state.get("Status", ""))
    now = told if told in _STATES else container.state  # Podman has words of its own
    ended = now in ENDED
    return replace(
        container,
        state=now,
        # Between the list and the inspection, the engine may have started it once more.
        started_again=container.started_again or (container.state != now and now == "running"),
        created_at=body.get("Created") or container.created_at,
        started_at="" if started.startswith("0001-") else started,
        health=((state.get("Health") or {}).get("Status") or "").replace("none", ""),
        exit_code=state.get("ExitCode") if ended else container.exit_code,
        restarts=int(body.get("RestartCount") or 0),
        memory_limit=(body.get("HostConfig") or {}).get("Memory", 0) if state.get("OOMKilled") else None,
        stop_signal=_signal_name(config.get("StopSignal") or ""),
        stop_timeout=config.get("StopTimeout"),
        environment={name: value for name, _, value in variables},
        command=tuple(config.get("Cmd") or ()),
        mounts=tuple(
            replace(mount, anonymous=mount.type == "volume" and mount.target not in _named_targets(body))
            for mount in container.mounts
        ),
    )


def _named_targets(body: Mapping[str, Any]) -> frozenset[str]:
    """The paths at which the container was created with a volume's name or a directory. With `VolumesFrom`
    another container may have been; then all count."""
    host = body.get("HostConfig") or {}
    if host.get("VolumesFrom"):
        return frozenset(mount.get("Destination", "") for mount in body.get("Mounts") or ())
    binds = (line.split(":") for line in host.get("Binds") or ())
    mounts = (mount for mount in host.get("Mounts") or () if mount.get("Source"))
    named = [*(parts[1] for parts in binds if len(parts) > 1), *(mount["Target"] for mount in mounts)]
    return frozenset(posixpath.normpath(target) for target in named)


def _mounted(containers: Iterable[ObservedContainer]) -> Iterator[str]:
    for container in containers:
        yield from (mount.name for mount in container.mounts if mount.name)


def health_in(status: str) -> str:
    """The health in a status such as `Up 5 seconds (healthy)`, `Up 1 second (health: starting)`."""
    match = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", status)
    return match[1] if match else ""


def exit_code_in(status: str) -> int | None:
    """The code in `Exited (137) 2 hours ago`; None for any other status."""
    match = re.match(r"Exited \((-?\d+)\)", status)
    return int(match[1]) if match else None


def _started_again(status: str, created: int) -> bool:
    """Whether a container with a status such as `Up 5 seconds` was created clearly before it started."""
    match = re.match(r"Up (?:(\d+) second|Less than a second)", status)
    up = int(match[1] or 0) if match else 0
    return bool(match) and up <= _LATELY and time.time() - created > up + _SLOW_START


def _name(names: Sequence[str]) -> str:
    """The container's own name; links add names with a slash in the middle."""
    own = [name.lstrip("/") for name in names if name.count("/") <= 1]
    return own[0] if own else ""


def _ports(entries: Iterable[Body]) -> tuple[PublishedPort, ...]:
    published = {
        PublishedPort(
            host_ip=entry.get("IP", ""),
            host_port=entry["PublicPort"],
            container_port=entry["PrivatePort"],
            protocol=entry.get("Type", "tcp"),
        )
        for entry in entries
        if entry.get("PublicPort")
    }
    return tuple(
        sorted(published, key=lambda port: (port.container_port, port.protocol, port.host_ip, port.host_port))
    )


def _mount(entry: Body) -> ObservedMount:
    return ObservedMount(
        type=entry.get("Type", ""),
        target=entry.get("Destination", ""),
        source=entry.get("Source", ""),
        name=entry.get("Name", ""),
    )


def read_networks(entries: Iterable[Body], project: str, names: frozenset[str]) -> dict[str, ObservedNetwork]:
    """The networks of the project and those in `names`. If two have the same name, the project's wins."""
    found: dict[str, ObservedNetwork] = {}
    for entry in entries:
        labels = entry.get("Labels") or {}
        own = labels.get(PROJECT) == project
        before = found.get(entry["Name"])
        if own or (entry["Name"] in names and before is None):
            doubled = before is not None and before.labels.get(PROJECT) == project
            found[entry["Name"]] = ObservedNetwork(
                id=entry["Id"], name=entry["Name"], labels=labels, doubled=doubled
            )
    return found


def read_volumes(body: Body, project: str, names: Set[str]) -> dict[str, ObservedVolume]:
    """The volumes of the project and those in `names`."""
    return {
        entry["Name"]: _volume(entry)
        for entry in body.get("Volumes") or ()
        if entry["Name"] in names or (entry.get("Labels") or {}).get(PROJECT) == project
    }


def read_our_volumes(body: Body) -> tuple[ObservedVolume, ...]:
    """`Observed.ours`."""
    found = (_volume(entry) for entry in body.get("Volumes") or () if entry.get("Labels"))
    return tuple(item for item in found if is_ours(item.labels))


def is_ours(labels: Mapping[str, str]) -> bool:
    return PROJECT not in labels and any(key.startswith(OWN) for key in labels)


def _volume(entry: Body) -> ObservedVolume:
    return ObservedVolume(
        name=entry["Name"],
        driver=entry.get("Driver", "local"),
        labels=entry.get("Labels") or {},
        created_at=str(entry.get("CreatedAt") or ""),
    )


def read_image(reference: str, body: Mapping[str, Any]) -> ObservedImage:
    """An image from `GET /images/NAME/json`."""
    config = body.get("Config") or {}
    return ObservedImage(
        reference=reference,
        id=body["Id"],
        labels=config.get("Labels") or {},
        exposed_ports=tuple(sorted(config.get("ExposedPorts") or ())),
        volumes=tuple(sorted(config.get("Volumes") or ())),
        healthcheck=tuple((config.get("Healthcheck") or {}).get("Test") or ()),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        user=config.get("User") or "",
        stop_signal=config.get("StopSignal") or "",
    )

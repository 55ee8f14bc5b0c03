"""What is there: lists of the engine as `Observed`. The list of containers answers nearly all, so that
no container is inspected unless asked for; requests that do not need each other are sent at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from invoke_devstack.engine.api import Api, filters_of
from invoke_devstack.errors import NotFoundError
from invoke_devstack.planning.observed import (
    EngineInfo,
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedMount,
    ObservedNetwork,
    ObservedVolume,
    PublishedPort,
)
from invoke_devstack.planning.plan import Body

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
ONEOFF_LABEL = "com.docker.compose.oneoff"


class Observing:
    """The part of the engine that looks."""

    _api: Api
    _headers: Mapping[str, str]
    _version: tuple[int, int]
    _info: EngineInfo | None = None

    def info(self) -> EngineInfo:
        """The engine itself; asked once. It costs Docker 5 ms and Podman 1 s, to ask its helpers."""
        if self._info is None:
            self._info = read_info(self._headers, self._version, self._api.get("/version"))
        return self._info

    @property
    def _is_podman(self) -> bool:
        return is_podman(self._headers)

    def system_info(self) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self._api.get("/info")
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
        seen_networks = pool.submit(self._api.get, "/networks")
        seen_volumes = pool.submit(self._api.get, "/volumes")
        entries = self.list_containers({"label": [f"{PROJECT_LABEL}={project}"]})
        containers = tuple(read_container(entry) for entry in entries)
        if inspect or self._is_podman:  # its list says nothing of health
            containers = tuple(
                with_details(item, body)
                for item, body in zip(containers, pool.map(self._inspect_if_there, containers), strict=True)
                if body is not None
            )
        found = {name: future.result() for name, future in seen_images.items()}
        return Observed(
            project=project,
            engine=self._info or read_info(self._headers, self._version, {}),
            containers=containers,
            networks=read_networks(seen_networks.result(), project, frozenset(networks)),
            volumes=read_volumes(seen_volumes.result(), project, frozenset(volumes)),
            images={name: image for name, image in found.items() if image is not None},
        )

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self._api.get(f"/containers/{quote(container, safe='')}/json")
        return body

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self._api.get(f"/images/{quote(reference, safe='/:@')}/json")
        return body

    def find_image(self, reference: str) -> ObservedImage | None:
        try:
            return read_image(reference, self.inspect_image(reference))
        except NotFoundError:
            return None

    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        entries: list[Body] = self._api.get("/containers/json", {"all": all_, "filters": filters_of(filters)})
        return entries

    def list_images(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        entries: list[Body] = self._api.get("/images/json", {"filters": filters_of(filters)})
        return entries

    def list_volumes(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        entries: list[Body] = self._api.get("/volumes", {"filters": filters_of(filters)})["Volumes"] or []
        return entries

    def list_networks(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        entries: list[Body] = self._api.get("/networks", {"filters": filters_of(filters)})
        return entries

    def _inspect_if_there(self, container: ObservedContainer) -> Mapping[str, Any] | None:
        try:
            return self.inspect_container(container.id)
        except NotFoundError:
            return None  # removed since it was listed


def read_info(headers: Mapping[str, str], version: tuple[int, int], body: Mapping[str, Any]) -> EngineInfo:
    """The engine by the headers of its `/_ping`, and by the body of its `/version` where it was asked."""
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
    number = str(labels.get(NUMBER_LABEL, ""))
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return ObservedContainer(
        id=entry["Id"],
        name=_name(entry.get("Names") or ()),
        service=labels.get(SERVICE_LABEL, ""),
        number=int(number) if number.isdigit() else 1,
        image=entry.get("Image", ""),
        image_id=entry.get("ImageID", ""),
        state=str(entry.get("State", "")),
        health=health_in(status),
        exit_code=exit_code_in(status),
        oneoff=str(labels.get(ONEOFF_LABEL, "")).lower() == "true",
        labels=labels,
        ports=_ports(entry.get("Ports") or ()),
        networks={name: endpoint.get("NetworkID", "") for name, endpoint in networks.items()},
        mounts=tuple(_mount(mount) for mount in entry.get("Mounts") or ()),
        created_at=datetime.fromtimestamp(int(entry.get("Created", 0)), UTC).isoformat(),
    )


def with_details(container: ObservedContainer, body: Mapping[str, Any]) -> ObservedContainer:
    """The container with what `inspect` alone knows."""
    from dataclasses import replace

    state, config = body.get("State") or {}, body.get("Config") or {}
    variables = (entry.partition("=") for entry in config.get("Env") or ())
    started = str(state.get("StartedAt", ""))
    ended = container.state in ("exited", "dead")
    return replace(
        container,
        created_at=body.get("Created") or container.created_at,
        started_at="" if started.startswith("0001-") else started,
        health=((state.get("Health") or {}).get("Status") or "").replace("none", ""),
        exit_code=state.get("ExitCode") if ended else container.exit_code,
        stop_signal=config.get("StopSignal") or "",
        stop_timeout=config.get("StopTimeout"),
        environment={name: value for name, _, value in variables},
        command=tuple(config.get("Cmd") or ()),
    )


def health_in(status: str) -> str:
    """The health in a status for people: `Up 5 seconds (healthy)`, `Up 1 second (health: starting)`."""
    match = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", status)
    return match[1] if match else ""


def exit_code_in(status: str) -> int | None:
    """The code in `Exited (137) 2 hours ago`; None for a status that is not of an ended container."""
    match = re.match(r"Exited \((-?\d+)\)", status)
    return int(match[1]) if match else None


def _name(names: Sequence[str]) -> str:
    """Links give a container more names, with a slash in the middle."""
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
    """Those of the project, and those named. A name may be there twice: the project's own wins."""
    found: dict[str, ObservedNetwork] = {}
    for entry in entries:
        labels = entry.get("Labels") or {}
        own = labels.get(PROJECT_LABEL) == project
        if own or (entry["Name"] in names and entry["Name"] not in found):
            found[entry["Name"]] = ObservedNetwork(id=entry["Id"], name=entry["Name"], labels=labels)
    return found


def read_volumes(body: Body, project: str, names: frozenset[str]) -> dict[str, ObservedVolume]:
    """Those of the project, and those named."""
    return {
        entry["Name"]: ObservedVolume(
            name=entry["Name"], driver=entry.get("Driver", "local"), labels=entry.get("Labels") or {}
        )
        for entry in body.get("Volumes") or ()
        if entry["Name"] in names or (entry.get("Labels") or {}).get(PROJECT_LABEL) == project
    }


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

"""The fake engine: what it has, its images, networks and volumes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.containers.observing import is_ours
from invoke_devstack.engine.protocol import BuildResult, OnProgress, Progress
from invoke_devstack.errors import NotFoundError
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.observed import (
    EngineInfo,
    Observed,
    ObservedImage,
    ObservedNetwork,
    ObservedVolume,
)
from invoke_devstack.planning.plan import Body, BuildRequest
from tests.fakes.containers import FakeContainers


class FakeEngine(FakeContainers):
    """An `Engine`. `calls` are the changes, as (`start`, `project-web-1`), in order."""

    # observing

    def info(self) -> EngineInfo:
        return self.engine_info

    def disk_usage(self) -> Mapping[str, Any]:
        return {}

    def system_info(self) -> Mapping[str, Any]:
        return {"Architecture": "x86_64"}

    def observe(
        self,
        project: str,
        *,
        images: Iterable[str] = (),
        networks: Iterable[str] = (),
        volumes: Iterable[str] = (),
        inspect: bool = False,
    ) -> Observed:
        def wanted(item: ObservedNetwork | ObservedVolume, names: Iterable[str]) -> bool:
            return item.name in names or item.labels.get(PROJECT) == project

        with self._lock:
            return Observed(
                project=project,
                engine=self.engine_info,
                containers=tuple(
                    item for item in self.containers.values() if item.labels.get(PROJECT) == project
                ),
                networks={k: v for k, v in self.networks.items() if wanted(v, tuple(networks))},
                volumes={k: v for k, v in self.volumes.items() if wanted(v, tuple(volumes))},
                images={name: self.images[name] for name in images if name in self.images},
                ours=tuple(item for item in self.volumes.values() if is_ours(item.labels)),
            )

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        item = self.named(container)
        body = self.bodies.get(item.id, {})
        streak = 3 if item.health == "unhealthy" else 0
        state = {"Status": item.health, "FailingStreak": streak, "Log": []}
        health = {"Health": state} if item.health else {}
        return {
            "Id": item.id,
            "Name": f"/{item.name}",
            "State": {
                "Status": item.state,
                "Running": item.state == "running",
                "ExitCode": item.exit_code or 0,
                "StartedAt": item.started_at or "0001-01-01T00:00:00Z",
                **health,
            },
            "Config": {key: value for key, value in body.items() if key != "HostConfig"},
            "HostConfig": body.get("HostConfig", {}),
            "NetworkSettings": {"Networks": {}, "Ports": {}},
            "Mounts": [],
        }

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        image = self.find_image(reference)
        if image is None:
            raise NotFoundError(f"the image {reference} is not on the engine", status=404)
        return {"Id": image.id, "Config": {"Labels": dict(image.labels)}}

    def find_image(self, reference: str) -> ObservedImage | None:
        return self.images.get(reference)

    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        labels = dict(pair.split("=", 1) for pair in filters.get("label", ()) if "=" in pair)
        with self._lock:
            return [
                {"Id": item.id, "Names": [f"/{item.name}"], "State": item.state, "Labels": dict(item.labels)}
                for item in self.containers.values()
                if all(item.labels.get(key) == value for key, value in labels.items())
                and (all_ or item.state == "running")
            ]

    def list_images(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        return [{"Id": image.id, "RepoTags": [name]} for name, image in self.images.items()]

    def list_volumes(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        labels = dict(pair.split("=", 1) for pair in filters.get("label", ()) if "=" in pair)
        return [
            {"Name": name, "Labels": dict(item.labels)}
            for name, item in self.volumes.items()
            if all(item.labels.get(key) == value for key, value in labels.items())
        ]

    def list_networks(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        return [{"Name": name, "Id": item.id} for name, item in self.networks.items()]

    # images

    def require_published(self, reference: str) -> None:
        if error := self.unpublished.get(reference):
            raise error

    def pull(
        self,
        reference: str,
        *,
        platform: str = "",
        on_progress: OnProgress,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._call("pull", reference)
        on_progress(Progress("abc", "Downloading", 5, 10, "bytes"))
        self.add_image(reference)

    def push(
        self, reference: str, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> None:
        self._call("push", reference)

    def build(
        self, request: BuildRequest, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> BuildResult:
        self._call("build", request.tag)
        on_progress(Progress("step 1/1", "FROM scratch", 1, 1, "steps"))
        return BuildResult(self.add_image(request.tag).id, 0, 1, "classic")

    def import_image(
        self, archive: BinaryIO, reference: str, *, changes: Sequence[str] = (), platform: str = ""
    ) -> str:
        self._call("import", reference)
        return self.add_image(reference).id

    def tag_image(self, image: str, reference: str) -> None:
        self._call("tag", reference)
        self.images[reference] = replace(self.images[image], reference=reference)

    def remove_image(self, image: str, *, force: bool = False) -> list[Body]:
        self._call("remove image", image)
        if self.images.pop(image, None) is None:
            raise NotFoundError(f"the image {image} is not on the engine", status=404)
        return [{"Untagged": image}]

    def image_history(self, image: str) -> list[Body]:
        return [{"Id": image, "CreatedBy": "", "Size": 0}]

    # networks and volumes

    def create_network(self, name: str, body: Body) -> str:
        self._call("create network", name)
        made = ObservedNetwork(self._new_id(), name, body.get("Labels", {}))
        self.networks[name] = made
        return made.id

    def remove_network(self, network: str) -> None:
        self._call("remove network", network)
        self.networks.pop(network)

    def connect_network(self, network: str, container: str, endpoint: Body) -> None:
        self._call("connect", f"{network} {self.named(container).name}")

    def create_volume(self, name: str, body: Body) -> None:
        self._call("create volume", name)
        self.volumes[name] = ObservedVolume(name, labels=body.get("Labels", {}))

    def claim_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        with self._lock:
            self.claimed.add(name)
            return self.volumes.setdefault(name, ObservedVolume(name, labels=dict(labels))).labels

    def remove_volume(self, name: str) -> None:
        if name not in self.claimed:
            self._call("remove volume", name)
        self.volumes.pop(name)

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

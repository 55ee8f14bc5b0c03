"""Requests about the swarm. Only its managers answer most of them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.images.transfers import credentials, transfer_failure
from invoke_devstack.engine.protocol import LogStream
from invoke_devstack.engine.swarm import answers
from invoke_devstack.engine.transport.api import Api, filters_of
from invoke_devstack.engine.transport.streams import LogOfContainer, engine_time
from invoke_devstack.errors import EngineError, EngineUnavailableError, NotFoundError
from invoke_devstack.planning.plan import Body
from invoke_devstack.records import record

_KINDS = {"nodes": answers.NODES, "tasks": answers.TASKS}
_OTHER_CONTENT = 400  # the status with which a manager refuses to change what a secret holds
_GREATEST_VERSION = (1 << 63) - 1


@record
class PublishedImage:
    """What a registry has under a reference. `platforms` are as a service's placement takes them."""

    digest: str
    platforms: tuple[Mapping[str, str], ...]


class Swarm:
    """The swarm of an engine. Every method raises EngineError; where the engine is no manager, with status
    503 and the engine's own words."""

    def __init__(self, api: Api) -> None:
        self._api = api

    # the swarm itself
    def state(self) -> Mapping[str, Any]:
        """`Swarm` of `GET /info`: LocalNodeState, ControlAvailable, NodeID, RemoteManagers."""
        info: Mapping[str, Any] = self._api.get("/info", answers.SWARM)
        return info.get("Swarm") or {}

    def inspect(self) -> Mapping[str, Any]:
        """The body of `GET /swarm`, with its JoinTokens."""
        found: Mapping[str, Any] = self._api.get("/swarm", answers.INSPECTED)
        return found

    def begin(self, body: Body) -> str:
        """Makes a swarm whose first manager this engine is. Returns the node's id."""
        return str(self._api.post("/swarm/init", body, shape=answers.TEXT))

    def join(self, body: Body) -> None:
        self._api.post("/swarm/join", body)

    # objects
    def objects(self, kind: str, filters: Mapping[str, Sequence[str]] | None = None) -> list[Body]:
        """All of a kind: nodes, services, tasks, configs, secrets."""
        shape = _KINDS.get(kind, answers.OBJECTS)
        params = {"filters": filters_of(filters)} if filters else None
        return list(self._api.get(f"/{kind}", shape, params))

    def networks(self, filters: Mapping[str, Sequence[str]] | None = None) -> list[Body]:
        params = {"filters": filters_of(filters)} if filters else None
        return list(self._api.get("/networks", answers.NETWORKS, params))

    def create_service(self, spec: Body) -> str:
        made = self._api.post("/services/create", spec, shape=answers.CREATED, headers=_login_of(spec))
        return str(made["ID"])

    def update_service(self, service: str, version: int, spec: Body) -> None:
        """Raises EngineError if somebody has changed it since `version`."""
        path, params = f"/services/{quote(service, safe='')}/update", {"version": version}
        self._api.post(path, spec, params, headers=_login_of(spec))

    def create(self, kind: str, name: str, labels: Mapping[str, str], content: bytes) -> str:
        """A config or secret (`kind` configs, secrets). Raises ConflictError if the name is taken."""
        data = base64.b64encode(content).decode("ascii")
        body = {"Name": name, "Labels": dict(labels), "Data": data}
        return str(self._api.post(f"/{kind}/create", body, shape=answers.CREATED)["ID"])

    def relabel(self, kind: str, found: Body, labels: Mapping[str, str]) -> None:
        """Replaces the labels of a config or secret, which are all of it that can change."""
        spec = {key: value for key, value in found["Spec"].items() if key != "Labels"}
        params = {"version": found["Version"]["Index"]}
        self._api.post(f"/{kind}/{found['ID']}/update", {**spec, "Labels": dict(labels)}, params)

    def holds(self, secret: Body, content: bytes) -> bool:
        """Whether a secret holds this. Nobody can read a secret, but a manager looks at the content of an
        update before it looks at its version: a version that cannot be makes it say which, and change
        nothing."""
        data = base64.b64encode(content).decode("ascii")
        body = {"Name": secret["Spec"]["Name"], "Labels": secret["Spec"].get("Labels") or {}, "Data": data}
        try:
            path, params = f"/secrets/{secret['ID']}/update", {"version": _GREATEST_VERSION}
            self._api.post(path, body, params, changes=False)
        except NotFoundError:
            return False
        except EngineUnavailableError:
            raise
        except EngineError as error:
            return error.status != _OTHER_CONTENT
        return True

    def remove(self, kind: str, found: str) -> None:
        """Removes one of configs, secrets, services, networks, by id or name."""
        self._api.delete(f"/{kind}/{quote(found, safe='')}")

    # images
    def published(self, reference: str) -> PublishedImage:
        """What the registry has, as the manager sees it. Raises ImageUnavailableError."""
        parsed = Reference.parse(reference)
        path = f"/distribution/{quote(str(parsed), safe='/:@')}/json"
        try:
            answer = self._api.send("GET", path, headers=_login(parsed))
        except EngineUnavailableError:
            raise
        except EngineError as error:
            raise transfer_failure(parsed, error.message, verb="found") from error
        found = self._api.read(answer, answers.DISTRIBUTION, f"GET {path}")
        return PublishedImage(found["Descriptor"]["digest"], tuple(_platforms(found)))

    # logs
    def logs(
        self,
        path: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: str = "",
        tty: bool = False,
    ) -> LogStream:
        """The log of `services/ID` or `tasks/ID`, each line with its time and, before a space, details that
        name node and task."""
        params = {
            "stdout": True,
            "stderr": True,
            "timestamps": True,
            "details": True,
            "follow": follow,
            "tail": "all" if tail is None else str(tail),
            "since": engine_time(since),
        }
        stream = self._api.open("GET", f"/{path}/logs", params)
        return LogOfContainer(stream, self._api, tty=tty)


def _platforms(found: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """Docker's command line leaves architectures out of which several names exist."""
    platforms = found.get("Platforms") or ()
    return [
        {
            key: value
            for key, value in (("Architecture", item.get("architecture")), ("OS", item.get("os")))
            if value
        }
        for item in platforms
        if item.get("os") != "unknown"
    ]


def _login_of(spec: Body) -> dict[str, str]:
    return _login(Reference.parse(spec["TaskTemplate"]["ContainerSpec"]["Image"]))


def _login(reference: Reference) -> dict[str, str]:
    header = credentials(reference)
    return {"X-Registry-Auth": header} if header else {}

"""Networks and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from invoke_devstack.engine.transport import shapes
from invoke_devstack.errors import ConflictError

if TYPE_CHECKING:
    from invoke_devstack.engine.transport.api import Api
    from invoke_devstack.planning.plan import Body


class NetworksAndVolumes:
    """The part of the engine that changes networks and volumes."""

    _api: Api
    _claimed: set[str]

    def create_network(self, name: str, body: Body) -> str:
        """Returns its id. Raises ConflictError if the name is taken."""
        made = self._api.post(
            "/networks/create", {**body, "Name": name, "CheckDuplicate": True}, shape=shapes.CREATED
        )
        return str(made["Id"])

    def remove_network(self, network: str) -> None:
        """Raises EngineError (status 403) while containers use it."""
        self._api.delete(f"/networks/{_quoted(network)}")

    def connect_network(self, network: str, container: str, endpoint: Body) -> None:
        body = {"Container": container, "EndpointConfig": dict(endpoint)}
        self._api.post(f"/networks/{_quoted(network)}/connect", body)

    def create_volume(self, name: str, body: Body) -> None:
        self._api.post("/volumes/create", {**body, "Name": name})

    def claim_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Docker answers with the volume that is there, whoever created it; Podman refuses (409)."""
        self._claimed.add(name)
        try:
            found = self._api.post(
                "/volumes/create", {"Name": name, "Labels": dict(labels)}, shape=shapes.VOLUME, changes=False
            )
        except ConflictError:
            found = self._api.get(f"/volumes/{_quoted(name)}", shapes.VOLUME)
        return found.get("Labels") or {}

    def remove_volume(self, name: str) -> None:
        """Raises ConflictError while a container uses it."""
        self._api.delete(f"/volumes/{_quoted(name)}", changes=name not in self._claimed)


def _quoted(name: str) -> str:
    return quote(name, safe="")

"""Networks and volumes."""

from __future__ import annotations

from urllib.parse import quote

from invoke_devstack.engine.api import Api
from invoke_devstack.planning.plan import Body


class Resources:
    """The part of the engine that changes networks and volumes."""

    _api: Api

    def create_network(self, name: str, body: Body) -> str:
        """Returns its id. Raises ConflictError when there is one of that name."""
        made = self._api.post("/networks/create", {**body, "Name": name, "CheckDuplicate": True})
        return str(made["Id"])

    def remove_network(self, network: str) -> None:
        """Raises EngineError (status 403) while containers are in it."""
        self._api.delete(f"/networks/{_quoted(network)}")

    def connect_network(self, network: str, container: str, endpoint: Body) -> None:
        body = {"Container": container, "EndpointConfig": dict(endpoint)}
        self._api.post(f"/networks/{_quoted(network)}/connect", body)

    def create_volume(self, name: str, body: Body) -> None:
        self._api.post("/volumes/create", {**body, "Name": name})

    def remove_volume(self, name: str) -> None:
        """Raises ConflictError while a container has it."""
        self._api.delete(f"/volumes/{_quoted(name)}")


def _quoted(name: str) -> str:
    return quote(name, safe="")

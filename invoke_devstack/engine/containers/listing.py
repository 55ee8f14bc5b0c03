"""Lists containers and volumes. That is enough to find a project's name, and all that `config` imports of the
engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from invoke_devstack.engine.transport import shapes
from invoke_devstack.engine.transport.api import filters_of

if TYPE_CHECKING:
    from invoke_devstack.engine.endpoints import Endpoint
    from invoke_devstack.engine.transport.api import Api
    from invoke_devstack.engine.transport.traffic import Traffic
    from invoke_devstack.planning.plan import Body


class Listing:
    """The part of the engine that lists."""

    def __init__(self, api: Api, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._api = api

    @property
    def traffic(self) -> Traffic:
        """What waits for the engine."""
        return self._api.traffic

    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        entries: list[Body] = self._api.get(
            "/containers/json", shapes.CONTAINERS, {"all": all_, "filters": filters_of(filters)}
        )
        return entries

    def list_volumes(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        entries: list[Body] = (
            self._api.get("/volumes", shapes.VOLUMES, {"filters": filters_of(filters)}).get("Volumes") or []
        )
        return entries

    def answers_within(self, seconds: float) -> bool:
        """Whether it answers a ping. Asks over a connection of its own, whatever was given up."""
        return self._api.answers_within(seconds)

    def close(self) -> None:
        self._api.close()

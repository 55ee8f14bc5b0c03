"""The real engine, put together from the parts of this room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.engine.builds.builds import Builds
from invoke_devstack.engine.containers.execs import Execs
from invoke_devstack.engine.containers.lifecycle import Containers
from invoke_devstack.engine.containers.observing import is_podman
from invoke_devstack.engine.networks_and_volumes import NetworksAndVolumes
from invoke_devstack.engine.transport.streams import Streams

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from invoke_devstack.engine.endpoints import Endpoint
    from invoke_devstack.engine.swarm.swarm import Swarm
    from invoke_devstack.engine.transport.api import Api


class DockerEngine(Builds, NetworksAndVolumes, Containers, Execs, Streams):
    """An `Engine` over the Docker Engine API; `connect()` returns one. Thread-safe."""

    def __init__(
        self,
        api: Api,
        endpoint: Endpoint,
        version: tuple[int, int],
        headers: Mapping[str, str],
        *,
        registry_mirror: str = "",
    ) -> None:
        """`headers` are those of the engine's `/_ping`."""
        super().__init__(api, endpoint)
        self.lets_go_at_end = not is_podman(headers)  # unknown for Podman
        self.registry_mirror = registry_mirror
        self._version = version
        self._headers = headers  # case-insensitive
        self._claimed = set()  # volumes that are locks, which are no change of the stack

    @property
    def api_version(self) -> str:
        """The version of the API that is spoken: `1.47`."""
        return self._api.version

    @property
    def version(self) -> tuple[int, int]:
        """The same, as numbers."""
        return self._version

    @property
    def pool(self) -> ThreadPoolExecutor:
        """For requests in parallel."""
        return self._api.pool

    @property
    def swarm(self) -> Swarm:
        """The swarm that it is a node of, or may become one of."""
        from invoke_devstack.engine.swarm.swarm import Swarm

        return Swarm(self._api)

"""The real engine: the parts of this room put together."""

from __future__ import annotations

from collections.abc import Mapping

from invoke_devstack.engine.api import Api
from invoke_devstack.engine.builds import Builds
from invoke_devstack.engine.containers import Containers
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.execs import Execs
from invoke_devstack.engine.observing import is_podman
from invoke_devstack.engine.resources import Resources
from invoke_devstack.engine.streams import Streams


class DockerEngine(Builds, Resources, Containers, Execs, Streams):
    """An `Engine` over the Docker Engine API. Thread-safe. Made by `connect()`."""

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
        self.endpoint = endpoint
        self.lets_go_at_end = not is_podman(headers)  # nobody has looked when Podman does
        self.registry_mirror = registry_mirror
        self._version = version
        self._headers = headers  # case-insensitive
        self._api = api

    def close(self) -> None:
        self._api.close()

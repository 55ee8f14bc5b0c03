"""Builds of images: which builder, and the request to it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from invoke_devstack.engine.build_context import read_dockerfile
from invoke_devstack.engine.buildx import build_with_buildx, find_buildx
from invoke_devstack.engine.classic import build_classic, is_remote
from invoke_devstack.engine.dockerfile import BuildKitNeed, base_images, buildkit_need
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.images import Images
from invoke_devstack.engine.observing import Observing
from invoke_devstack.engine.protocol import BuildResult, OnProgress
from invoke_devstack.errors import BuildError, ImageUnavailableError
from invoke_devstack.planning.plan import BuildRequest

INSTALL_BUILDX = (
    "Install buildx: sudo apt-get install docker-buildx (or docker-buildx-plugin from Docker's packages)."
)


class Builds(Images, Observing):
    """The part of the engine that builds."""

    endpoint: Endpoint

    def build(self, request: BuildRequest, *, on_progress: OnProgress) -> BuildResult:
        """See `Engine.build`."""
        self._get_bases(request, on_progress)
        plugin = self._buildx()
        if plugin is not None:
            return build_with_buildx(plugin, self.endpoint, request, on_progress)
        if not self._is_podman:
            need = need_of(request)
            if need is not None:
                raise _needs_buildkit(request, need)
        return build_classic(self._api, request, on_progress)

    def _get_bases(self, request: BuildRequest, on_progress: OnProgress) -> None:
        """Pulls base images through the mirror, where one is set: a builder knows nothing of it. What
        cannot be had so is left to the builder."""
        if not self.registry_mirror or is_remote(request.context):
            return
        for base in base_images(read_dockerfile(request)):
            if "$" not in base and (request.pull or self.find_image(base) is None):
                with contextlib.suppress(ImageUnavailableError):
                    self.pull(base, on_progress=on_progress)

    def _buildx(self) -> Path | None:
        """The builder to take: buildx wherever it is there and the engine has a BuildKit for it. Every
        Docker engine since 20.10 has, Podman has none (its own builder stands behind the classic API)."""
        return None if self._is_podman else find_buildx()

    @property
    def _is_podman(self) -> bool:
        return "Libpod-Api-Version" in self._headers or "Libpod" in self._headers.get("Server", "")


def need_of(request: BuildRequest) -> BuildKitNeed | None:
    """What in the request or its Dockerfile BuildKit alone can do. Line 0 stands for the request."""
    asked = {
        "build.secrets": request.secrets,
        "build.ssh": request.ssh,
        "build.additional_contexts": request.additional_contexts,
        "build.cache_to": request.cache_to,
        "several build.platforms": request.platforms[1:],
    }
    for name, value in asked.items():
        if value:
            return BuildKitNeed(0, name)
    return None if is_remote(request.context) else buildkit_need(read_dockerfile(request))


def _needs_buildkit(request: BuildRequest, need: BuildKitNeed) -> BuildError:
    file = "build.dockerfile_inline" if request.dockerfile_inline else request.dockerfile
    where = f"{file}:{need.line}: " if need.line else ""
    return BuildError(
        f"{where}`{need.what}` needs BuildKit, and there is no `docker buildx` here", hint=INSTALL_BUILDX
    )

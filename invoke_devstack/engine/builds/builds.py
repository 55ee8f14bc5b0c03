"""The part of the engine that builds. Builders are imported only for a build: most commands need none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.containers.observing import Observing
from invoke_devstack.engine.images.images import Images
from invoke_devstack.engine.transport import cancelling
from invoke_devstack.errors import ImageUnavailableError, NotFoundError

if TYPE_CHECKING:
    from invoke_devstack.engine.endpoints import Endpoint
    from invoke_devstack.engine.protocol import BuildResult, OnProgress
    from invoke_devstack.planning.plan import BuildRequest


class Builds(Images, Observing):
    """The part of the engine that builds images."""

    endpoint: Endpoint

    def build(
        self, request: BuildRequest, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> BuildResult:
        """See `Engine.build`."""
        from invoke_devstack.engine.builds.choose_builder import choose_builder

        given = cancellation or Cancellation()
        builder = choose_builder(self._api, self.endpoint, request, podman=self._is_podman)

        def build(tell: OnProgress) -> BuildResult:
            self._pull_bases(request, tell)
            result = builder(request, tell, given)
            # BuildKit does not touch an image that is fully cached, but a watch compares files with the time
            # at which the image was last tagged.
            with contextlib.suppress(NotFoundError):  # an image for other platforms is not kept
                self.tag_image(result.image_id, request.tag)
            return result

        return cancelling.run(build, on_progress, cancellation)

    def _pull_bases(self, request: BuildRequest, on_progress: OnProgress) -> None:
        """Pulls base images through the mirror, if there is one: builders do not know it. What the mirror
        does not have is left to the builder."""
        if not self.registry_mirror:
            return
        from invoke_devstack.engine.builds.choose_builder import bases_of

        for base in bases_of(request):
            if request.pull or self.find_image(base) is None:
                with contextlib.suppress(ImageUnavailableError):
                    self.pull(base, on_progress=on_progress)

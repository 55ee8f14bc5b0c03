"""The part of the engine that builds. What it needs is imported when something is built: most commands
build nothing."""

from __future__ import annotations

import contextlib

from invoke_devstack.engine import cancelling
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.images import Images
from invoke_devstack.engine.observing import Observing
from invoke_devstack.engine.protocol import BuildResult, Cancellation, OnProgress
from invoke_devstack.errors import ImageUnavailableError, NotFoundError
from invoke_devstack.planning.plan import BuildRequest


class Builds(Images, Observing):
    """The part of the engine that builds."""

    endpoint: Endpoint

    def build(
        self, request: BuildRequest, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> BuildResult:
        """See `Engine.build`."""
        from invoke_devstack.engine.builders import choose_builder

        given = cancellation or Cancellation()
        builder = choose_builder(self._api, self.endpoint, request, podman=self._is_podman)

        def build(tell: OnProgress) -> BuildResult:
            self._get_bases(request, tell)
            result = builder(request, tell, given)
            # BuildKit leaves an image that is all cached as it was, times too; when it was found up to date
            # is what a watch compares files with.
            with contextlib.suppress(NotFoundError):  # one for other platforms is not kept here
                self.tag_image(result.image_id, request.tag)
            return result

        return cancelling.run(build, on_progress, cancellation)

    def _get_bases(self, request: BuildRequest, on_progress: OnProgress) -> None:
        """Pulls base images through the mirror, where one is set: a builder knows nothing of it. What
        cannot be had so is left to the builder."""
        if not self.registry_mirror:
            return
        from invoke_devstack.engine.builders import bases_of

        for base in bases_of(request):
            if request.pull or self.find_image(base) is None:
                with contextlib.suppress(ImageUnavailableError):
                    self.pull(base, on_progress=on_progress)

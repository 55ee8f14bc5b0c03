"""Pulls, pushes, imports, tags and removes images. Transfers are imported for a pull or push alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlencode

from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.transport import cancelling, shapes
from invoke_devstack.errors import EngineError, EngineUnavailableError

if TYPE_CHECKING:
    from invoke_devstack.engine.cancellation import Cancellation
    from invoke_devstack.engine.protocol import OnProgress
    from invoke_devstack.engine.transport.api import Api
    from invoke_devstack.planning.plan import Body


class Images:
    """The part of the engine that changes images."""

    _api: Api
    registry_mirror: str

    def pull(
        self,
        reference: str,
        *,
        platform: str = "",
        on_progress: OnProgress,
        cancellation: Cancellation | None = None,
    ) -> None:
        """See `Engine.pull`. Docker Hub's images come from `registry_mirror`, if it is set and has them."""
        cancelling.run(
            lambda tell: self._pull_or_mirror(reference, platform, tell), on_progress, cancellation
        )

    def _pull_or_mirror(self, reference: str, platform: str, on_progress: OnProgress) -> None:
        wanted = Reference.parse(reference)
        mirrored = wanted.through(self.registry_mirror) if self.registry_mirror else None
        if mirrored is not None:
            try:
                self._pull(mirrored, platform, on_progress)
            except EngineError:
                mirrored = None  # then try the registry, whose error says more
            else:
                self.tag_image(str(mirrored), str(wanted))
                self.remove_image(str(mirrored))
        if mirrored is None:
            self._pull(wanted, platform, on_progress)

    def require_published(self, reference: str) -> None:
        """See `Engine.require_published`. Does not ask where a mirror may have the image too."""
        wanted = Reference.parse(reference)
        if self.registry_mirror and wanted.through(self.registry_mirror) is not None:
            return
        from invoke_devstack.engine.images.transfers import credentials, transfer_failure

        path = f"/distribution/{quote(str(wanted), safe='/:@')}/json"
        login = credentials(wanted)
        headers = {"X-Registry-Auth": login} if login else {}
        try:
            self._api.send("GET", path, headers=headers).close()
        except EngineUnavailableError:
            raise
        except EngineError as error:
            raise transfer_failure(wanted, error.message, verb="pulled") from error

    def push(
        self, reference: str, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> None:
        """Raises ImageUnavailableError, like `pull`."""
        from invoke_devstack.engine.images.transfers import transfer

        wanted = Reference.parse(reference)
        path = f"/images/{quote(wanted.name, safe='/:')}/push"

        def push(tell: OnProgress) -> None:
            transfer(self._api, wanted, path, {"tag": wanted.tag}, tell, verb="pushed")

        cancelling.run(push, on_progress, cancellation)

    def _pull(self, wanted: Reference, platform: str, on_progress: OnProgress) -> None:
        from invoke_devstack.engine.images.transfers import transfer

        params = {"fromImage": wanted.name, "tag": wanted.digest or wanted.tag, "platform": platform}
        transfer(self._api, wanted, "/images/create", params, on_progress, verb="pulled")

    def import_image(
        self, archive: BinaryIO, reference: str, *, changes: Sequence[str] = (), platform: str = ""
    ) -> str:
        wanted = Reference.parse(reference)
        query = [("fromSrc", "-"), ("repo", wanted.name), ("tag", wanted.tag), ("platform", platform)]
        query += [("changes", change) for change in changes]
        answer = self._api.send(
            "POST",
            f"/images/create?{urlencode(query)}",
            data=_blocks(archive),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            seconds=None,
        )
        made = _imported_id(self._api.lines(answer, shapes.PROGRESS))
        self.tag_image(made, reference)  # Podman names it localhost/…, but looks for docker.io/…
        return made

    def commit(
        self,
        container: str,
        reference: str,
        *,
        author: str = "",
        message: str = "",
        changes: Sequence[str] = (),
        pause: bool = True,
    ) -> str:
        named = Reference.parse(reference) if reference else None
        params = {
            "container": container,
            "repo": named.name if named else "",
            "tag": named.tag if named else "",
            "author": author,
            "comment": message,
            "changes": "\n".join(changes),
            "pause": int(pause),
        }
        made = self._api.post("/commit", {}, params, shape=shapes.CREATED, seconds=None)
        return str(made["Id"])

    def tag_image(self, image: str, reference: str) -> None:
        wanted = Reference.parse(reference)
        self._api.post(f"/images/{_quoted(image)}/tag", params={"repo": wanted.name, "tag": wanted.tag})

    def remove_image(self, image: str, *, force: bool = False) -> list[Body]:
        """Returns `Untagged` and `Deleted` entries. Raises ConflictError while a container uses it."""
        path, params = f"/images/{_quoted(image)}", {"force": force}
        return self._api.delete(path, params, shape=shapes.REMOVED_IMAGES) or []

    def image_history(self, image: str) -> list[Body]:
        return self._api.get(f"/images/{_quoted(image)}/history", shapes.HISTORY) or []


def _quoted(image: str) -> str:
    return quote(image, safe="/:@")


def _blocks(archive: BinaryIO) -> Iterator[bytes]:
    while block := archive.read(1 << 20):
        yield block


def _imported_id(lines: Iterator[Any]) -> str:
    last = ""
    for line in lines:
        if "error" in line:
            raise EngineError(f"the image cannot be imported: {line['error']}")
        last = line.get("status", last)
    if not last.startswith("sha256:"):
        raise EngineError(f"the engine returned no id for the imported image: {json.dumps(last)}")
    return last

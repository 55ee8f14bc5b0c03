"""Images: got, given, named, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlencode

from invoke_devstack.engine import cancelling
from invoke_devstack.engine.api import Api
from invoke_devstack.engine.protocol import Cancellation, OnProgress
from invoke_devstack.engine.references import Reference
from invoke_devstack.engine.transfers import transfer
from invoke_devstack.errors import EngineError
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
        """See `Engine.pull`. Docker Hub's images come through `registry_mirror` where one is set, and
        from Docker Hub itself when the mirror does not give them."""
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
                mirrored = None  # the registry itself has the last word, and the better message
            else:
                self.tag_image(str(mirrored), str(wanted))
                self.remove_image(str(mirrored))
        if mirrored is None:
            self._pull(wanted, platform, on_progress)

    def push(
        self, reference: str, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> None:
        """Raises ImageUnavailableError, as `pull` does."""
        wanted = Reference.parse(reference)
        path = f"/images/{quote(wanted.name, safe='/:')}/push"

        def push(tell: OnProgress) -> None:
            transfer(self._api, wanted, path, {"tag": wanted.tag}, tell, verb="pushed")

        cancelling.run(push, on_progress, cancellation)

    def _pull(self, wanted: Reference, platform: str, on_progress: OnProgress) -> None:
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
        made = _imported_id(self._api.lines(answer))
        self.tag_image(made, reference)  # Podman names it localhost/…, and looks for docker.io/… later
        return made

    def tag_image(self, image: str, reference: str) -> None:
        wanted = Reference.parse(reference)
        self._api.post(f"/images/{_quoted(image)}/tag", params={"repo": wanted.name, "tag": wanted.tag})

    def remove_image(self, image: str, *, force: bool = False) -> list[Body]:
        """What went: `Untagged` and `Deleted` entries. Raises ConflictError while a container has it."""
        return cast(list[Body], self._api.delete(f"/images/{_quoted(image)}", {"force": force}))

    def image_history(self, image: str) -> list[Body]:
        return cast(list[Body], self._api.get(f"/images/{_quoted(image)}/history"))


def _quoted(image: str) -> str:
    return quote(image, safe="/:@")


def _blocks(archive: BinaryIO) -> Iterator[bytes]:
    while block := archive.read(1 << 20):
        yield block


def _imported_id(lines: Iterator[Any]) -> str:
    last = ""
    for line in lines:
        if "error" in line:
            raise EngineError(f"the image could not be imported: {line['error']}")
        last = line.get("status", last)
    if not last.startswith("sha256:"):
        raise EngineError(f"the engine gave no id for the imported image: {json.dumps(last)}")
    return last

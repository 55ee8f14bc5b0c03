"""Names of images, as Docker parses them
(https://docs.docker.com/reference/cli/docker/image/tag/#description). Pure."""

from __future__ import annotations

from dataclasses import replace

from invoke_devstack.records import record

DOCKER_HUB = "docker.io"


@record
class Reference:
    """`name` is registry and path, as written; it has a `tag` or a `digest`."""

    name: str
    tag: str = "latest"
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        name, _, digest = text.partition("@")
        head, colon, tag = name.rpartition(":")
        if colon and "/" not in tag:
            return cls(head, tag, digest)
        return cls(name, digest=digest)

    @property
    def registry(self) -> str:
        """The registry's host[:port]. A first part without dot or colon belongs to a path on Docker Hub."""
        first, slash, _ = self.name.partition("/")
        is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
        return first if is_host else DOCKER_HUB

    @property
    def path(self) -> str:
        """The path in its registry; Docker Hub's official images are in `library/`."""
        registry = self.registry
        path = self.name.removeprefix(f"{registry}/")
        return path if registry != DOCKER_HUB or "/" in path else f"library/{path}"

    @property
    def identity(self) -> tuple[str, str, str]:
        """Equal for all spellings of one image: `redis`, `docker.io/library/redis:latest`."""
        return self.registry, self.path, self.digest or self.tag

    def through(self, mirror: str) -> Reference | None:
        """The same image on a mirror of Docker Hub; None for an image of another registry, and for one with a
        digest, which cannot be tagged afterwards."""
        if self.registry != DOCKER_HUB or self.digest:
            return None
        host = mirror.removeprefix("https://").removeprefix("http://").rstrip("/")
        return replace(self, name=f"{host}/{self.path}")

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"

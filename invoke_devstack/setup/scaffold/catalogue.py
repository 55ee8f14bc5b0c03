"""The services that `invoke init` offers: those of `planning/known_images.py` that have an `init`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.planning.connections import connection_string, login_of
from invoke_devstack.planning.known_images import KNOWN_IMAGES, CatalogueEntry, KnownImage


@dataclass(frozen=True, slots=True)
class Server:
    """A service of the catalogue."""

    image: KnownImage
    entry: CatalogueEntry

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def text(self) -> str:
        """Its Compose file."""
        return "\n".join(_compose_file(self.image, self.entry))

    def variables(self) -> dict[str, str]:
        """The variables that tell an application how to reach it; many read only `DATABASE_URL`."""
        login = login_of(self.image, self.entry.environment)
        url = connection_string(self.image, login, self.name, self.image.port, encode=str)
        own = {f"{self.name.upper()}_URL": url}
        return {"DATABASE_URL": url, **own} if self.entry.relational else own


CATALOGUE = {
    image.init.name: Server(image, image.init) for image in KNOWN_IMAGES.values() if image.init is not None
}
_ALSO = {other: server.name for server in CATALOGUE.values() for other in server.entry.also}


def choose(names: Sequence[str]) -> tuple[Server, ...]:
    """The servers of these names, each once. Raises UsageError for an unknown name."""
    wanted = dict.fromkeys(_ALSO.get(name.lower(), name.lower()) for name in names)
    for name in wanted:
        if name not in CATALOGUE:
            hint = did_you_mean(name, CATALOGUE, f"Services: {', '.join(CATALOGUE)}.")
            raise UsageError(f"`{name}` is not in the catalogue", hint=hint)
    return tuple(CATALOGUE[name] for name in wanted)


def used_by(packages: Iterable[str]) -> tuple[str, ...]:
    """The servers that a project with these libraries connects to."""
    there = {*packages}
    return tuple(server.name for server in CATALOGUE.values() if there & {*server.entry.packages})


def _compose_file(image: KnownImage, entry: CatalogueEntry) -> Iterator[str]:
    volumes = {f"{entry.name}-{suffix}": path for suffix, path in entry.volumes.items()}
    yield f"# {entry.title}. {entry.about.format(name=entry.name)}"
    yield ""
    yield "services:"
    yield f"  {entry.name}:"
    yield from (f"    {line}" for line in _service(image, entry, volumes))
    yield ""
    if volumes:
        yield from ("volumes:", *(f"  {name}:" for name in volumes), "")


def _service(image: KnownImage, entry: CatalogueEntry, volumes: Mapping[str, str]) -> Iterator[str]:
    yield from _noted(entry, "image", f"image: {entry.image}")
    if entry.command:
        yield f"command: {json.dumps(entry.command)}"
    if entry.environment:
        yield "environment:"
        lines = (f"{name}: {value}" for name, value in entry.environment.items())
        yield from (f"  {line}" for line in _noted(entry, "environment", *lines))
    yield "ports:"
    yield from (f'  - "127.0.0.1:${{{variable}:-{port}}}:{port}"' for variable, port in _ports(image, entry))
    if volumes:
        yield from ("volumes:", *(f"  - {name}:{path}" for name, path in volumes.items()))
    yield "healthcheck:"
    yield from (f"  {line}" for line in _healthcheck(entry))
    yield from entry.extra


def _noted(entry: CatalogueEntry, key: str, *lines: str) -> Iterator[str]:
    if key in entry.notes:
        yield f"# {entry.notes[key]}"
    yield from lines


def _ports(image: KnownImage, entry: CatalogueEntry) -> Iterator[tuple[str, int]]:
    yield f"{entry.name.upper()}_PORT", image.port
    if image.page:
        yield f"{entry.name.upper()}_PAGES_PORT", image.page


def _healthcheck(entry: CatalogueEntry) -> Iterator[str]:
    """It allows two minutes for the first start. A check may take three times its interval."""
    if isinstance(entry.check, str):
        words = entry.check.replace("'", "''")
        test = f"""["CMD-SHELL", '{words}']"""
    else:
        test = json.dumps(["CMD", *entry.check])
    yield from _noted(entry, "test", f"test: {test}")
    yield f"interval: {entry.interval}s"
    yield f"timeout: {entry.interval * 3}s"
    yield f"retries: {120 // entry.interval}"

"""Which directories of an image have content."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import NotFoundError
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.running.executing import convergence

_TWO_HEADERS = 1 << 14  # bytes: the entries of a directory and of the first file in it, long names included


def paths_with_content(engine: Engine, created: CreateContainer, paths: Iterable[str]) -> frozenset[str]:
    """Those of `paths` at which the image has files. `created` is a container of it, which is not started and
    removed at once."""
    container = convergence.create(engine, created)
    try:
        return frozenset(path for path in paths if _has_content(engine, container, path))
    finally:
        engine.remove_container(container, volumes=True, force=True)


def _has_content(engine: Engine, container: str, path: str) -> bool:
    try:
        _, blocks = engine.get_archive(container, path)
    except NotFoundError:
        return False
    beginning = b""
    try:
        while len(beginning) < _TWO_HEADERS and (block := next(blocks, b"")):
            beginning += block
    finally:
        blocks.close()
    with tarfile.open(fileobj=io.BytesIO(beginning)) as archive:
        return archive.next() is not None and archive.next() is not None

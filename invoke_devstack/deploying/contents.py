"""What the configs and secrets of a definition hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError, FileError
from invoke_devstack.local_files.reading import read_bytes
from invoke_devstack.planning.deploys.target import FileKind

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, FileObject

LARGEST: Mapping[FileKind, int] = {FileKind.SECRET: 500 * 1024, FileKind.CONFIG: 1000 * 1024}
"""Bytes that a swarm takes."""


def contents(definition: Definition) -> dict[tuple[FileKind, str], bytes]:
    """What configs and secrets hold, by kind and key. Raises DefinitionError, with the place, for one that
    cannot be read or is too large."""
    found: dict[tuple[FileKind, str], bytes] = {}
    for kind, items in ((FileKind.CONFIG, definition.configs), (FileKind.SECRET, definition.secrets)):
        for key, item in items.items():
            if not item.external:
                found[kind, key] = _content(definition, kind, key, item)
    return found


def _content(definition: Definition, kind: FileKind, key: str, item: FileObject) -> bytes:
    origin = definition.origins.get(f"{kind.value}.{key}.file") or definition.origins.get(
        f"{kind.value}.{key}"
    )
    position = origin.position if origin else None
    word = kind.value[:-1]
    try:
        content = read_bytes(Path(item.file)) if item.file else (item.content or "").encode()
    except FileError as error:
        raise DefinitionError(
            f"{word} `{key}`: {error.message}", hint=error.hint, position=position
        ) from error
    if len(content) > LARGEST[kind]:
        most = LARGEST[kind] // 1024
        raise DefinitionError(
            f"{word} `{key}` has {len(content):,} bytes, and a swarm takes at most {most} KB",
            hint="Put it into a volume, or let the service fetch it.",
            position=position,
        )
    if not content:
        raise DefinitionError(
            f"{word} `{key}` is empty, and a swarm takes no empty ones",
            hint=f"Set its variable: export {item.environment}=…" if item.environment else "Fill its file.",
            position=position,
        )
    return content

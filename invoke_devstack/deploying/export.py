"""Writes the export of a definition to a directory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from invoke_devstack.definition import to_yaml
from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DevstackError
from invoke_devstack.local_files.reading import read_bytes
from invoke_devstack.local_files.replacing import PRIVATE, replaced, writing
from invoke_devstack.planning.kubernetes.export import KUSTOMIZATION, SECRETS, Export, export

_LARGEST = 1 << 20  # bytes of a Secret or ConfigMap
_PUBLIC = 0o666  # less the umask


def export_to(definition: Definition, directory: Path) -> tuple[Export, tuple[str, ...]]:
    """Writes the manifests; returns them and the paths of all files in `directory`. Files of the same names
    are replaced, and the kustomization comes last, so that nobody applies half of them. Raises
    DevstackError."""
    made = export(definition)
    contents = {path: text.encode() for path, text in made.texts.items()}
    contents |= {path: read_bytes(Path(file)) for path, file in made.copies.items()}
    _refuse_large(contents)
    contents |= {path: _as_yaml(documents).encode() for path, documents in made.manifests.items()}
    order = sorted(contents, key=lambda path: (path == KUSTOMIZATION, path))
    for path in order:
        _write(directory / path, contents[path], is_secret=path.startswith(f"{SECRETS}/"))
    return made, tuple(order)


def is_occupied(directory: Path) -> bool:
    """Whether something is there that the export could replace. Raises FileError."""
    with writing(directory):
        return os.path.lexists(directory) and any(directory.iterdir())


def _refuse_large(contents: Mapping[str, bytes]) -> None:
    for path, content in contents.items():
        if len(content) > _LARGEST:
            message = f"{path} would have {len(content)} bytes; Kubernetes takes at most {_LARGEST}"
            raise DevstackError(message, hint="Mount a volume instead.")


def _as_yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    return "---\n".join(to_yaml(document) for document in documents)


def _write(file: Path, content: bytes, *, is_secret: bool) -> None:
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if is_secret else 0o777)
    with replaced(file, PRIVATE if is_secret else _PUBLIC) as opened:
        opened.write(content)

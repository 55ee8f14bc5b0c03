"""Publishes the definition as an artifact of a registry, and reads one."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.syntax.yaml_reader import read_documents
from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.images.registry import Registry
from invoke_devstack.local_files.failures import file_error
from invoke_devstack.local_files.home import home_folder
from invoke_devstack.local_files.reading import read_bytes
from invoke_devstack.planning.plan import Plan
from invoke_devstack.planning.plans.images import plan_publish
from invoke_devstack.planning.publishing.artifact import Layer, digest_of, read_manifest
from invoke_devstack.planning.publishing.disclosure import Disclosure, check_publishable, disclosed
from invoke_devstack.running.executing.executor import announce_and_execute
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_PRIVATE = 0o700
_FILE_NAME = "compose.yaml"


def disclosure(definition: Definition) -> Disclosure:
    """What `publish` would make public. Raises UsageError for a definition that cannot be published,
    FileError."""
    check_publishable(definition)
    roots = [item.root for file in definition.files for item in read_documents(read_bytes(file), file)]
    return disclosed(definition, roots)


def publish(session: Session, reference: str, *, oci_version: str = "1.1") -> Plan:
    """Pushes the images that are built here, then the Compose files as they are. Raises UsageError, FileError
    and ImageUnavailableError."""
    check_publishable(session.definition)
    created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    files = _named(session.definition)
    plan = plan_publish(session.definition, str(Reference.parse(reference)), files, created, oci_version)
    announce_and_execute(session, plan)
    return plan


def _named(definition: Definition) -> list[tuple[str, bytes]]:
    """The files with their names; of several with one name, those of their directories too."""
    counts = Counter(file.name for file in definition.files)
    return [
        (file.name if counts[file.name] == 1 else f"{file.parent.name}-{file.name}", read_bytes(file))
        for file in definition.files
    ]


def fetch(reference: str) -> Path:
    """The Compose file of an artifact, on this machine. It is where Docker Compose keeps it too, with the
    same content, so that paths in it, and hashes of them, are the same for both tools. Raises
    ImageUnavailableError, DefinitionError, FileError."""
    registry = Registry(reference)
    manifest = registry.manifest()
    layers = read_manifest(manifest, reference)
    name = digest_of(manifest).partition(":")[2]
    folder = _cache() / name
    if not (folder / _FILE_NAME).is_file():
        partial = folder.with_name(f".{name}.{os.getpid()}")
        try:
            partial.mkdir(_PRIVATE, parents=True, exist_ok=True)
            for file, content in _contents(registry, layers).items():
                (partial / file).write_bytes(content)
            partial.replace(folder)
        except OSError as error:
            if not (folder / _FILE_NAME).is_file():  # else somebody else was faster
                raise file_error(error, "write", folder) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder / _FILE_NAME


def _contents(registry: Registry, layers: Iterable[Layer]) -> dict[str, bytes]:
    """Name -> content of the files of an artifact. Those that are merged are documents of one."""
    files: dict[str, bytes] = {}
    merged: list[bytes] = []
    for layer in layers:
        if layer.is_read:
            merged.append(registry.blob(layer))
        elif layer.file_name:
            files[layer.file_name] = registry.blob(layer)
    return {**files, _FILE_NAME: b"\n---\n".join(merged)}


def names_its_project(file: Path) -> bool:
    """Whether a Compose file has a `name`. Without one, a project has that of a directory."""
    roots = (item.root for item in read_documents(read_bytes(file), file))
    return any(isinstance(root, dict) and root.get("name") for root in roots)


def _cache() -> Path:
    home = home_folder()
    own = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or own) / "docker-compose"

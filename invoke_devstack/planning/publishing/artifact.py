"""Compose files as an OCI artifact, laid out as Docker Compose lays it out, so that either reads the other's
(https://github.com/opencontainers/image-spec/blob/main/manifest.md, "Guidelines for Artifact Usage").
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import PurePosixPath
from typing import Any

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning import labels
from invoke_devstack.records import record

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_PROJECT = "application/vnd.docker.compose.project"
_FILE = "application/vnd.docker.compose.file+yaml"
_ENV_FILE = "application/vnd.docker.compose.envfile"
_EMPTY = "application/vnd.oci.empty.v1+json"
_EMPTY_BEFORE_1_1 = "application/vnd.docker.compose.config.empty.v1+json"
_VERSION_KEY = "com.docker.compose.version"
_FILE_KEY, _ENV_FILE_KEY = "com.docker.compose.file", "com.docker.compose.envfile"
_EXTENDS_KEY = "com.docker.compose.extends"
_CREATED_KEY = "org.opencontainers.image.created"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
OCI_VERSIONS = ("1.1", "1.0")


@record
class Layer:
    """One blob of an artifact. `content` is None until it is fetched."""

    media_type: str
    digest: str
    size: int
    content: bytes | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def descriptor(self) -> dict[str, Any]:
        """How a manifest refers to it."""
        own = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        return {**own, "annotations": dict(self.annotations)} if self.annotations else own

    @property
    def file_name(self) -> str:
        """What its file is called where it is unpacked; "" for a layer that is no file."""
        key = {_FILE: _FILE_KEY, _ENV_FILE: _ENV_FILE_KEY}.get(self.media_type, "")
        return safe_name(self.annotations.get(key, "")) if key else ""

    @property
    def is_read(self) -> bool:
        """Whether it is one of the project's Compose files, not one that they extend, or an env file."""
        return self.media_type == _FILE and _EXTENDS_KEY not in self.annotations


def digest_of(content: bytes) -> str:
    """As a registry names it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def safe_name(name: str) -> str:
    """A file name without directories, whatever a registry says."""
    last = _UNSAFE.sub("-", PurePosixPath(name.replace("\\", "/")).name)
    return last if last.strip(".-") else "unnamed.yaml"


def layers_of(files: Iterable[tuple[str, bytes]]) -> tuple[Layer, ...]:
    """The layers of Compose files, each (name, content), in the order in which they are merged."""
    return tuple(
        Layer(
            _FILE,
            digest_of(content),
            len(content),
            content,
            {_VERSION_KEY: labels.COMPOSE_VERSION, _FILE_KEY: name},
        )
        for name, content in files
    )


def config_of(oci_version: str = "1.1") -> Layer:
    """The empty configuration that an artifact has."""
    content = b"{}"
    kind = _EMPTY if oci_version == "1.1" else _EMPTY_BEFORE_1_1
    return Layer(kind, digest_of(content), len(content), content)


def manifest_of(layers: Iterable[Layer], created: str, oci_version: str = "1.1") -> bytes:
    """The manifest of an artifact; `created` as in RFC 3339."""
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        **({"artifactType": _PROJECT} if oci_version == "1.1" else {}),
        "config": config_of(oci_version).descriptor,
        "layers": [layer.descriptor for layer in layers],
        "annotations": {_CREATED_KEY: created},
    }
    return json.dumps(body).encode()


def read_manifest(content: bytes, name: str) -> tuple[Layer, ...]:
    """The layers that the manifest of `name` refers to. Raises DefinitionError if it is no Compose
    project."""
    try:
        body = json.loads(content)
        kinds = {body.get("artifactType"), body["config"].get("mediaType")}
        layers = tuple(
            Layer(
                str(item["mediaType"]),
                str(item["digest"]),
                int(item["size"]),
                annotations={str(key): str(value) for key, value in (item.get("annotations") or {}).items()},
            )
            for item in body["layers"]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        kinds, layers = set(), ()
    if not kinds & {_PROJECT, _EMPTY_BEFORE_1_1} or not any(layer.is_read for layer in layers):
        raise DefinitionError(
            f"{name} is not a Compose project", hint="`invoke publish` and `docker compose publish` make one."
        )
    return layers

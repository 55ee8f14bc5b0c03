"""Names of containers, as in Compose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.definition.model import FileReference, Service

_SECRETS_DIRECTORY = "/run/secrets/"
_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """By what names are sorted for people: `web2` before `web10`."""
    parts = _DIGITS.split(name)  # texts and numbers take turns
    return tuple((int(part), part) if place % 2 else (0, part) for place, part in enumerate(parts))


def container_name(project: str, service: Service, number: int) -> str:
    """`container_name`, else `PROJECT-SERVICE-NUMBER`."""
    return service.container_name or f"{project}-{service.name}-{number}"


def temporary_name(name: str, replaced_id: str) -> str:
    """The name of a new container until the one that it replaces is removed."""
    return f"{replaced_id[:12]}_{name}"


def short_id(id_: str) -> str:
    """An image's or container's id for people: `3f1c…`."""
    return f"{id_.removeprefix('sha256:')[:12]}…" if id_ else "none"


def shared_service(mode: str | None) -> str:
    """The service in a mode such as `service:NAME`, or ""."""
    kind, _, name = (mode or "").partition(":")
    return name if kind == "service" else ""


def secret_target(reference: FileReference) -> str:
    """The path of a secret in the container. Compose Specification, "secrets", long syntax."""
    target = reference.target or reference.source
    return target if is_absolute(target) else _SECRETS_DIRECTORY + target


def is_absolute(path: str) -> bool:
    """Whether a container's path is absolute, on Linux or Windows."""
    return path.startswith(("/", "\\\\")) or path[1:3] in (":\\", ":/")

"""What containers are called, as Compose calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service


def container_name(project: str, service: Service, number: int) -> str:
    """`container_name`, else `PROJECT-SERVICE-NUMBER`."""
    return service.container_name or f"{project}-{service.name}-{number}"


def temporary_name(name: str, replaced_id: str) -> str:
    """What the successor of a container is called until the old one has made room."""
    return f"{replaced_id[:12]}_{name}"


def short_id(id_: str) -> str:
    """An image's or container's id as people read it: `3f1c…`."""
    return f"{id_.removeprefix('sha256:')[:12]}…" if id_ else "none"

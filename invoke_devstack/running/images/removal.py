"""Removes images: those of services, and unused earlier builds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import ConflictError
from invoke_devstack.events import Notice
from invoke_devstack.planning.causes import Cause
from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.plan import RemoveImage
from invoke_devstack.running.images.layers import freed
from invoke_devstack.running.session import Session


@dataclass(frozen=True, slots=True)
class Unused:
    """An image of the stack that no container uses. `names` is empty for an earlier build whose name a later
    one took. `size` and `frees` are bytes; other images share the rest of its layers."""

    image_id: str
    names: tuple[str, ...]
    created: int  # seconds since the epoch
    size: int
    frees: int


def unused(engine: Engine, project: str, *, named: bool = False) -> tuple[Unused, ...]:
    """The images built for the project that no container uses, running or not, oldest first; with `named`,
    including those that still have their name."""
    filters = {"label": [f"{PROJECT}={project}"], **({} if named else {"dangling": ["true"]})}
    used = {entry["ImageID"] for entry in engine.list_containers({})}
    found = sorted(
        (item for item in engine.list_images(filters) if item["Id"] not in used),
        key=lambda item: int(item["Created"]),
    )
    bytes_of = freed(engine, [item["Id"] for item in found]) if found else {}
    return tuple(
        Unused(
            item["Id"],
            tuple(name for name in item.get("RepoTags") or () if name != "<none>:<none>"),
            int(item["Created"]),
            int(item["Size"]),
            bytes_of[item["Id"]],
        )
        for item in found
    )


def check_unused(engine: Engine, images: Sequence[str]) -> None:
    """Raises ConflictError if a container uses one of the images."""
    ids = {item.id: name for name in images if (item := engine.find_image(name)) is not None}
    for entry in engine.list_containers({}):
        name = ids.get(entry["ImageID"])
        if name:
            container = str(entry["Names"][0]).lstrip("/")
            raise ConflictError(
                f"{container} ({entry['State']}) uses the image {name}",
                hint="Remove the stack's containers: `invoke down`. `--force` only removes the image's name; "
                "the container keeps the image.",
            )


def remove(
    session: Session, images: Sequence[str], *, cause: Cause, force: bool = False
) -> list[dict[str, object]]:
    """Removes the images and returns one row for each thing removed. An image in use is kept."""
    rows: list[dict[str, object]] = []
    for image in images:
        if session.explain:
            for step in docker_commands(RemoveImage(target=image, cause=cause, force=force)):
                session.emit(step)
        try:
            gone = session.engine.remove_image(image, force=force)
        except ConflictError as error:
            session.emit(Notice(text=f"keeping {image}: {error.message}", level="warning"))
            continue
        rows += [{"removed": kind.lower(), "image": name} for item in gone for kind, name in item.items()]
    return rows

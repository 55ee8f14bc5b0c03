"""Removes images: those of services, and earlier builds that nothing uses any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import ConflictError
from invoke_devstack.events import Notice
from invoke_devstack.planning.explain import explain
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.plan import RemoveImage
from invoke_devstack.running.image_layers import freed
from invoke_devstack.running.session import Session


@dataclass(frozen=True, slots=True)
class Unused:
    """An image of the stack that no container has. `names` empty: an earlier build, whose name went to a
    later one. `size` and `frees` are bytes; the rest of its layers belongs to other images too."""

    image_id: str
    names: tuple[str, ...]
    created: int  # seconds since the epoch
    size: int
    frees: int


def unused(engine: Engine, project: str, *, named: bool = False) -> tuple[Unused, ...]:
    """The images built for the project that no container has, running or not, the oldest first; with
    `named` those too that still have their name."""
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
    """Raises ConflictError if a container has one of the images, and names it."""
    ids = {item.id: name for name in images if (item := engine.find_image(name)) is not None}
    for entry in engine.list_containers({}):
        name = ids.get(entry["ImageID"])
        if name:
            container = str(entry["Names"][0]).lstrip("/")
            raise ConflictError(
                f"{name} is the image of {container}, which is {entry['State']}",
                hint="`invoke down` removes the stack's containers. `--force` takes the image's name away all"
                " the same, and leaves the container what it has.",
            )


def remove(
    session: Session, images: Sequence[str], *, cause: str, force: bool = False
) -> list[dict[str, object]]:
    """Removes them and returns what went, a row each. One that came into use meanwhile stays."""
    rows: list[dict[str, object]] = []
    for image in images:
        if session.explain:
            for step in explain(RemoveImage(target=image, cause=cause, force=force)):
                session.emit(step)
        try:
            gone = session.engine.remove_image(image, force=force)
        except ConflictError as error:
            session.emit(Notice(text=f"{image} stays: {error.message}", level="warning"))
            continue
        rows += [{"removed": kind.lower(), "image": name} for item in gone for kind, name in item.items()]
    return rows

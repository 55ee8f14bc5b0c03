"""Images of the stack: `images`, and `images.inspect`, `.layers`, `.rm`, `.prune`."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke_devstack.tasks.work import Work


@task(
    "list",
    json="answer",
    shorts={"quiet": "q"},
    flags={"quiet": "Only the ids of the images that are on the engine."},
)
def list_(work: Work, service: tuple[str, ...] = (), quiet: bool = False, json: bool = False) -> None:
    """List the images of services: size, age."""
    if quiet:
        found = (work.engine.find_image(image) for image in _images(work, service).values())
        work.names((image.id for image in found if image), json=json)
        return
    rows = [_row(work, name, image) for name, image in _images(work, service).items()]
    columns = ("service", "image", "id", "size", "created_at", "note")
    work.table("images", columns, rows, "the stack has no services")


@task("inspect", json="answer")
def inspect(work: Work, service: str) -> None:
    """Show details of a service's image."""
    (image,) = _images(work, [service]).values()
    data = work.engine.inspect_image(image)
    work.learn_secrets(data)
    work.answer(json_module.dumps(data, indent=2, ensure_ascii=False), data)


@task("layers", json="answer")
def layers(work: Work, service: str) -> None:
    """List an image's layers and who shares them.

    The base comes first. The engine stores a shared layer once: `shared_by` lists services of this stack,
    `also_in` other named images.
    """
    from invoke_devstack.running.images.layers import holders, layers_of

    images = {name: _full(image) for name, image in _images(work, ()).items()}
    image = _full(_images(work, [service])[service])
    all_holders = holders(work.engine)
    rows: list[dict[str, object]] = []
    for layer in layers_of(work.engine, image):
        having = [item for item in all_holders if layer.chain and layer.chain in item.chains]
        named = {name for item in having for name in item.names}
        others = named - {name for item in having if image in item.names for name in item.names}
        rows.append(
            {
                "layer": _short(layer.digest),
                "size": layer.size,
                "shared_by": sorted(key for key, name in images.items() if name in named and key != service),
                "also_in": sorted(others - {*images.values()}),
                "instruction": layer.instruction,
            }
        )
    work.learn_secrets(rows)
    columns = ("layer", "size", "shared_by", "also_in", "instruction")
    work.table("layers", columns, rows, "the image has no layers")


@task(
    "rm",
    json="answer",
    shorts={"force": "f"},
    flags={"force": "Also remove the names of images that containers use."},
    explains=True,
)
def rm(work: Work, service: tuple[str, ...] = (), force: bool = False, yes: bool = False) -> None:
    """Remove images of services. Asks first."""
    from invoke_devstack.planning.causes import Cause, CauseKind
    from invoke_devstack.running.images import removal

    names = [image for image in _images(work, service).values() if work.engine.find_image(image)]
    if not force:
        removal.check_unused(work.engine, names)
    if names:
        listed = ", ".join(names)
        work.confirm(f"Remove {listed}?", yes=yes, loses=f"the images {listed}")
    with work.session() as session:
        rows = removal.remove(session, names, cause=Cause(CauseKind.COMMAND, "images.rm"), force=force)
    _show_removed(work, rows)


@task(
    "prune",
    json="answer",
    shorts={"all_": "a"},
    flags={
        "all_": "Also named images that were built here and that no container uses.",
    },
    explains=True,
)
def prune(work: Work, all_: bool = False, yes: bool = False) -> None:
    """Remove unused earlier builds. Asks first.

    First lists the images and how much space each frees; layers shared with other images stay.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.events import Notice
    from invoke_devstack.planning.causes import Cause, CauseKind
    from invoke_devstack.running.images import removal

    found = removal.unused(work.engine, work.project, named=all_)
    for item in found:
        what = ", ".join(item.names) or f"earlier build {_short(item.image_id)}"
        work.tell(Notice(text=f"{what}: {size(item.size)}, removing it frees {size(item.frees)}"))
    if found:
        count = f"{len(found)} image{'s' if len(found) != 1 else ''}"
        amount = size(sum(item.frees for item in found))
        work.confirm(f"Remove {count} and free {amount}?", yes=yes, loses=f"{count} ({amount})")
    with work.session() as session:
        targets = [name for item in found for name in (item.names or (item.image_id,))]
        rows = removal.remove(session, targets, cause=Cause(CauseKind.STATE, "no container uses it"))
    _show_removed(work, rows)


def _images(work: Work, names: Sequence[str]) -> dict[str, str]:
    from invoke_devstack.errors import UsageError
    from invoke_devstack.planning.processes.image import is_process

    definition = work.bound_definition
    asked = work.services(names)
    for name in asked:
        if is_process(definition.all_services[name]):
            raise UsageError(f"`{name}` is a process of this machine, so it has no image")
    chosen = asked or tuple(name for name, item in definition.services.items() if not is_process(item))
    return {name: definition.all_services[name].image_name(definition.name) for name in chosen}


def _row(work: Work, service: str, image: str) -> dict[str, object]:
    from invoke_devstack.planning.labels import STAND_IN

    row: dict[str, object] = {
        "service": service,
        "image": image,
        "id": None,
        "size": None,
        "created_at": "",
        "note": "not here",
    }
    found = work.engine.find_image(image)
    if found is None:
        return row
    inspected = work.engine.inspect_image(image)
    return {
        **row,
        "id": _short(found.id),
        "size": inspected["Size"],
        "created_at": inspected["Created"],
        "note": "stand-in" if STAND_IN in found.labels else "",
    }


def _show_removed(work: Work, rows: list[dict[str, object]]) -> None:
    work.table("removed", ("removed", "image"), rows, "nothing to remove")


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]


def _full(image: str) -> str:
    """With the tag that the engine adds if none is given."""
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"

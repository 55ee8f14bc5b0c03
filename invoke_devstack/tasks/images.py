"""The images of the stack's services."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Any

from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invoke_devstack.tasks.context import Work


@command("list", json="answer", default=True)
def list_(work: Work, service: tuple[str, ...] = (), json: bool = False) -> None:
    """List the stack's images: size, age."""
    rows = [_row(work, name, image) for name, image in _images(work, service).items()]
    columns = ("service", "image", "id", "size", "created_at", "note")
    work.table("images", columns, rows, "the stack has no service")


@command("inspect", json="answer")
def inspect(work: Work, service: str, json: bool = False) -> None:
    """Show all that is known of a service's image."""
    data = _inspect(work, service)
    work.answer(json_module.dumps(data, indent=2, ensure_ascii=False), data)


@command("layers", json="answer")
def layers(work: Work, service: str, json: bool = False) -> None:
    """List an image's layers, and who shares them.

    The base comes first. A layer that several images have is on the engine once: `shared_by` are services
    of this stack, `also_in` other images that have a name.
    """
    from invoke_devstack.running.image_layers import holders, layers_of

    images = {name: _full(image) for name, image in _images(work, ()).items()}
    image = _full(_images(work, [service])[service])
    others = holders(work.engine)
    rows: list[dict[str, object]] = []
    for layer in layers_of(work.engine, image):
        having = [item for item in others if layer.chain and layer.chain in item.chains]
        named = {name for item in having for name in item.names}
        strangers = named - {name for item in having if image in item.names for name in item.names}
        rows.append(
            {
                "layer": _short(layer.digest),
                "size": layer.size,
                "shared_by": sorted(key for key, name in images.items() if name in named and key != service),
                "also_in": sorted(strangers - {*images.values()}),
                "instruction": layer.instruction,
            }
        )
    columns = ("layer", "size", "shared_by", "also_in", "instruction")
    work.table("layers", columns, rows, "the image has no layer")


@command(
    "rm",
    json="answer",
    shorts={"force": "f"},
    flags={"force": "Also those that containers have: they lose their name."},
)
def rm(
    work: Work,
    service: tuple[str, ...] = (),
    force: bool = False,
    yes: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Remove the images of services. Asks first."""
    from invoke_devstack.running import image_removal

    names = [image for image in _images(work, service).values() if work.engine.find_image(image)]
    if not force:
        image_removal.check_unused(work.engine, names)
    if names:
        listed = ", ".join(names)
        work.confirm(f"Remove {listed}?", yes=yes, loses=f"the images {listed}")
    with work.session(explain=explain) as session:
        rows = image_removal.remove(session, names, cause="asked for", force=force)
    _show_removed(work, rows)


@command(
    "prune",
    json="answer",
    shorts={"all_": "a"},
    flags={
        "all_": "Also images with a name, if they were built here and no container has them.",
    },
)
def prune(
    work: Work, all_: bool = False, yes: bool = False, explain: bool = False, json: bool = False
) -> None:
    """Remove earlier builds that nothing uses. Asks first.

    It says first what would go and how much that frees: layers that other images have too stay.
    """
    from invoke_devstack.console.amounts import size
    from invoke_devstack.events import Notice
    from invoke_devstack.running import image_removal

    found = image_removal.unused(work.engine, work.project, named=all_)
    for item in found:
        what = ", ".join(item.names) or f"earlier build {_short(item.image_id)}"
        work.tell(Notice(text=f"{what}: {size(item.size)}, of which {size(item.frees)} would be freed"))
    if found:
        count = f"{len(found)} image{'s' if len(found) != 1 else ''}"
        amount = size(sum(item.frees for item in found))
        work.confirm(f"Remove {count}, which frees {amount}?", yes=yes, loses=f"{count} ({amount})")
    with work.session(explain=explain) as session:
        targets = [name for item in found for name in (item.names or (item.image_id,))]
        rows = image_removal.remove(session, targets, cause="no container has it")
    _show_removed(work, rows)


def _images(work: Work, names: Sequence[str]) -> dict[str, str]:
    services = work.bound_definition.services
    chosen = work.services(names) or tuple(services)
    known = {**services, **work.definition.disabled_services}
    return {name: known[name].image_name(work.definition.name) for name in chosen}


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


def _inspect(work: Work, service: str) -> Mapping[str, Any]:
    (image,) = _images(work, [service]).values()
    return work.engine.inspect_image(image)


def _show_removed(work: Work, rows: list[dict[str, object]]) -> None:
    work.table("removed", ("removed", "image"), rows, "there was nothing to remove")


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]


def _full(image: str) -> str:
    """With the tag that the engine adds where none is given."""
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"

"""The images of the stack's services."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Any

from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invoke_devstack.tasks.context import Work

_STAND_IN = "dev.invoke-devstack.standin"


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
    """List an image's layers, and who shares them."""
    inspected = _inspect(work, service)
    history = work.engine.image_history(inspected["Id"])
    rows = layer_rows(history, _digests(inspected), _others(work, service))
    work.table("layers", ("layer", "size", "shared_by", "instruction"), rows, "the image has no layer")


@command("rm", json="answer")
def rm(work: Work, service: tuple[str, ...] = (), yes: bool = False, json: bool = False) -> None:
    """Remove the images of services. Asks first."""
    here = {image: work.engine.find_image(image) for image in _images(work, service).values()}
    names = [name for name, found in here.items() if found is not None]
    if names:
        listed = ", ".join(names)
        work.confirm(f"Remove {listed}?", yes=yes, loses=f"the images {listed}")
    _remove(work, names)


@command("prune", json="answer")
def prune(work: Work, yes: bool = False, json: bool = False) -> None:
    """Remove earlier builds without a name. Asks first."""
    from invoke_devstack.console.amounts import size
    from invoke_devstack.planning.labels import PROJECT

    filters = {"dangling": ["true"], "label": [f"{PROJECT}={work.definition.name}"]}
    found = work.engine.list_images(filters)
    if found:
        amount = f"{len(found)} earlier builds, up to {size(sum(item['Size'] for item in found))}"
        work.confirm(f"Remove {amount}?", yes=yes, loses=amount)
    _remove(work, [item["Id"] for item in found])


def layer_rows(
    history: Sequence[Mapping[str, Any]], digests: Sequence[str], others: Mapping[str, frozenset[str]]
) -> list[dict[str, object]]:
    """The base first. A step without a file of its own has no digest; `others` are the layers of the
    other services' images, by service."""
    remaining = list(digests)
    rows: list[dict[str, object]] = []
    steps = list(reversed(history))
    for index, step in enumerate(steps):
        has_layer = bool(step["Size"]) or len(remaining) == len(steps) - index
        digest = remaining.pop(0) if has_layer and remaining else ""
        sharing = [name for name, known in others.items() if digest and digest in known]
        rows.append(
            {
                "layer": digest.removeprefix("sha256:")[:12],
                "size": step["Size"],
                "shared_by": sharing,
                "instruction": _instruction(step["CreatedBy"]),
            }
        )
    return rows


def _instruction(text: str) -> str:
    """The classic builder notes `/bin/sh -c #(nop)  CMD ["x"]`, BuildKit `CMD ["x"]`."""
    without_shell = text.removeprefix("/bin/sh -c ")
    return without_shell.removeprefix("#(nop)").strip() if "#(nop)" in text else text


def _images(work: Work, names: Sequence[str]) -> dict[str, str]:
    services = work.definition.services
    chosen = work.services(names) or tuple(services)
    known = {**services, **work.definition.disabled_services}
    return {name: known[name].image_name(work.definition.name) for name in chosen}


def _row(work: Work, service: str, image: str) -> dict[str, object]:
    found = work.engine.find_image(image)
    if found is None:
        return {"service": service, "image": image, "id": None, "size": None, "note": "not here"}
    inspected = work.engine.inspect_image(image)
    return {
        "service": service,
        "image": image,
        "id": found.id.removeprefix("sha256:")[:12],
        "size": inspected["Size"],
        "created_at": inspected["Created"],
        "note": "stand-in" if _STAND_IN in found.labels else "",
    }


def _inspect(work: Work, service: str) -> Mapping[str, Any]:
    (image,) = _images(work, [service]).values()
    return work.engine.inspect_image(image)


def _digests(inspected: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple((inspected.get("RootFS") or {}).get("Layers") or ())


def _others(work: Work, service: str) -> dict[str, frozenset[str]]:
    images = {name: image for name, image in _images(work, ()).items() if name != service}
    return {
        name: frozenset(_digests(work.engine.inspect_image(image)))
        for name, image in images.items()
        if work.engine.find_image(image) is not None
    }


def _remove(work: Work, images: Sequence[str]) -> None:
    rows: list[dict[str, object]] = []
    for image in images:
        for item in work.engine.remove_image(image):
            rows += [{"removed": kind.lower(), "image": name} for kind, name in item.items()]
    work.table("removed", ("removed", "image"), rows, "there was nothing to remove")

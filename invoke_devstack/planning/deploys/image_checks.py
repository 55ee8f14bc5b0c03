"""What stands between the images of a deploy and the nodes: platforms, and images that no registry has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from invoke_devstack.planning.deploys.checks import hostname, meets, usable
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.service_spec import Holding, ImagePin
from invoke_devstack.planning.deploys.target import Target
from invoke_devstack.planning.kubernetes.workloads import ARCHITECTURES
from invoke_devstack.planning.plan import Body
from invoke_devstack.planning.preflight.findings import Finding, FindingKind, Level

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def check_platforms(definition: Definition, target: Target, observed: ObservedStack) -> Iterator[Finding]:
    """An error for each service whose image runs on no node that it may run on."""
    for name, spec in target.services.items():
        placement = spec["TaskTemplate"].get("Placement") or {}
        platforms, constraints = placement.get("Platforms") or (), placement.get("Constraints") or ()
        fitting = [node for node in usable(observed) if all(meets(node, item) for item in constraints)]
        if fitting and not any(runs_on(node, platforms) for node in fitting):
            yield _no_platform(definition, name, platforms, fitting)


def _no_platform(
    definition: Definition, name: str, platforms: Iterable[Mapping[str, str]], nodes: list[Body]
) -> Finding:
    service = definition.services[name]
    image = service.image_name(definition.name)
    has = ", ".join(dict.fromkeys(_text(item) for item in platforms))
    wanted = dict.fromkeys(_text(_platform_of(node)) for node in nodes)
    way = f"Build it for them: `build.platforms: [{', '.join(wanted)}]`" if service.build else ""
    key = f"services.{name}.{'platform' if service.platform else 'image'}"
    origin = definition.origins.get(key)
    return Finding(
        FindingKind.CLUSTER,
        Level.ERROR,
        key,
        f"{image} is for {has}, and the nodes are {', '.join(wanted)}",
        way or "Take an image that has their platform.",
        origin.position if origin else None,
    )


def runs_on(node: Body, platforms: Iterable[Mapping[str, str]]) -> bool:
    """Whether a node takes an image with these platforms, as a swarm decides it: none fit all nodes, and so
    does a missing part of one."""
    own = _platform_of(node)
    offered = list(platforms)
    return not offered or any(
        all(not item.get(key) or _usual(item[key]) == own[key] for key in own if own[key]) for item in offered
    )


def _platform_of(node: Body) -> dict[str, str]:
    found = (node.get("Description") or {}).get("Platform") or {}
    return {"OS": str(found.get("OS") or ""), "Architecture": _usual(str(found.get("Architecture") or ""))}


def _usual(name: str) -> str:
    return ARCHITECTURES.get(name, name)


def _text(platform: Mapping[str, str]) -> str:
    return "/".join(filter(None, (platform.get("OS"), _usual(platform.get("Architecture", "")))))


def check_local_images(
    definition: Definition, target: Target, images: Mapping[str, ImagePin], observed: ObservedStack
) -> Iterator[Finding]:
    """An error for each service that may get to a node that is known to lack its local image: the swarm would
    try that node, and the task be rejected there."""
    for name, spec in target.services.items():
        image = definition.services[name].image_name(definition.name)
        pin = images.get(image)
        constraints = (spec["TaskTemplate"].get("Placement") or {}).get("Constraints") or ()
        lacking = [
            hostname(node)
            for node in usable(observed)
            if pin
            and pin.on_nodes.get(node["ID"]) is Holding.NONE
            and all(meets(node, item) for item in constraints)
        ]
        if lacking:
            key = f"services.{name}.image"
            origin = definition.origins.get(key)
            text = f"no registry has {image}, and {_listed(lacking)} not have it either"
            hint = (
                f"Copy it there: docker save {image} | docker --context {lacking[0]} load. Or name the nodes "
                f"that have it in `deploy.placement.constraints`, or push it to a registry."
            )
            yield Finding(
                FindingKind.CLUSTER, Level.ERROR, key, text, hint, origin.position if origin else None
            )


def _listed(nodes: list[str]) -> str:
    return f"{', '.join(nodes)} {'does' if len(nodes) == 1 else 'do'}"


def without_registry(images: Mapping[str, ImagePin], observed: ObservedStack, manager: str) -> str:
    """The warning about images that no registry has; "" without any. `manager` is the id of the node that has
    them."""
    names = sorted(images)
    others = [node for node in usable(observed) if node["ID"] != manager]
    if not names:
        return ""
    text = f"no registry has {', '.join(names)}: nodes use what they have under this name"

    def nodes(*wanted: Holding | None) -> list[str]:
        return [
            hostname(node)
            for node in others
            if any(pin.on_nodes.get(node["ID"]) in wanted for pin in images.values())
        ]

    if others and all(
        pin.on_nodes.get(node["ID"]) is Holding.SAME for node in others for pin in images.values()
    ):
        return f"{text}, which is the same on all"
    parts = [
        f"{', '.join(found)} {'has' if len(found) == 1 else 'have'} {what}"
        for found, what in ((nodes(Holding.OTHER), "another"), (nodes(Holding.NONE), "none"))
        if found
    ]
    unknown = nodes(None)
    if unknown:
        them = "it" if len(unknown) == 1 else "them"
        parts.append(f"{', '.join(unknown)} may have another or none (no Docker context reaches {them})")
    differing = nodes(Holding.OTHER, Holding.NONE, None)
    if not differing:
        return text
    copy = f"docker save {' '.join(names)} | docker --context {differing[0]} load"
    return f"{text}, and {'; '.join(parts)}. To copy it there: {copy}"

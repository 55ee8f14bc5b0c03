"""Images and the nodes that are to run them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.planning.deploys.image_checks import (
    check_local_images,
    check_platforms,
    runs_on,
    without_registry,
)
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.service_spec import Holding, ImagePin
from invoke_devstack.planning.deploys.target import Target

AMD, ARM = {"OS": "linux", "Architecture": "amd64"}, {"OS": "linux", "Architecture": "arm64"}


def node(name: str, machine: str, state: str = "ready", **labels: str) -> dict[str, Any]:
    return {
        "ID": f"id-{name}",
        "Spec": {"Availability": "active", "Labels": labels},
        "Status": {"State": state},
        "Description": {"Hostname": name, "Platform": {"OS": "linux", "Architecture": machine}},
    }


def cluster(*nodes: dict[str, Any]) -> ObservedStack:
    return ObservedStack("shop", {}, (), {}, {}, nodes)


def said(
    text: str, placement: Mapping[str, Any], observed: ObservedStack, folder: Path
) -> list[tuple[str, str, str]]:
    (folder / "compose.yaml").write_text(f"services: {{web: {{image: app:1{text}}}}}\n")
    target = Target("shop", {"web": {"TaskTemplate": {"Placement": placement}}})
    found = check_platforms(load(folder, environment={}), target, observed)
    return [(item.key, item.text, item.hint) for item in found]


@pytest.mark.parametrize(
    ("machine", "platforms", "fits"),
    [
        ("x86_64", [AMD], True),
        ("x86_64", [ARM], False),
        ("aarch64", [AMD, ARM], True),
        ("x86_64", [], True),
        ("x86_64", [{"OS": "linux"}], True),
        ("x86_64", [{"OS": "windows", "Architecture": "amd64"}], False),
        ("", [ARM], True),
    ],
)
def test_a_node_takes_an_image_for_its_platform(
    machine: str, platforms: list[dict[str, str]], fits: bool
) -> None:
    assert runs_on(node("node1", machine), platforms) == fits


def test_an_image_that_fits_no_node_is_an_error(tmp_path: Path) -> None:
    observed = cluster(node("node1", "x86_64"), node("away", "aarch64", "down"))
    assert said("", {"Platforms": [ARM]}, observed, tmp_path) == [
        (
            "services.web.image",
            "app:1 is for linux/arm64, and the nodes are linux/amd64",
            "Take an image that has their platform.",
        )
    ]
    [(_, _, hint)] = said(", build: .", {"Platforms": [ARM]}, observed, tmp_path)
    assert hint == "Build it for them: `build.platforms: [linux/amd64]`"


def test_only_nodes_that_meet_the_constraints_count(tmp_path: Path) -> None:
    observed = cluster(node("node1", "x86_64", disk="ssd"), node("node2", "aarch64"))
    assert said("", {"Platforms": [ARM]}, observed, tmp_path) == []
    constrained = {"Platforms": [ARM], "Constraints": ["node.labels.disk==ssd"]}
    assert len(said("", constrained, observed, tmp_path)) == 1
    # What no node meets has an error of its own.
    nowhere = {"Platforms": [ARM], "Constraints": ["node.labels.disk==tape"]}
    assert said("", nowhere, observed, tmp_path) == []


def local(**on_nodes: Holding) -> ImagePin:
    return ImagePin(
        "app:1", local_id="sha256:1", on_nodes={f"id-{name}": held for name, held in on_nodes.items()}
    )


def test_the_nodes_that_must_have_a_local_image_are_named() -> None:
    observed = cluster(node("node1", "x86_64"), node("node2", "x86_64"), node("away", "x86_64", "down"))
    images = {"b:1": local(), "a:1": local()}
    assert without_registry(images, observed, "id-node1") == (
        "no registry has a:1, b:1: nodes use what they have under this name, and node2 may have another or "
        "none (no Docker context reaches it). "
        "To copy it there: docker save a:1 b:1 | docker --context node2 load"
    )
    alone = cluster(node("node1", "x86_64"))
    assert without_registry({"a:1": local()}, alone, "id-node1").endswith("under this name")
    assert without_registry({}, observed, "id-node1") == ""


def test_what_other_nodes_have_is_told_as_far_as_it_is_known() -> None:
    observed = cluster(*(node(f"node{number}", "x86_64") for number in range(1, 5)))
    same = local(node2=Holding.SAME, node3=Holding.SAME, node4=Holding.SAME)
    assert without_registry({"a:1": same}, observed, "id-node1").endswith("which is the same on all")
    mixed = local(node2=Holding.SAME, node3=Holding.OTHER, node4=Holding.NONE)
    assert without_registry({"a:1": mixed}, observed, "id-node1").endswith(
        "and node3 has another; node4 has none. "
        "To copy it there: docker save a:1 | docker --context node3 load"
    )


def refused(pin: ImagePin, observed: ObservedStack, folder: Path, *constraints: str) -> list[tuple[str, str]]:
    (folder / "compose.yaml").write_text("services: {web: {image: app:1}}\n")
    target = Target("shop", {"web": {"TaskTemplate": {"Placement": {"Constraints": list(constraints)}}}})
    found = check_local_images(load(folder, environment={}), target, {"app:1": pin}, observed)
    return [(item.text, item.hint) for item in found]


def test_a_local_image_that_a_node_is_known_to_lack_is_an_error(tmp_path: Path) -> None:
    observed = cluster(node("node1", "x86_64", disk="ssd"), node("node2", "x86_64"), node("node3", "x86_64"))
    pin = local(node2=Holding.NONE, node3=Holding.OTHER)
    [(text, hint)] = refused(pin, observed, tmp_path)
    assert text == "no registry has app:1, and node2 does not have it either"
    assert "docker save app:1 | docker --context node2 load" in hint
    assert refused(pin, observed, tmp_path, "node.labels.disk==ssd") == []
    assert refused(local(), observed, tmp_path) == []
    assert refused(local(node2=Holding.SAME), observed, tmp_path) == []

"""Images and the nodes that are to run them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.planning.deploys.image_checks import check_platforms, runs_on, without_registry
from invoke_devstack.planning.deploys.observed import ObservedStack
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


def test_the_nodes_that_must_have_a_local_image_are_named() -> None:
    observed = cluster(node("node1", "x86_64"), node("node2", "x86_64"), node("away", "x86_64", "down"))
    assert without_registry(["b:1", "a:1"], observed, "id-node1") == (
        "no registry has a:1, b:1: nodes use what they have under this name, and node2 may have another or "
        "none. To copy it there: docker save a:1 b:1 | docker --context node2 load"
    )
    assert without_registry(["a:1"], cluster(node("node1", "x86_64")), "id-node1").endswith("under this name")
    assert without_registry([], observed, "id-node1") == ""

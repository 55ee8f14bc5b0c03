"""Images that nodes cannot get, or not the same of."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from tests.swarm.full import FULL
from tests.swarm.project import Project

pytestmark = FULL

STACK = """
services:
  web:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; while :; do sleep 0.2; done"]
    deploy: {endpoint_mode: dnsrr, replicas: 3, update_config: {monitor: 1s}PLACEMENT}
"""
ON_NODE_2 = ", placement: {constraints: [node.hostname == node2]}"


def write(project: Project, image: str = "IMAGE", placement: str = "") -> None:
    project.write(STACK.replace("IMAGE", image).replace("PLACEMENT", placement))


@pytest.fixture
def local(project: Project) -> Iterator[str]:
    """The name of an image that no registry has, and that is removed from all nodes."""
    name = f"{project.name}/local:1"
    yield name
    for node in range(1, project.cluster.count + 1):
        subprocess.run(
            ["docker", "-H", project.cluster.url(node), "image", "rm", "--force", name], check=False
        )


def test_an_image_that_every_node_has_is_used_as_it_is_with_a_warning(project: Project, local: str) -> None:
    archive = project.cluster.saved_busybox(local)
    project.cluster.load(archive, 1, 2, 3)
    project.know(1, 2, 3)
    write(project, local)
    said = project.deploy()
    assert (
        f"no registry has {local}: nodes use what they have under this name, which is the same on all" in said
    )
    nodes = {
        task["NodeID"] for task in project.api.tasks({"label": project.label, "desired-state": "running"})
    }
    assert len(nodes) == 3
    assert "nothing to do" in project.deploy()


def test_an_image_that_only_some_nodes_have_is_refused_and_the_others_are_named(
    project: Project, local: str
) -> None:
    archive = project.cluster.saved_busybox(local)
    project.cluster.load(archive, 1, 2)
    project.know(1, 2, 3)
    write(project, local)
    refused = project.invoke("deploy", "--yes")
    assert refused.returncode == 1
    assert f"no registry has {local}, and node3 does not have it either" in refused.stderr
    assert f"docker save {local} | docker --context node3 load" in refused.stderr
    assert project.leftovers() == []
    write(project, local, ON_NODE_2)
    project.deploy()


def test_what_a_node_has_that_no_context_reaches_is_not_known_and_that_is_said(
    project: Project, local: str
) -> None:
    project.cluster.load(project.cluster.saved_busybox(local), 1, 2)
    project.know(1, 2)
    write(project, local, ON_NODE_2)
    said = project.deploy()
    assert "node3 may have another or none (no Docker context reaches it)" in said


def test_a_registry_that_a_node_cannot_pull_from_is_named_and_the_stack_goes_back(project: Project) -> None:
    write(project)
    project.deploy()
    before = project.specs()
    registry = project.cluster.registry
    (project.folder / "Dockerfile").write_text(f"FROM {registry}/busybox:1\nLABEL of={project.name}\n")
    write(project, f"{registry}/{project.name}:1\n    build: .", ON_NODE_2)
    with project.cluster.without_registry(2):
        failed = project.invoke("deploy", "--yes")
    assert failed.returncode == 1
    assert "`web` failed on node2: " in failed.stderr
    assert f"Try there: docker pull {registry}/{project.name}:1" in failed.stderr
    assert "are as before, verified" in failed.stderr
    assert project.specs() == before
    project.deploy()


def test_a_registry_that_the_manager_does_not_reach_is_named_before_anything_is_changed(
    project: Project,
) -> None:
    write(project)
    project.deploy()
    before = project.specs()
    write(project, f"{project.cluster.subnet}.254:5999/page:1")
    refused = project.invoke("deploy", "--yes")
    assert refused.returncode == 1
    assert f"{project.cluster.subnet}.254:5999" in refused.stderr
    assert project.specs() == before


def test_an_image_for_another_platform_is_refused(project: Project) -> None:
    registry = f"http://{project.cluster.registry}/v2/busybox"
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.loads(_ask(f"{registry}/manifests/1", headers={"Accept": kind}))
    config = json.loads(_ask(f"{registry}/blobs/{manifest['config']['digest']}"))
    content = json.dumps({**config, "architecture": "s390x"}).encode()
    digest = _upload(registry, content)
    manifest["config"] |= {"digest": digest, "size": len(content)}
    _ask(f"{registry}/manifests/s390x", json.dumps(manifest).encode(), {"Content-Type": kind})
    write(project, f"{project.cluster.registry}/busybox:s390x")
    refused = project.invoke("deploy", "--yes")
    assert refused.returncode == 1
    assert "busybox:s390x is for linux/s390x, and the nodes are linux/" in refused.stderr
    assert project.leftovers() == []


def _upload(registry: str, content: bytes) -> str:
    from hashlib import sha256

    digest = f"sha256:{sha256(content).hexdigest()}"
    request = urllib.request.Request(f"{registry}/blobs/uploads/", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        place = answer.headers["Location"]
    sign = "&" if "?" in place else "?"
    _ask(f"{place}{sign}digest={digest}", content, {"Content-Type": "application/octet-stream"})
    return digest


def _ask(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """With a body it is a PUT."""
    method = "GET" if body is None else "PUT"
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        result: bytes = answer.read()
        return result

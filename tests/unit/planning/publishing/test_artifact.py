"""A definition as an artifact: its layout, and what would become public."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invoke_devstack.definition.syntax.yaml_reader import read_documents
from invoke_devstack.errors import DefinitionError, UsageError
from invoke_devstack.planning.plans.images import plan_publish
from invoke_devstack.planning.publishing.artifact import (
    config_of,
    layers_of,
    manifest_of,
    read_manifest,
    safe_name,
)
from invoke_devstack.planning.publishing.disclosure import Disclosure, check_publishable, disclosed
from tests.unit.planning.building import stack

FILES = (("compose.yaml", b"services: {}\n"), ("compose.override.yaml", b"x-a: 1\n"))
NOW = "2026-01-31T12:00:00Z"


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_manifest_reads_as_what_was_written(version: str) -> None:
    layers = layers_of(FILES)
    found = read_manifest(manifest_of(layers, NOW, version), "shop:1")
    assert [(item.digest, item.file_name, item.is_read) for item in found] == [
        (item.digest, name, True) for item, (name, _) in zip(layers, FILES, strict=True)
    ]


def test_the_layout_is_that_of_compose() -> None:
    body = json.loads(manifest_of(layers_of(FILES), NOW))
    assert body["artifactType"] == "application/vnd.docker.compose.project"
    assert body["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    assert {item["mediaType"] for item in body["layers"]} == {"application/vnd.docker.compose.file+yaml"}
    assert body["layers"][0]["annotations"]["com.docker.compose.file"] == "compose.yaml"
    assert "artifactType" not in json.loads(manifest_of(layers_of(FILES), NOW, "1.0"))
    assert config_of("1.0").descriptor["mediaType"].startswith("application/vnd.docker.compose.config.empty")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"config": {}, "layers": []}',
        b'{"config": 1, "layers": {}}',
        manifest_of((), NOW),
    ],
)
def test_what_is_no_project_is_told(content: bytes) -> None:
    with pytest.raises(DefinitionError, match="shop:1 is not a Compose project"):
        read_manifest(content, "shop:1")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("compose.yaml", "compose.yaml"),
        ("../../etc/passwd", "passwd"),
        ("a\\..\\b.env", "b.env"),
        ("..", "unnamed.yaml"),
        ("", "unnamed.yaml"),
        ("x y.yaml", "x-y.yaml"),
    ],
)
def test_a_registry_names_no_file_elsewhere(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_images_are_pushed_before_and_a_failure_is_no_obstacle() -> None:
    definition = stack(
        {"db": {}, "web": {"image": "registry.example.com/web:1", "build": {"context": "/src"}}}
    )
    plan = plan_publish(definition, "registry.example.com/shop:1", FILES, NOW, "1.1")
    assert plan.lines() == (
        "push registry.example.com/web:1  (push)",
        "publish registry.example.com/shop:1  (publish)",
    )


TEXT = """
services:
  web:
    image: web:1
    build: {context: ., args: {REVISION: "7"}}
    environment:
      COLOUR: blue
      API_KEY: abc
      FROM_HERE: ${FROM_HERE}
      EMPTY:
      URL: http://user:pass@host/
  db:
    environment: [MODE=fast, INHERITED]
configs:
  page: {content: hello}
"""


def test_only_what_the_files_say_in_plain_text_becomes_public() -> None:
    definition = stack({"web": {"volumes": [{"type": "bind", "source": "/src", "target": "/src"}]}})
    roots = [item.root for item in read_documents(TEXT.encode(), Path("/project/compose.yaml"))]
    assert disclosed(definition, roots) == Disclosure(
        variables=("web: COLOUR", "web: REVISION", "db: MODE", "configs: page"),
        secrets=("web: API_KEY", "web: URL"),
        bind_mounts=("web: /src",),
    )
    assert not disclosed(stack({"web": {}}), [])


def test_what_nobody_else_could_run_is_refused() -> None:
    with pytest.raises(UsageError, match="without `image`, nobody else can run `web`"):
        check_publishable(stack({"web": {"image": None, "build": {"context": "/src"}}}))
    with pytest.raises(UsageError, match=r"/project/more.yaml"):
        check_publishable(stack({"web": {}}, read_files=(Path("/project/more.yaml"),)))
    with pytest.raises(UsageError, match="`env_file` of `web`"):
        check_publishable(stack({"web": {"env_file": [{"path": "/project/web.env"}]}}))
    check_publishable(stack({"web": {}}))

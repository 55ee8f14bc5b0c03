"""The export to Kubernetes: valid for the published schemas, and what has no counterpart is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from invoke_devstack.definition import load, to_yaml
from invoke_devstack.definition.attributes.file import FILE
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.kubernetes.export import KUSTOMIZATION, Export, export
from invoke_devstack.planning.kubernetes.kubernetes_keys import KEYS
from invoke_devstack.planning.preflight.examine import fate_of
from invoke_devstack.planning.preflight.fates import How
from tests.unit.planning.keys import SAMPLES, declared

DECLARED = {f"{place}.{key}" if place else key for place, key in declared(FILE)}
SCHEMAS = "1.34"
VALID: set[str] = set()
"""Documents that were found valid: each takes a tenth of a second."""
NAMED = (How.TRANSLATED, How.IGNORED, How.DIFFERENT, How.IMPOSSIBLE)


def exported(folder: Path, file: object) -> Export:
    (folder / "compose.yaml").write_text(file if isinstance(file, str) else json.dumps(file))
    made = export(load(folder, environment={"E": "1"}, project_name="p"))
    for documents in made.manifests.values():
        for document in documents:
            check(document)
    return made


def check(document: Any) -> None:
    """Valid, also after it was written as YAML and read by a common reader."""
    assert yaml.safe_load(to_yaml(document)) == document
    text = json.dumps(document)
    if document["kind"] != "Kustomization" and text not in VALID:
        kubernetes_validate.validate(document, SCHEMAS, strict=True)
        VALID.add(text)


def pod_of(made: Export, service: str) -> Any:
    pod = made.manifests[f"{service}.yaml"][0]["spec"]["template"]["spec"]
    return pod, pod["containers"][0]


def test_every_row_is_for_a_declared_key() -> None:
    above = {f"{key[:end]}.*" for key in DECLARED for end in range(len(key)) if key[end] == "."}
    assert [row for row in KEYS if row not in DECLARED | above] == []


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (place, key)
        for place, (_, samples) in SAMPLES.items()
        for key in samples
        if place and fate_of(KEYS, f"{place}.{key}").how not in (How.READING, How.HERE, How.PARENT)
    ],
)
def test_every_key_gives_valid_manifests_or_is_named(tmp_path: Path, place: str, key: str) -> None:
    wrap, samples = SAMPLES[place]
    fate = fate_of(KEYS, f"{place}.{key}")
    folder = tmp_path / "p"
    folder.mkdir()
    try:
        made = exported(folder, wrap({key: samples[key]}))
    except DefinitionError:
        return  # the sample contradicts its file
    named = [finding for finding in made.findings if finding.key.endswith(f".{key}")]
    if fate.how in NAMED:
        assert named
        assert all(finding.text and finding.place and finding.place.line for finding in named)


COMPOSE = """
services:
  web:
    image: registry.example.com/web:1
    command: [serve, "$$(HOME)"]
    ports: ["8080:80", "127.0.0.1:9000:9000"]
    environment: {COLOUR: blue, DB_PASSWORD: hunter2}
    healthcheck:
      test: curl -f localhost
      interval: 1.5s
      timeout: 2s
      retries: 4
      start_period: 30s
    deploy:
      replicas: 3
      resources: {limits: {cpus: "0.5", memory: 64m}, reservations: {memory: 16m}}
      update_config: {order: start-first, parallelism: 2}
      placement: {constraints: [node.labels.disk == ssd, node.role == worker]}
    secrets: [token]
    configs: [{source: settings, target: /etc/settings}]
    networks: {default: {aliases: [www]}}
    depends_on: {migrate: {condition: service_completed_successfully}}
    stop_grace_period: 1m
    user: "5:6"
  redis:
    image: redis:8
    volumes: [data:/data]
  migrate:
    image: registry.example.com/web:1
    restart: on-failure:3
  agent: {image: agent, deploy: {mode: global}}
volumes: {data: {}}
secrets: {token: {environment: E}}
configs: {settings: {content: "a=1"}}
"""


def test_a_whole_stack(tmp_path: Path) -> None:
    made = exported(tmp_path, COMPOSE)
    deployment, inside, alias, published = made.manifests["web.yaml"]
    assert (deployment["kind"], deployment["spec"]["replicas"]) == ("Deployment", 3)
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 2, "maxUnavailable": 0}
    assert [port["port"] for port in inside["spec"]["ports"]] == [80, 9000]
    assert alias["metadata"]["name"] == "www"
    assert published["spec"]["type"] == "LoadBalancer"
    assert [(port["port"], port["targetPort"]) for port in published["spec"]["ports"]] == [(8080, 80)]
    assert [made.manifests[f"{name}.yaml"][0]["kind"] for name in ("redis", "migrate", "agent")] == [
        "Deployment",
        "Job",
        "DaemonSet",
    ]
    assert made.manifests["migrate.yaml"][0]["spec"]["backoffLimit"] == 3
    assert [port["port"] for port in made.manifests["redis.yaml"][1]["spec"]["ports"]] == [6379]
    assert made.manifests["redis.yaml"][0]["spec"]["strategy"] == {"type": "Recreate"}
    assert made.manifests["volumes.yaml"][0]["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_a_healthcheck_becomes_probes(tmp_path: Path) -> None:
    _, container = pod_of(exported(tmp_path, COMPOSE), "web")
    probe = {
        "exec": {"command": ["/bin/sh", "-c", "curl -f localhost"]},
        "periodSeconds": 2,
        "timeoutSeconds": 2,
        "failureThreshold": 4,
    }
    assert container["readinessProbe"] == container["livenessProbe"] == probe
    assert container["startupProbe"]["failureThreshold"] == 24


def test_limits_user_and_nodes(tmp_path: Path) -> None:
    made = exported(tmp_path, COMPOSE)
    pod, container = pod_of(made, "web")
    assert container["resources"] == {
        "limits": {"cpu": "500m", "memory": "64Mi"},
        "requests": {"memory": "16Mi"},
    }
    assert container["securityContext"] == {"runAsUser": 5, "runAsGroup": 6}
    assert (pod["nodeSelector"], pod["terminationGracePeriodSeconds"]) == ({"disk": "ssd"}, 60)
    assert container["args"] == ["serve", "$$(HOME)"]
    assert any("node.role == worker" in finding.text for finding in made.findings)


def test_secrets_are_apart(tmp_path: Path) -> None:
    made = exported(tmp_path, COMPOSE)
    _, container = pod_of(made, "web")
    assert "hunter2" not in json.dumps(made.manifests)
    assert made.texts["secrets/web-environment/DB_PASSWORD"] == "hunter2"
    assert (made.texts["secrets/token"], made.texts["configs/settings"]) == ("1", "a=1")
    assert made.texts["secrets/.gitignore"] == "*\n"
    kustomization = made.manifests[KUSTOMIZATION][0]
    names = [item["name"] for item in kustomization["secretGenerator"]]
    assert names == ["web-environment", "token"]
    assert kustomization["resources"] == [
        "agent.yaml",
        "migrate.yaml",
        "redis.yaml",
        "web.yaml",
        "volumes.yaml",
    ]
    paths = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert paths == {"/run/secrets/token", "/etc/settings"}


def test_a_secret_is_apart_whatever_the_name_of_its_variable(tmp_path: Path) -> None:
    made = exported(
        tmp_path,
        """
services:
  web:
    image: x
    environment:
      DATABASE_URL: mysql://app:p%40ss-1@db/x
      DB_PASSWORD: hunter-22
      GREETING: hello hunter-22
      COLOUR: blue
    pre_start: [{command: [migrate], environment: {API_TOKEN: of-the-hook, COLOUR: red}}]
""",
    )
    text = json.dumps(made.manifests)
    assert not [secret for secret in ("p%40ss", "hunter-22", "of-the-hook") if secret in text]
    kept = {path.rpartition("/")[2]: value for path, value in made.texts.items()}
    assert kept["DATABASE_URL"] == "mysql://app:p%40ss-1@db/x"
    assert (kept["GREETING"], kept["before-1.API_TOKEN"]) == ("hello hunter-22", "of-the-hook")
    _, container = pod_of(made, "web")
    assert {"name": "COLOUR", "value": "blue"} in container["env"]
    assert {"name": "COLOUR", "value": "red"} in made.manifests["web.yaml"][0]["spec"]["template"]["spec"][
        "initContainers"
    ][-1]["env"]


def test_a_renamed_service_is_named(tmp_path: Path) -> None:
    made = exported(tmp_path, "services:\n  my_app: {image: x}\n")
    assert list(made.manifests) == [KUSTOMIZATION, "my-app.yaml"]
    assert "`my-app`" in made.findings[0].text


def test_two_services_with_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="the same name in Kubernetes"):
        exported(tmp_path, "services:\n  my_app: {image: x}\n  my-app: {image: x}\n")

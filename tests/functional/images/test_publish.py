"""A definition in a registry: ours is read by Compose, and Compose's by us."""

from __future__ import annotations

import secrets
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.engine.registry import Registry
from tests.functional.conftest import TASKS, Project

WEB = """
    services:
      web:
        image: IMAGE
        init: true
        command: sleep 600
        environment: {COLOUR: blue, MODE: "${MODE:-fast}"}
        volumes: ["./src:/src"]
"""
DB = 'services: {db: {image: "devstack-test/busybox:1", init: true, command: sleep 600}}\n'


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key: Compose speaks TLS to every registry."""
    folder = tmp_path_factory.mktemp("certificate")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout both.pem -out cert.pem -days 2 -subj /CN=tests "
        "-addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text(both.read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.fixture(scope="module")
def registry(certificate: Path) -> Iterator[Registry]:
    made = Registry(certificate)
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str, certificate: Path
) -> Iterator[Project]:
    name = f"t-publish-{secrets.token_hex(4)}"
    directory: Path = tmp_path_factory.mktemp(name)
    trusted = {
        "SSL_CERT_FILE": str(certificate.with_name("cert.pem")),
        "XDG_CACHE_HOME": str(directory / "cache"),
    }
    made = Project(directory, name, client, trusted)
    made.write("tasks.py", TASKS)
    made.compose(WEB)
    made.write("compose.override.yaml", DB)
    yield made
    made.remove_everything()


def test_values_of_variables_and_bind_mounts_are_published_only_on_request(
    project: Project, registry: Registry
) -> None:
    where = f"{registry.host}/refused:1"
    refused = project.invoke("publish", where)
    assert (refused.code, "web: COLOUR" in refused.err, "MODE" in refused.err) == (2, True, False)
    unasked = project.invoke("publish", where, "--with-env")
    assert (unasked.code, "bind mounts (not what is in them): web: " in unasked.err) == (2, True)
    with project.terminal("publish", where, "--with-env") as child:
        child.expect(r"Publish it\? \[y/N\]")
        child.sendline("n")
        assert child.end() == 1
    planned = project.invoke("publish", where, "--with-env", "--dry")
    assert planned.out == f"publish {where}  (publish)\n"
    assert not any(name.startswith("refused") for name in registry.manifests)


def test_compose_reads_what_is_published_and_neither_recreates_what_the_other_made(
    project: Project, registry: Registry
) -> None:
    where = f"{registry.host}/shop:1"
    published = project.invoke("publish", where, "--with-env", "--yes")
    assert (published.code, "published" in published.err) == (0, True), published
    source = f"oci://{where}"
    up = project.invoke("up", "-d", "--file", source)
    assert (up.code, {item.labels["com.docker.compose.service"] for item in project.containers()}) == (
        0,
        {"web", "db"},
    ), up
    made = {item.id for item in project.containers()}
    theirs = project.docker("compose", "--progress", "plain", "-f", source, "up", "-d", "-y")
    assert (theirs.code, {item.id for item in project.containers()}) == (0, made), theirs
    assert "nothing to do" in project.invoke("up", "-d", "--file", source).out
    assert project.invoke("down", "--file", source).code == 0


def test_what_compose_publishes_is_read(project: Project, registry: Registry) -> None:
    where = f"{registry.host}/theirs:2"
    done = project.docker("compose", "publish", "--with-env", "-y", where)
    assert done.code == 0, done
    ours = project.invoke("--file", f"oci://{where}", "config", "--hash")
    theirs = project.docker("compose", "-f", f"oci://{where}", "config", "--hash", "*")
    assert (ours.code, ours.out) == (0, theirs.out)


def test_what_cannot_be_fetched_is_told(project: Project, registry: Registry) -> None:
    missing = project.invoke("ps", "--file", f"oci://{registry.host}/none:1")
    assert (missing.code, "no such image or tag" in missing.err) == (1, True)
    nobody = project.invoke("ps", "--file", "oci://127.0.0.1:1/none:1")
    assert (nobody.code, "cannot be reached" in nobody.err) == (1, True)
    registry.manifests["image/1"] = ("application/json", b'{"config": {}, "layers": []}')
    image = project.invoke("ps", "--file", f"oci://{registry.host}/image:1")
    assert (image.code, "is not a Compose project" in image.err) == (1, True)


def test_a_registry_on_this_machine_needs_no_tls_and_one_with_a_login_gets_it(project: Project) -> None:
    plain = Registry()
    plain.login = "ada:lovelace"
    try:
        where = f"{plain.host}/shop:1"
        assert project.invoke("publish", where, "--with-env", "--yes").code == 1
        login = '{"auths": {"%s": {"auth": "YWRhOmxvdmVsYWNl"}}}'
        project.write("docker/config.json", login % plain.host)
        project.variables["DOCKER_CONFIG"] = str(project.directory / "docker")
        published = project.invoke("publish", where, "--with-env", "--yes", "--oci-version", "1.0")
        assert published.code == 0, published
        assert project.invoke("config", "--services", "--file", f"oci://{where}").out == "db\nweb\n"
    finally:
        project.variables.pop("DOCKER_CONFIG", None)
        plain.shutdown()
        plain.server_close()

"""Images on a real engine, and a registry of the tests' own with every fault that pulls meet."""

from __future__ import annotations

import io
import json
import os
import socket
import tarfile
import uuid
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.protocol import Progress
from invoke_devstack.errors import ConflictError, EngineError, ImageUnavailableError, NotFoundError
from tests.engine.conftest import Run
from tests.engine.registry import Registry, problem


def quiet(progress: Progress) -> None:
    return


def tiny_root() -> bytes:
    """A root file system that no other image has."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("unique")
        content = os.urandom(20_000)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pushed(engine: DockerEngine, registry: Registry) -> Iterator[str]:
    """An image that is in the registry and no more on the engine under that name."""
    name = f"{registry.host}/t-engine/{uuid.uuid4().hex[:8]}:1"
    engine.import_image(io.BytesIO(tiny_root()), name)
    try:
        engine.push(name, on_progress=quiet)
    finally:
        engine.remove_image(name)
    yield name
    if engine.find_image(name) is not None:
        engine.remove_image(name, force=True)


def test_an_imported_image_has_what_the_changes_say(engine: DockerEngine) -> None:
    name = f"devstack-test/import-{uuid.uuid4().hex[:8]}:1"
    changes = ['CMD ["sleep", "1"]', "ENV A=b", "EXPOSE 80/tcp", "VOLUME /data", "LABEL a=b", "USER 1"]
    made = engine.import_image(io.BytesIO(tiny_root()), name, changes=changes)
    try:
        image = engine.find_image(name)
        assert image is not None
        assert image.id == made
        assert image.command == ("sleep", "1")
        assert image.exposed_ports == ("80/tcp",)
        assert image.volumes == ("/data",)
        assert image.labels == {"a": "b"}
        assert image.user == "1"
        assert engine.image_history(name)
    finally:
        engine.remove_image(name)
    assert engine.find_image(name) is None


def test_an_archive_that_is_none_is_refused(engine: DockerEngine) -> None:
    with pytest.raises(EngineError):
        engine.import_image(io.BytesIO(b"no tar at all" * 100), "devstack-test/none:1")


def test_an_image_that_a_container_has_cannot_be_removed(
    engine: DockerEngine, run: Run, busybox: str
) -> None:
    run("true", started=False)
    with pytest.raises(ConflictError):
        engine.remove_image(busybox)


def test_an_image_that_is_not_there_cannot_be_removed(engine: DockerEngine) -> None:
    with pytest.raises(NotFoundError, match="no-such"):
        engine.remove_image("no-such:1")


def test_a_pull_tells_layers_and_bytes(engine: DockerEngine, pushed: str) -> None:
    told: list[Progress] = []
    engine.pull(pushed, on_progress=told.append)
    assert engine.find_image(pushed) is not None
    assert any(item.unit == "bytes" and item.total and item.item for item in told)
    assert any(item.text == "Pull complete" for item in told)


def test_a_registry_that_stumbles_is_asked_again(
    engine: DockerEngine, registry: Registry, pushed: str
) -> None:
    registry.faults["/manifests/"] = [(503, "busy")] * 2
    told: list[Progress] = []
    engine.pull(pushed, on_progress=told.append)
    assert engine.find_image(pushed) is not None


def test_a_layer_that_breaks_off_is_got_again(engine: DockerEngine, registry: Registry, pushed: str) -> None:
    manifest = json.loads(next(content for _, content in registry.manifests.values()))
    registry.faults[manifest["layers"][0]["digest"]] = [(0, "")]  # the engine waits 5 s more at each
    engine.pull(pushed, on_progress=quiet)
    assert engine.find_image(pushed) is not None


@pytest.mark.parametrize(
    ("status", "body", "reason", "words"),
    [
        (
            429,
            problem("TOOMANYREQUESTS", "your pull rate limit"),
            "rate-limit",
            "rate limit",
        ),
        (404, problem("MANIFEST_UNKNOWN", "manifest unknown"), "missing", "no such image or tag"),
        (404, problem("NAME_UNKNOWN", "repository name not known to registry"), "missing", "no such image"),
        (403, problem("DENIED", "requested access to the resource is denied"), "denied", "refused"),
    ],
)
def test_a_refused_pull_says_why_and_what_to_do(
    engine: DockerEngine, registry: Registry, status: int, body: str, reason: str, words: str
) -> None:
    registry.faults["/manifests/"] = [(status, body)] * 20
    with pytest.raises(ImageUnavailableError, match=words) as caught:
        engine.pull(f"{registry.host}/some/image:2", on_progress=quiet)
    assert caught.value.reason == reason
    assert f"{registry.host}/some/image:2" in caught.value.message
    assert caught.value.hint


def test_a_registry_that_is_not_there_is_out_of_reach(engine: DockerEngine) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]  # which nobody else gets meanwhile
        with pytest.raises(ImageUnavailableError, match="cannot be reached") as caught:
            engine.pull(f"127.0.0.1:{port}/some/image:2", on_progress=quiet)
    assert caught.value.reason == "registry"


def test_a_registry_whose_name_is_unknown_is_out_of_reach(engine: DockerEngine) -> None:
    with pytest.raises(ImageUnavailableError, match="cannot be reached") as caught:
        engine.pull("registry.invalid/some/image:2", on_progress=quiet)
    assert caught.value.reason == "registry"


def test_docker_hubs_images_come_through_the_mirror(
    endpoint: Endpoint, registry: Registry, pushed: str
) -> None:
    mirrored = connect(endpoint=endpoint, registry_mirror=registry.host)
    name = f"t-engine-mirrored-{uuid.uuid4().hex[:8]}"
    for key, manifest in tuple(registry.manifests.items()):
        registry.manifests[f"library/{name}/{key.rpartition('/')[2]}"] = manifest
    try:
        mirrored.pull(f"{name}:1", on_progress=quiet)
        assert mirrored.find_image(f"{name}:1") is not None
        assert mirrored.find_image(f"{registry.host}/library/{name}:1") is None
    finally:
        mirrored.remove_image(f"{name}:1")
        mirrored.close()


def test_logins_of_dockers_configuration_are_sent(
    endpoint: Endpoint, registry: Registry, pushed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.login = "ann:secret"
    login = b64encode(registry.login.encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": login}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    connected = connect(endpoint=endpoint)
    try:
        connected.pull(pushed, on_progress=quiet)
        assert connected.find_image(pushed) is not None
    finally:
        connected.close()


def test_a_private_image_without_a_login_says_how_to_log_in(
    engine: DockerEngine, registry: Registry, pushed: str
) -> None:
    registry.login = "ann:secret"
    with pytest.raises(ImageUnavailableError, match="refused the login") as caught:
        engine.pull(pushed, on_progress=quiet)
    assert f"docker login {registry.host}" in caught.value.hint


def test_a_broken_credential_helper_does_not_keep_public_images_away(
    endpoint: Endpoint, registry: Registry, pushed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "no-such-helper"}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    connected = connect(endpoint=endpoint)
    try:
        connected.pull(pushed, on_progress=quiet)
        assert connected.find_image(pushed) is not None
    finally:
        connected.close()

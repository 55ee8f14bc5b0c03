"""Where an engine is looked for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from invoke_devstack.engine.endpoints import Endpoint, context_names, find_endpoint, known_sockets
from invoke_devstack.errors import EngineUnavailableError


def write_context(home: Path, name: str, host: str, *, files: tuple[str, ...] = ()) -> None:
    """A context as `docker context create` writes it."""
    number = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker/contexts/meta" / number
    meta.mkdir(parents=True)
    endpoint = {"docker": {"Host": host, "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoint}))
    folder = home / ".docker/contexts/tls" / number / "docker"
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text("")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".docker").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "DOCKER_CONFIG": str(home / ".docker"), **more}


def test_docker_host_goes_before_all(home: Path) -> None:
    write_context(home, "far", "tcp://far:2376")
    found = find_endpoint(environment(home, DOCKER_HOST="tcp://near:1", DOCKER_CONTEXT="far"))
    assert (found.url, found.source, found.tls) == ("tcp://near:1", "DOCKER_HOST", None)


@pytest.mark.parametrize(
    ("host", "url"), [("/run/x.sock", "unix:///run/x.sock"), ("near:2375", "tcp://near:2375")]
)
def test_a_host_without_a_scheme_is_a_path_or_a_host(home: Path, host: str, url: str) -> None:
    assert find_endpoint(environment(home, DOCKER_HOST=host)).url == url


def test_tls_files_of_the_environment_are_found(home: Path) -> None:
    (home / "ca.pem").write_text("")
    wanted = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(home), "DOCKER_HOST": "tcp://far:2376"}
    found = find_endpoint(environment(home, **wanted)).tls
    assert found is not None
    assert (found.ca, found.cert, found.verify) == (str(home / "ca.pem"), "", True)


def test_the_context_of_the_environment_goes_before_the_current_one(home: Path) -> None:
    write_context(home, "far", "tcp://far:2376")
    write_context(home, "ssh", "ssh://ann@box")
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": "ssh"}))
    assert find_endpoint(environment(home)).url == "ssh://ann@box"
    found = find_endpoint(environment(home, DOCKER_CONTEXT="far"))
    assert (found.url, found.source) == ("tcp://far:2376", "context far")


def test_a_contexts_certificates_are_used(home: Path) -> None:
    write_context(home, "far", "tcp://far:2376", files=("ca.pem", "cert.pem", "key.pem"))
    found = find_endpoint(environment(home, DOCKER_CONTEXT="far")).tls
    assert found is not None
    assert found.verify
    assert [Path(name).name for name in (found.ca, found.cert, found.key)] == [
        "ca.pem",
        "cert.pem",
        "key.pem",
    ]


def test_a_context_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="`nosuch`") as caught:
        find_endpoint(environment(home, DOCKER_CONTEXT="nosuch"))
    assert "docker context ls" in caught.value.hint
    assert caught.value.reason == "context"


def test_a_context_that_cannot_be_read_is_named(home: Path) -> None:
    write_context(home, "bad", "x")
    next((home / ".docker/contexts/meta").glob("*/meta.json")).write_text("{")
    with pytest.raises(EngineUnavailableError, match="`bad`"):
        find_endpoint(environment(home, DOCKER_CONTEXT="bad"))


def test_the_default_context_is_the_local_engine(home: Path) -> None:
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": "default"}))
    assert find_endpoint(environment(home)).source == "default"
    assert find_endpoint(environment(home, DOCKER_CONTEXT="default")).source == "default"


def test_a_configuration_that_is_no_json_does_not_stop_anyone(home: Path) -> None:
    (home / ".docker/config.json").write_text("no json")
    assert find_endpoint(environment(home)).source == "default"


def test_the_sockets_of_other_engines_are_known(home: Path) -> None:
    names = [item.url for item in known_sockets(environment(home, XDG_RUNTIME_DIR="/run/user/7"))]
    assert names[0] == "unix:///var/run/docker.sock"
    for part in (".colima/", ".rd/", "/run/user/7/podman/", ".docker/run/", "/run/user/7/docker.sock"):
        assert any(part in name for name in names)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1"),
        ("npipe:////./pipe/docker_engine", "127.0.0.1"),
        ("tcp://box:2375", "box"),
        ("ssh://ann@box", "box"),
        ("tcp://[fd00::1]:2375", "fd00::1"),
    ],
)
def test_published_ports_are_on_the_engines_host(url: str, host: str) -> None:
    assert Endpoint(url).host == host


def test_the_names_of_contexts_are_known_and_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    for number, content in enumerate(('{"Name": "node2"}', '{"Name": "node1"}', "{", "[]", "{}")):
        folder = tmp_path / "contexts/meta" / str(number)
        folder.mkdir(parents=True)
        (folder / "meta.json").write_text(content)
    assert context_names({"DOCKER_CONFIG": str(tmp_path)}) == ("default", "node1", "node2")
    assert context_names({"DOCKER_CONFIG": str(tmp_path / "nothing")}) == ("default",)

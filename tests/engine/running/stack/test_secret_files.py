"""Secrets and configs from files: owner and mode as the definition says, and files that are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invoke_devstack.errors import DefinitionError
from invoke_devstack.events import Notice
from tests.engine.stacks import Stack

TEXT = """
services:
  a:
    image: IMAGE
    init: true
    command: sleep 1000
    user: "1000:1000"
    MORE
    secrets: [{source: s, target: s, uid: "1000", gid: "1001", mode: 0400}, {source: plain}]
    configs: [{source: c, target: /c, mode: 0440}]
secrets: {s: {file: ./s.txt}, plain: {file: ./plain.txt}}
configs: {c: {file: ./c.txt}}
"""


@pytest.fixture
def files(stack: Stack) -> Path:
    for name in ("s", "plain", "c"):
        (stack.folder / f"{name}.txt").write_text(f"content of {name}\n")
        (stack.folder / f"{name}.txt").chmod(0o600 if name == "s" else 0o644)
    stack.write(TEXT.replace("    MORE\n", ""))
    return stack.folder


def _listed(stack: Stack, path: str) -> list[str]:
    output = stack.engine.exec(stack.container("a"), ("ls", "-ln", path)).output.decode()
    mode, _, uid, gid, *_ = output.split()
    return [mode, uid, gid]


def test_uid_gid_and_mode_are_those_of_the_definition(stack: Stack, files: Path) -> None:
    stack.up()
    assert _listed(stack, "/run/secrets/s") == ["-r--------", "1000", "1001"]
    assert _listed(stack, "/c") == ["-r--r-----", "0", "0"]
    read = stack.engine.exec(stack.container("a"), ("cat", "/run/secrets/s"))
    assert (read.exit_code, read.output) == (0, b"content of s\n")


def test_a_file_without_owner_and_mode_stays_a_mount(stack: Stack, files: Path) -> None:
    stack.up()
    mounts = stack.engine.inspect_container(stack.container("a"))["Mounts"]
    assert [mount["Destination"] for mount in mounts] == ["/run/secrets/plain"]


def test_a_changed_file_recreates_the_container_that_has_a_copy(stack: Stack, files: Path) -> None:
    stack.up()
    assert not stack.up().changed
    (files / "s.txt").write_text("another\n")
    assert stack.up().changed
    assert stack.engine.exec(stack.container("a"), ("cat", "/run/secrets/s")).output == b"another\n"


def test_where_nothing_can_be_written_the_file_is_mounted_and_a_warning_says_so(
    stack: Stack, files: Path
) -> None:
    stack.write(TEXT.replace("MORE", "read_only: true"))
    stack.up()
    (warning,) = [event.text for event in stack.of(Notice) if event.level == "warning"]
    assert "services.a.secrets[0]" in warning
    assert "compose.yaml:11" in warning
    assert _listed(stack, "/run/secrets/s")[0] == "-rw-------"


def test_a_missing_file_is_told_as_that_of_the_secret_before_anything_is_created(
    stack: Stack, files: Path
) -> None:
    (files / "s.txt").unlink()
    with pytest.raises(DefinitionError) as caught:
        stack.up()
    assert caught.value.message == f"no such file: {files}/s.txt, which the secret `s` comes from"
    assert str(caught.value.position).startswith(f"{files}/compose.yaml:11:")
    assert not stack.engine.list_networks({"name": (f"^{stack.project}_default$",)})


def test_a_service_with_the_engines_socket_gets_the_logins(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = {"auths": {"registry.example": {"auth": "dXNlcjpwYXNz"}}}
    (tmp_path / "config.json").write_text(json.dumps(login))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    stack.write("services:\n  a: {image: IMAGE, init: true, command: sleep 1000, use_api_socket: true}\n")
    stack.up()
    read = stack.engine.exec(
        stack.container("a"), ("sh", "-c", "cat $DOCKER_CONFIG/config.json; ls -ln $DOCKER_CONFIG")
    )
    text, _, listed = read.output.decode().rpartition("total")
    assert json.loads(text) == login
    assert "-r--r--r--" in listed
    assert not stack.up().changed

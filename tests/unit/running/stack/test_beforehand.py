"""What blocks an `up` is said together, and what already runs or is prepared first blocks nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import (
    BlockedError,
    DefinitionError,
    DevstackError,
    ImageUnavailableError,
    NotFoundError,
    PortTakenError,
)
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.beforehand import refuse_what_is_blocked
from tests.unit.planning.building import engine_with

FILE = """
services:
  web:
    build: .
    ports: ["127.0.0.1:{port}:80"]
    volumes:
      - {{type: bind, source: ./absent, target: /x}}
"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield int(holder.getsockname()[1])


def refuse_unless_busybox(reference: str) -> None:
    if reference.startswith("slow"):
        raise ImageUnavailableError(f"{reference} cannot be pulled: a server error", reason="busy")
    if not reference.startswith("busybox"):
        raise ImageUnavailableError(
            f"{reference} cannot be pulled: no such image", reason="missing", hint="Check it."
        )


def inspect_nothing_but_theirs(name: str) -> dict[str, str]:
    if name != "theirs":
        raise NotFoundError(f"no such container: {name}")
    return {"Id": name}


def blocked(
    folder: Path, text: str, hooks: frozenset[str] = frozenset(), names: tuple[str, ...] = ()
) -> DevstackError | None:
    """What is raised, on an engine of this machine that has nothing. Registries have only `busybox`."""
    (folder / "compose.yaml").write_text(text)
    (folder / "Dockerfile").write_text("FROM busybox\n")
    definition = load(folder, environment={}, gathering=True)
    engine = SimpleNamespace(
        endpoint=SimpleNamespace(is_local=True),
        list_containers=lambda *_, **__: [],
        inspect_container=inspect_nothing_but_theirs,
        require_published=refuse_unless_busybox,
    )
    interrupt = SimpleNamespace(check=lambda: None)
    session = cast("Session", SimpleNamespace(engine=engine, definition=definition, interrupt=interrupt))
    try:
        observed, options = engine_with(definition, images={}), PlanningOptions(hooks=hooks)
        refuse_what_is_blocked(session, definition, names or ("web",), observed, options)
    except DevstackError as error:
        return error
    return None


def test_several_problems_are_one_error_with_a_line_for_each(tmp_path: Path, taken_port: int) -> None:
    error = blocked(tmp_path, FILE.format(port=taken_port))
    assert isinstance(error, BlockedError)
    assert len(error.details) == 2
    assert any("compose.yaml:7:" in line and "which web mounts" in line for line in error.details)
    assert any(f"cannot publish port {taken_port}" in line for line in error.details)


def test_a_single_problem_stays_what_it_is(tmp_path: Path, taken_port: int) -> None:
    (tmp_path / "absent").mkdir()
    error = blocked(tmp_path, FILE.format(port=taken_port))
    assert isinstance(error, PortTakenError)
    assert error.port == taken_port
    assert "--ports auto" in error.hint


def test_a_path_that_is_missing_alone_has_its_place(tmp_path: Path) -> None:
    error = blocked(tmp_path, FILE.format(port=0))
    assert isinstance(error, DefinitionError)
    assert error.position is not None
    assert error.position.line == 7


def test_a_hook_that_runs_first_may_create_the_path_and_free_the_port(
    tmp_path: Path, taken_port: int
) -> None:
    assert blocked(tmp_path, FILE.format(port=taken_port), frozenset({"before web"})) is None


MISSING = """
services:
  web:
    image: absent/web:1
    ports: ["127.0.0.1:{port}:80"]
    env_file: [web.env]
    environment:
      PASSWORD: "${{PASSWORD:?set a password}}"
      URL: "db://${{USER_NAME:?}}:${{PASSWORD:?}}@db"
    volumes:
      - {{type: bind, source: ./absent, target: /x}}
"""


def test_variables_env_files_images_paths_and_ports_are_told_together(
    tmp_path: Path, taken_port: int
) -> None:
    error = blocked(tmp_path, MISSING.format(port=taken_port))
    assert isinstance(error, BlockedError)
    assert error.message.startswith("6 things are missing or in use")
    file = f"{tmp_path}/compose.yaml"
    password, user, env_file, image, path, port = error.details
    assert password.startswith(f"{file}:8: ")
    assert "PASSWORD has no value: set a password. Set it in the environment" in password
    assert user.startswith(f"{file}:9: ")
    assert "USER_NAME has no value" in user
    assert env_file.startswith(f"{file}:6: service `web`: no such env file: {tmp_path}/web.env")
    assert image == "absent/web:1 cannot be pulled: no such image. Check it."
    assert path.startswith(f"{file}:11: no such file or directory")
    assert f"cannot publish port {taken_port}" in port


def test_an_image_whose_registry_may_recover_is_left_to_the_pull(tmp_path: Path) -> None:
    assert blocked(tmp_path, "services: {web: {image: slow/web:1}}") is None
    assert blocked(tmp_path, "services: {web: {image: busybox:1}}") is None


def test_an_image_that_may_not_be_pulled_is_told_once_and_asked_of_nobody(tmp_path: Path) -> None:
    error = blocked(tmp_path, "services: {web: {image: absent/web:1, pull_policy: never}}")
    assert isinstance(error, ImageUnavailableError)
    assert "pull_policy: never" in error.message


def test_an_image_whose_name_is_not_complete_is_asked_of_nobody(tmp_path: Path) -> None:
    error = blocked(tmp_path, 'services: {web: {image: "absent/web:1${TAG:?}"}}')
    assert isinstance(error, DefinitionError)
    assert "TAG has no value" in error.message


def test_what_an_image_is_built_from_must_be_there(tmp_path: Path) -> None:
    text = """
services:
  gone: {build: ./gone}
  other: {build: {context: ., dockerfile: Nope}}
  inline: {build: {context: ., dockerfile_inline: "FROM busybox"}}
  far: {build: "https://example.org/far.git"}
"""
    names = ("gone", "other", "inline", "far")
    found = blocked(tmp_path, text, names=names)
    assert isinstance(found, BlockedError)
    shown = "\n".join(found.details)
    assert "compose.yaml:3:" in shown
    assert f"no such directory: {tmp_path}/gone, from which gone is built" in shown
    assert f"no such Dockerfile: {tmp_path}/Nope, from which other is built. Create it, or fix" in shown
    assert len(found.details) == 2
    assert blocked(tmp_path, text, frozenset({"before up"}), names) is None


SHARING = """
services:
  web:
    image: busybox
    {key}
  own: {{image: busybox, container_name: ours, scale: 1}}
"""


@pytest.mark.parametrize(
    ("key", "what", "instead"),
    [
        ("network_mode: container:nope", "network", "`network_mode: service:NAME`"),
        ("ipc: container:nope", "shared memory", "`ipc: service:NAME`"),
        ("pid: container:nope", "processes", "`pid: service:NAME`"),
        ("volumes_from: [container:nope:ro]", "volumes", "`volumes_from: [NAME]`"),
    ],
)
def test_a_container_of_somebody_else_must_be_there(
    tmp_path: Path, key: str, what: str, instead: str
) -> None:
    error = blocked(tmp_path, SHARING.format(key=key))
    assert isinstance(error, DefinitionError)
    assert error.message == f"no container `nope`, whose {what} web shares"
    assert instead in error.hint
    assert error.position is not None
    assert error.position.line == 5
    assert blocked(tmp_path, SHARING.format(key=key), frozenset({"before up"})) is None
    assert blocked(tmp_path, SHARING.format(key=key.replace("nope", "theirs"))) is None


def test_a_container_that_this_up_creates_need_not_be_there(tmp_path: Path) -> None:
    assert blocked(tmp_path, SHARING.format(key="network_mode: container:ours")) is None
    name = tmp_path.name.lower()
    assert blocked(tmp_path, SHARING.format(key=f"pid: container:{name}-web-1")) is None

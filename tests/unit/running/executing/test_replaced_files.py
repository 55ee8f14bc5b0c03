"""The file of a secret that a directory has replaced, or the other way round, is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import EngineError, ServiceError
from invoke_devstack.planning.plan import StartContainer
from invoke_devstack.running.executing.replaced_files import name_replaced_file
from tests.unit.running.executing.conftest import CAUSE

FILES = """
name: p
services: {web: {image: image, secrets: [pw]}}
secrets: {pw: {file: ./pw}}
"""


@pytest.fixture
def definition(tmp_path: Path) -> Definition:
    (tmp_path / "compose.yaml").write_text(FILES)
    (tmp_path / "pw").write_text("x")
    return load(tmp_path)


def refused(path: Path) -> ServiceError:
    cause = EngineError("a bind mount puts a file on a directory", reason="mount-mismatch")
    error = ServiceError("web cannot start: …", service="web", details=(f'mounting "{path}" to rootfs',))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(("folder", "said"), [(True, "is a directory; it was"), (False, "is a file; it was")])
def test_what_is_another_kind_of_thing_now_is_named(
    definition: Definition, tmp_path: Path, folder: bool, said: str
) -> None:
    if folder:
        (tmp_path / "pw").unlink()
        (tmp_path / "pw").mkdir()
    error = refused(tmp_path / "pw")
    name_replaced_file(error, StartContainer(target="p-web-1", cause=CAUSE, service="web"), definition)
    assert error.message.startswith(f"{tmp_path}/pw, which the secret `pw` comes from, {said}")
    assert "invoke up --force-recreate -s web" in error.hint
    assert error.position
    assert error.details == ()


def test_another_mount_is_not_taken_for_it(definition: Definition, tmp_path: Path) -> None:
    error = refused(tmp_path / "other")
    name_replaced_file(error, StartContainer(target="p-web-1", cause=CAUSE, service="web"), definition)
    assert error.message == "web cannot start: …"

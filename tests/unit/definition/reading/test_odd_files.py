"""Files of a definition that are pipes or endless, or that grow: read, or refused with a place."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import DefinitionError

PLACES = {
    "env_file": "services: {web: {image: x, env_file: odd}}",
    "label_file": "services: {web: {image: x, label_file: odd}}",
    "include": "include: [odd]\nservices: {web: {image: x}}",
    "extends": "services: {web: {extends: {file: odd, service: web}}}",
}
QUICK = 6.0  # seconds


def make(file: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    elif kind == "folder":
        file.mkdir()
    elif kind == "circle":
        file.symlink_to(file.name)
    else:
        file.touch()
        os.truncate(file, 1 << 40)


@pytest.mark.parametrize("kind", ["pipe", "device", "sparse", "folder"])
@pytest.mark.parametrize("place", PLACES)
def test_what_cannot_be_read_is_named_where_it_is_written(tmp_path: Path, place: str, kind: str) -> None:
    (tmp_path / "compose.yaml").write_text(PLACES[place])
    make(tmp_path / "odd", kind)
    began = time.monotonic()
    with pytest.raises(DefinitionError, match="odd") as error:
        load(tmp_path, environment={})
    assert time.monotonic() - began < QUICK
    position = error.value.position
    assert position is not None
    assert position.file == tmp_path / "compose.yaml"
    assert position.line


@pytest.mark.parametrize("kind", ["pipe", "device", "sparse"])
@pytest.mark.parametrize("name", [".env", "compose.yaml"])
def test_files_that_nothing_names_are_named_themselves(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}}")
    (tmp_path / name).unlink(missing_ok=True)
    make(tmp_path / name, kind)
    began = time.monotonic()
    with pytest.raises(DefinitionError, match=name) as error:
        load(tmp_path, environment={})
    assert time.monotonic() - began < QUICK
    assert error.value.position is not None


def test_a_pipe_is_an_env_file_as_for_compose(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text('services: {web: {image: x, environment: {A: "${A}"}}}')
    os.mkfifo(tmp_path / ".env")
    writer = threading.Thread(target=lambda: (tmp_path / ".env").write_text("A=fromfifo\n"))
    writer.start()
    definition = load(tmp_path, environment={})
    writer.join()
    assert definition.services["web"].environment["A"] == "fromfifo"


def test_variables_that_double_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}}")
    lines = ["A0=0123456789", *(f"A{n}=${{A{n - 1}}}${{A{n - 1}}}" for n in range(1, 61))]
    (tmp_path / ".env").write_text("\n".join(lines))
    with pytest.raises(DefinitionError, match="longer than 1 MB") as error:
        load(tmp_path, environment={})
    assert error.value.position is not None
    assert error.value.position.line == 18


def test_a_file_of_too_many_values_is_refused(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("x-a:\n" + "- b\n" * 200_000)
    with pytest.raises(DefinitionError, match="more than 100000 values"):
        load(tmp_path, environment={})

"""Targets of mounts that no engine takes are told with their place and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import engine_with


def refused(folder: Path, volumes: str) -> DefinitionError:
    (folder / "compose.yaml").write_text(f"services:\n  a:\n    image: x\n    volumes: {volumes}\n")
    definition = load(folder, environment={}, project_name="p")
    with pytest.raises(DefinitionError) as caught:
        plan_up(definition, engine_with(definition), PlanningOptions())
    return caught.value


def test_a_volume_of_one_letter_is_told_to_be_a_windows_drive(tmp_path: Path) -> None:
    error = refused(tmp_path, "['v:/v']")
    assert error.message == "`a` mounts a volume at `v:/v`, which is not an absolute path"
    assert error.hint == (
        "`v:` is read as a Windows drive. Call the volume by a longer name, or write "
        "`{type: volume, source: v, target: /v}`."
    )
    assert str(error.position) == f"{tmp_path}/compose.yaml:4:15: services.a.volumes[0]"


def test_a_relative_target_is_told_with_its_place(tmp_path: Path) -> None:
    error = refused(tmp_path, "['./x:data']")
    assert "at `data`" in error.message
    assert error.hint == "Write the path in the container from its root: `/…`."

"""An action that fails where a variable is empty names the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import EngineError
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.running.executing.unset_variables import name_unset_variables
from tests.unit.planning.building import ENGINE

TEXT = """
services:
  a: {image: "redis:${TAG}", extra_hosts: ["h:${HOST}"]}
  b: {image: "redis:8"}
networks: {default: {ipam: {config: [{gateway: "${GATEWAY}"}]}}}
"""


@pytest.mark.parametrize(
    ("action", "names"),
    [
        ("pull redis:", "TAG is"),
        ("pull redis:8", ""),
        ("create network p_default", "GATEWAY is"),
        ("create p-a-1", "TAG, HOST are"),
        ("create p-b-1", ""),
    ],
)
def test_the_variables_of_what_failed_are_named(tmp_path: Path, action: str, names: str) -> None:
    (tmp_path / "compose.yaml").write_text(TEXT)
    definition = load(tmp_path, environment={}, project_name="p")
    plan = plan_up(definition, Observed("p", ENGINE), PlanningOptions())
    (failed,) = [item for item in plan if f"{item.kind} {item.target}" == action]
    error = EngineError("refused", hint="Do this.")
    name_unset_variables(error, failed, definition)
    assert error.hint == (f"{names} not set, which may be the cause. Do this." if names else "Do this.")

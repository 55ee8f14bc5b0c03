"""No other command pays for the dashboard: nothing else imports it, or what it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from invoke_devstack.dashboard.serving import own_port

_ASK = """
import sys
from invoke_devstack import stack
from invoke_devstack.tasks import catalogue
namespace = stack(".")
[*catalogue.every()]
import invoke_devstack.tasks.work, invoke_devstack.running.stack.up, invoke_devstack.running.attached.attach
import invoke_devstack.testing.plugin
print([name for name in sys.modules if name.partition(".")[0] in ("starlette", "uvicorn", "h11", "anyio")
       or name.startswith("invoke_devstack.dashboard")])
"""


def test_no_other_command_imports_it() -> None:
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("project", ["shop", "example", "x"])
def test_the_port_of_a_project_stays_and_is_none_that_systems_hand_out(project: str) -> None:
    assert own_port(project) == own_port(project)
    assert 21000 <= own_port(project) < 30000

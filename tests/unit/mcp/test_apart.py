"""No other command pays for the agent's server: nothing else imports it, or what it needs."""

from __future__ import annotations

import subprocess
import sys

_ASK = """
import sys
from invoke_devstack import stack
from invoke_devstack.tasks import catalogue
namespace = stack(".")
[*catalogue.every()]
import invoke_devstack.tasks.work, invoke_devstack.running.stack.up, invoke_devstack.running.attached.attach
import invoke_devstack.testing.plugin, invoke_devstack.dashboard.serving
print([name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types", "pydantic", "httpx2")
       or name.startswith("invoke_devstack.mcp")])
"""


def test_no_other_command_imports_it() -> None:
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_server_itself_imports_the_sdk() -> None:
    ask = "import sys, invoke_devstack.mcp.tools, invoke_devstack.mcp.stdio; print('mcp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""`invoke mcp`: the stack as tools of an agent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work

INSTALL = 'pip install "invoke-devstack[mcp]"'


@task(
    "mcp",
    flags={
        "allow_changes": "Allow up, down, restart, and copies to be made and ended.",
        "allow_exec": "Allow commands in containers.",
    },
)
def mcp(work: Work, allow_changes: bool = False, allow_exec: bool = False) -> None:
    """Serve the stack to an agent, over stdin and stdout.

    With the Model Context Protocol. An MCP client starts it. Without a flag, it only looks.
    """
    from importlib.metadata import version

    from invoke_devstack.errors import UsageError
    from invoke_devstack.events import Notice

    try:
        import mcp as sdk
    except ImportError:
        raise UsageError("the MCP server is not installed", hint=f"Install it: `{INSTALL}`") from None
    from invoke_devstack.mcp.serving import serve
    from invoke_devstack.mcp.tools import ALLOW_CHANGES, ALLOW_EXEC
    from invoke_devstack.tasks.acting.host import WorkHost

    del sdk
    if sys.stdin is not None and sys.stdin.isatty():
        work.tell(Notice(text="This waits for an MCP client on stdin. Ctrl-C ends it."))
    flags = {ALLOW_CHANGES: allow_changes, ALLOW_EXEC: allow_exec}
    allowed = frozenset(name for name, given in flags.items() if given)
    with work.interrupt, work.interrupt.raising(False):
        serve(WorkHost(work, "mcp"), allowed, version("invoke-devstack"), work.interrupt)
    work.interrupt.check(is_done=True)

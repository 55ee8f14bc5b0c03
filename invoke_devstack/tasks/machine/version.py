"""`invoke version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task("version", json="answer", flags={"short": "Only the number."})
def version(work: Work, short: bool = False) -> None:
    """Print the version of invoke-devstack.

    Also those of Invoke and Python; `doctor` shows that of the engine.
    """
    import platform
    from importlib.metadata import version as installed

    own = installed("invoke-devstack")
    found = {"version": own, "invoke": installed("invoke"), "python": platform.python_version()}
    text = f"invoke-devstack {own}, Invoke {found['invoke']}, Python {found['python']}"
    work.answer(own if short else text, found)

"""The machine: setup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work


@command("setup", json="events")
def setup(work: Work, yes: bool = False, json: bool = False) -> None:
    """Get this machine ready: an engine, the images, `.env`. Asks before it installs."""
    from invoke_devstack.console import can_ask
    from invoke_devstack.setup.machine import look_at_machine
    from invoke_devstack.setup.mend import run_setup

    run_setup(
        look_at_machine(),
        work.directory,
        work.load_definition,
        work.settings,
        work.tell,
        work.console.ask if can_ask() else None,
        assume_yes=yes,
    )

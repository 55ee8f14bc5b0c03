"""The machine: doctor, setup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, DevstackError
from invoke_devstack.events import Notice
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.setup.doctor import Check
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


@command("doctor", json="answer", flags={"fix": "Mend first what can safely be mended, as `setup` does."})
def doctor(work: Work, fix: bool = False, json: bool = False) -> None:
    """Look at everything that the stack needs, and say how to mend what is wrong. Ends with 1 if it is."""
    from invoke_devstack.setup.doctor import run_doctor
    from invoke_devstack.setup.machine import look_at_machine

    if fix:
        try:
            setup.run(work)
        except DevstackError as error:
            work.tell(Notice(text=error.message, level="warning"))
    checks = run_doctor(look_at_machine(), work.directory, work.load_definition, work.settings)
    work.answer(_written(checks), [asdict(check) for check in checks])
    if any(check.state == "failed" for check in checks):
        raise CommandExited(1)


def _written(checks: Sequence[Check]) -> str:
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        lines.append(f"{check.state:7}  {check.name:{width}}  {check.found}")
        more = (check.matters, f"mend: {check.mend}" if check.mend else "")
        lines += [f"{'':{9 + width}}  {text}" for text in more if text]
    return "\n".join(lines)

"""The machine: doctor and setup."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, DevstackError, Interrupted
from invoke_devstack.tasks.boundary import failure
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work


@command(
    "doctor", json="answer", flags={"fix": "Mend what can be mended, as `setup` does; then check again."}
)
def doctor(work: Work, fix: bool = False, yes: bool = False, json: bool = False) -> None:
    """Check this machine, and say what mends each fault."""
    from invoke_devstack.events import Checked
    from invoke_devstack.setup.doctor import run_doctor
    from invoke_devstack.setup.machine import look_at_machine

    not_mended = _try_to_mend(work, yes=yes) if fix else None
    checks = run_doctor(look_at_machine(), work.directory, work.load_definition, work.settings)
    if json:
        work.table("checks", (), [asdict(check) for check in checks], "")
    else:
        for check in checks:
            work.tell(Checked(**asdict(check)))
    if not_mended is not None:
        work.tell(failure(not_mended))
    if not_mended is not None or any(check.state == "failed" for check in checks):
        raise CommandExited(1)


@command("setup", json="events")
def setup(work: Work, yes: bool = False, json: bool = False) -> None:
    """Get this machine ready: engine, images, `.env`.

    Asks before it installs anything.
    """
    _mend(work, yes=yes)


def _try_to_mend(work: Work, *, yes: bool) -> DevstackError | None:
    """What kept it from mending all; None when all is mended."""
    try:
        _mend(work, yes=yes)
    except Interrupted:
        raise
    except DevstackError as error:
        return error
    return None


def _mend(work: Work, *, yes: bool) -> None:
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

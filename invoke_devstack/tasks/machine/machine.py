"""The machine: doctor and setup."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, DevstackError, Interrupted
from invoke_devstack.tasks.boundary import failure
from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.setup.doctor.check import ChoosePorts
    from invoke_devstack.tasks.work import Work


@task("doctor", json="answer", flags={"fix": "Fix what can be fixed, like `invoke setup`, then check again."})
def doctor(work: Work, fix: bool = False, yes: bool = False, json: bool = False) -> None:
    """Check this machine, and say how to fix what is wrong."""
    from invoke_devstack.events import Checked
    from invoke_devstack.setup.doctor import run_doctor
    from invoke_devstack.setup.machine import this_machine

    not_fixed = _try_to_fix(work, yes=yes) if fix else None
    checks = run_doctor(
        this_machine(), work.directory, lambda: work.named_definition, work.settings, _choose_ports(work)
    )
    if json:
        work.table("checks", (), [asdict(check) for check in checks], "")
    else:
        for check in checks:
            work.tell(Checked(**asdict(check)))
    if not_fixed is not None:
        work.tell(failure(not_fixed))
    if not_fixed is not None or any(check.state == "failed" for check in checks):
        raise CommandExited(1)


def _choose_ports(work: Work) -> ChoosePorts:
    from invoke_devstack.running.observing import observe
    from invoke_devstack.running.ports.free_ports import choose_free_ports

    bind, ports = work.settings.bind, work.settings.ports
    return lambda definition, engine: choose_free_ports(
        definition, observe(definition, engine), engine, bind, ports, ""
    )


@task("setup", json="events")
def setup(work: Work, yes: bool = False) -> None:
    """Prepare this machine: engine, images, `.env`.

    Asks before it installs anything.
    """
    _set_up(work, yes=yes)


def _try_to_fix(work: Work, *, yes: bool) -> DevstackError | None:
    """The error that `setup` ended with; None if there was none."""
    try:
        _set_up(work, yes=yes)
    except Interrupted:
        raise
    except DevstackError as error:
        return error
    return None


def _set_up(work: Work, *, yes: bool) -> None:
    from invoke_devstack.console import can_ask
    from invoke_devstack.setup.machine import this_machine
    from invoke_devstack.setup.prepare import run_setup

    run_setup(
        this_machine(),
        work.directory,
        work.load_definition,
        work.settings,
        work.tell,
        work.console.ask if can_ask() else None,
        assume_yes=yes,
    )

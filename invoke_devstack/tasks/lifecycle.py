"""The stack's containers as they are: start, stop, restart, pause, unpause, kill, rm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import WAIT_HELP, command

if TYPE_CHECKING:
    from invoke_devstack.planning.plan import Plan
    from invoke_devstack.tasks.context import Work

_WAIT_HELP = {"wait_timeout": WAIT_HELP}
_STOP_HELP = {"timeout": "Seconds until a service is killed, in place of its own grace period."}


@command("start", json="events", flags=_WAIT_HELP)
def start(
    work: Work,
    service: tuple[str, ...] = (),
    wait_timeout: str = "",
    explain: bool = False,
    json: bool = False,
) -> None:
    """Start stopped containers, and wait for them."""
    from invoke_devstack.running import lifecycle

    patience = values.seconds("wait-timeout", wait_timeout)
    with work.session(explain=explain) as session:
        made = lifecycle.start(session, work.services(service), wait_timeout=patience)
    _say_if_nothing(work, made, "every container runs already")


@command("stop", json="events", shorts={"timeout": "t"}, flags=_STOP_HELP)
def stop(
    work: Work,
    service: tuple[str, ...] = (),
    timeout: str = "",
    explain: bool = False,
    json: bool = False,
) -> None:
    """Stop containers gracefully and keep them."""
    from invoke_devstack.running import lifecycle

    grace = values.seconds("timeout", timeout)
    with work.session(explain=explain) as session:
        made = lifecycle.stop(session, work.services(service), timeout=grace)
    _say_if_nothing(work, made, "nothing runs")


@command(
    "restart",
    json="events",
    shorts={"timeout": "t"},
    flags={**_STOP_HELP, **_WAIT_HELP},
)
def restart(
    work: Work,
    service: tuple[str, ...] = (),
    timeout: str = "",
    wait_timeout: str = "",
    explain: bool = False,
    json: bool = False,
) -> None:
    """Restart containers, and wait for them."""
    from invoke_devstack.running import lifecycle

    grace = values.seconds("timeout", timeout)
    patience = values.seconds("wait-timeout", wait_timeout)
    with work.session(explain=explain) as session:
        made = lifecycle.restart(session, work.services(service), timeout=grace, wait_timeout=patience)
    _say_if_nothing(work, made, "there is no container")


@command("pause", json="events")
def pause(work: Work, service: tuple[str, ...] = (), explain: bool = False, json: bool = False) -> None:
    """Freeze containers where they are."""
    from invoke_devstack.running import lifecycle

    with work.session(explain=explain) as session:
        made = lifecycle.pause(session, work.services(service))
    _say_if_nothing(work, made, "nothing runs")


@command("unpause", json="events")
def unpause(work: Work, service: tuple[str, ...] = (), explain: bool = False, json: bool = False) -> None:
    """Let paused containers go on."""
    from invoke_devstack.running import lifecycle

    with work.session(explain=explain) as session:
        made = lifecycle.unpause(session, work.services(service))
    _say_if_nothing(work, made, "nothing is paused")


@command(
    "kill",
    json="events",
    flags={"signal": "The signal, such as SIGTERM or HUP (default SIGKILL)."},
)
def kill(
    work: Work,
    service: tuple[str, ...] = (),
    signal: str = "SIGKILL",
    explain: bool = False,
    json: bool = False,
) -> None:
    """Send a signal, SIGKILL by default: they end at once."""
    from invoke_devstack.running import lifecycle

    chosen = values.signal_name(signal)
    with work.session(explain=explain) as session:
        made = lifecycle.kill(session, work.services(service), signal=chosen)
    _say_if_nothing(work, made, "nothing runs")


@command(
    "rm",
    json="events",
    shorts={"volumes": "v"},
    flags={
        "stop": "Stop those that run first, and remove them too.",
        "volumes": "Remove their anonymous volumes too.",
    },
)
def rm(
    work: Work,
    service: tuple[str, ...] = (),
    stop: bool = False,
    volumes: bool = False,
    yes: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Remove stopped containers. Asks first."""
    from invoke_devstack.planning.plan import RemoveContainer
    from invoke_devstack.running import lifecycle

    names = work.services(service)
    with work.session() as session:
        doomed = lifecycle.removal(session, names, stop=stop, volumes=volumes)
    listed = ", ".join(item.name for item in doomed if isinstance(item, RemoveContainer))
    if listed:
        work.confirm(f"Remove {listed}?", yes=yes, loses=f"the containers {listed}")
    with work.session(explain=explain) as session:
        made = lifecycle.remove(session, names, stop=stop, volumes=volumes)
    _say_if_nothing(work, made, "there is no stopped container")


def _say_if_nothing(work: Work, made: Plan, why: str) -> None:
    from invoke_devstack.events import Notice

    if not len(made):
        work.tell(Notice(text=f"nothing to do: {why}"))

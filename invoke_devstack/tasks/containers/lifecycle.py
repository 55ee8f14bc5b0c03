"""Tasks that act on existing containers: start, stop, restart, pause, unpause, kill, rm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import WAIT_HELP, task
from invoke_devstack.tasks.flags import STOP_HELP, seconds, signal_name
from invoke_devstack.tasks.hosts import as_it_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoke_devstack.definition.model import Definition
    from invoke_devstack.planning.plan import Plan
    from invoke_devstack.tasks.work import Work


@task("start", json="events", plans=True, gathers=True, flags={"wait_timeout": WAIT_HELP})
def start(work: Work, service: tuple[str, ...] = (), wait_timeout: str = "") -> None:
    """Start stopped containers; wait until ready."""
    from invoke_devstack.running.stack import lifecycle

    patience = seconds("wait-timeout", wait_timeout)
    _act(
        work, lifecycle.start, service, "all containers are running", as_it_runs(work), wait_timeout=patience
    )


@task("stop", json="events", plans=True, shorts={"timeout": "t"}, flags={"timeout": STOP_HELP})
def stop(work: Work, service: tuple[str, ...] = (), timeout: str = "") -> None:
    """Stop containers gracefully; keep them."""
    from invoke_devstack.running.stack import lifecycle

    grace = seconds("timeout", timeout)
    _act(work, lifecycle.stop, service, "no container is running", timeout=grace)


@task(
    "restart",
    json="events",
    plans=True,
    shorts={"timeout": "t"},
    flags={
        "timeout": STOP_HELP,
        "wait_timeout": WAIT_HELP,
        "no_deps": "Only these; not those that follow them (`depends_on.restart`).",
    },
)
def restart(
    work: Work,
    service: tuple[str, ...] = (),
    timeout: str = "",
    wait_timeout: str = "",
    no_deps: bool = False,
) -> None:
    """Restart containers; wait until ready."""
    from invoke_devstack.running.stack import lifecycle

    grace = seconds("timeout", timeout)
    patience = seconds("wait-timeout", wait_timeout)
    _act(
        work,
        lifecycle.restart,
        service,
        "no containers",
        as_it_runs(work),
        timeout=grace,
        wait_timeout=patience,
        alone=no_deps,
    )


@task("pause", json="events", plans=True)
def pause(work: Work, service: tuple[str, ...] = ()) -> None:
    """Pause containers."""
    from invoke_devstack.running.stack import lifecycle

    _act(work, lifecycle.pause, service, "no container is running")


@task("unpause", json="events", plans=True)
def unpause(work: Work, service: tuple[str, ...] = ()) -> None:
    """Resume paused containers."""
    from invoke_devstack.running.stack import lifecycle

    _act(work, lifecycle.unpause, service, "no container is paused")


@task(
    "kill",
    json="events",
    plans=True,
    flags={"signal": "The signal, such as SIGTERM or HUP (default SIGKILL)."},
)
def kill(work: Work, service: tuple[str, ...] = (), signal: str = "SIGKILL") -> None:
    """Send a signal, SIGKILL by default."""
    from invoke_devstack.running.stack import lifecycle

    _act(work, lifecycle.kill, service, "no container is running", signal=signal_name(signal))


@task(
    "rm",
    json="events",
    plans=True,
    shorts={"volumes": "v"},
    flags={
        "stop": "Also stop and remove running containers.",
        "volumes": "Also delete their anonymous volumes and data.",
    },
)
def rm(
    work: Work, service: tuple[str, ...] = (), stop: bool = False, volumes: bool = False, yes: bool = False
) -> None:
    """Remove stopped containers. Asks first."""
    from invoke_devstack.planning.plan import RemoveContainer
    from invoke_devstack.running.stack import lifecycle

    names = work.services(service)
    with work.session() as session:
        removed = lifecycle.removal(session, names, stop=stop, volumes=volumes)
    listed = ", ".join(item.name for item in removed if isinstance(item, RemoveContainer))
    if lost := removed.deleted_data:
        question = f"Remove {listed}, and delete {lost} and all data in it?"
        work.confirm(question, yes=yes, loses=f"the containers {listed} and the volumes {lost}")
    elif listed:
        work.confirm(f"Remove {listed}?", yes=yes, loses=f"the containers {listed}")
    nothing = "no stopped containers"
    if names and not stop:
        nothing += f"; to stop and remove what runs: `invoke rm --stop {' '.join(names)}`"
    _act(work, lifecycle.remove, names, nothing, stop=stop, volumes=volumes)


def _act(
    work: Work,
    act: Callable[..., Plan],
    service: tuple[str, ...],
    nothing: str,
    definition: Definition | None = None,
    **options: object,
) -> None:
    """Carries out the plan of `act`; if it is empty, says `nothing`."""
    from invoke_devstack.events import Notice

    with work.session(definition) as session:
        plan = act(session, work.services(service), **options)
    if not len(plan):
        work.tell(Notice(text=f"nothing to do: {nothing}"))

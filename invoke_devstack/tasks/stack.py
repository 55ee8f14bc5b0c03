"""The stack as a whole: up, down, logs, ps."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import EXPLAIN_HELP, WAIT_HELP, command

if TYPE_CHECKING:
    from invoke_devstack.running.options import DownOptions, UpOptions
    from invoke_devstack.tasks.context import Work

_SIGPIPE = 13


@command(
    "up",
    json="events",
    shorts={"detach": "d", "build": "b"},
    flags={
        "service": "Only this service and what it depends on; may be repeated, and takes a comma list.",
        "detach": "Come back when all is ready. The default where there is no terminal.",
        "attach": "Stay: show logs and watch files until Ctrl-C. The default on a terminal.",
        "build": "Build images first, those that are there too.",
        "force_recreate": "Make the containers anew, whether or not anything changed.",
        "remove_orphans": "Remove containers of services that the files no longer have.",
        "dry_run": "Only print what would be done, and why.",
        "explain": f"{EXPLAIN_HELP} With --dry-run, as a script for `sh`.",
        "secrets": "With --dry-run --explain: only the secrets that the script leaves out, for a shell.",
        "ports": "`fixed`: ports as defined (default). `auto`: a free one where one is taken.",
        "wait_timeout": WAIT_HELP,
    },
)
def up(
    work: Work,
    service: tuple[str, ...] = (),
    detach: bool = False,
    attach: bool = False,
    build: bool = False,
    force_recreate: bool = False,
    remove_orphans: bool = False,
    dry_run: bool = False,
    explain: bool = False,
    secrets: bool = False,
    ports: str = "",
    wait_timeout: str = "",
    json: bool = False,
) -> None:
    """Start everything, and wait until it is ready."""
    from invoke_devstack.running.options import UpOptions

    values.at_most_one(detach=detach, attach=attach)
    options = UpOptions(
        services=work.services(service),
        build=build,
        force_recreate=force_recreate,
        remove_orphans=remove_orphans,
        ports=values.choice("ports", ports, ("fixed", "auto")) if ports else "",
        wait_timeout=values.seconds("wait-timeout", wait_timeout),
    )
    if secrets and not (dry_run and explain):
        raise UsageError("`--secrets` goes with `--dry-run --explain`")
    if dry_run:
        _show_plan_of_up(work, options, explain=explain, secrets=secrets)
    elif attach or not (detach or json or not sys.stdout.isatty()):
        _stay(work, options, explain=explain)
    else:
        from invoke_devstack.running import up as running

        with work.session(explain=explain) as session:
            running.bring_up(session, options)


def _show_plan_of_up(work: Work, options: UpOptions, *, explain: bool, secrets: bool) -> None:
    from invoke_devstack.running import up as running

    with work.session() as session:
        made = running.plan(session, options)
    if explain:
        from invoke_devstack.planning import script

        text = script.secrets(made) if secrets else script.script(made, ask=_asking_for_secrets())
        work.answer(text, text)
    else:
        lines = made.lines()
        work.answer("\n".join(lines) or "nothing to do", list(lines))


def _asking_for_secrets() -> str:
    """This very command once more, from this folder, with `--secrets`."""
    program = str(Path(sys.argv[0]).absolute())
    start = [program] if os.access(program, os.X_OK) else [sys.executable, program]
    return f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join([*start, *sys.argv[1:], '--secrets'])}"


def _stay(work: Work, options: UpOptions, *, explain: bool) -> None:
    from invoke_devstack.running import attach as running
    from invoke_devstack.running.watch import WatchOptions

    watch = WatchOptions(services=options.services, reload=work.load_definition)
    with work.session(explain=explain) as session:
        work.on_reader_gone = lambda: session.interrupt.deliver(_SIGPIPE)
        running.run_attached(session, options, watch)


@command(
    "down",
    json="events",
    shorts={"volumes": "v", "timeout": "t"},
    flags={
        "volumes": "Remove the named volumes too, and with them the data. Asks first.",
        "timeout": "Seconds until a service is killed, in place of its own grace period.",
    },
)
def down(
    work: Work,
    volumes: bool = False,
    yes: bool = False,
    timeout: str = "",
    explain: bool = False,
    json: bool = False,
) -> None:
    """Stop everything gracefully; volumes stay.

    Containers and networks are removed, dependents first.
    """
    from invoke_devstack.running import down as running
    from invoke_devstack.running.options import DownOptions

    options = DownOptions(volumes=volumes, timeout=values.seconds("timeout", timeout))
    if volumes:
        _consent_to_lose_volumes(work, options, yes=yes)
    with work.session(explain=explain) as session:
        running.take_down(session, options)


def _consent_to_lose_volumes(work: Work, options: DownOptions, *, yes: bool) -> None:
    from invoke_devstack.planning.plan import RemoveVolume
    from invoke_devstack.running import down as running

    with work.session() as session:
        made = running.plan(session, options)
    names = ", ".join(action.target for action in made if isinstance(action, RemoveVolume))
    if names:
        work.confirm(f"Delete {names} and all data in it?", yes=yes, loses=f"the volumes {names}")


@command(
    "logs",
    json="events",
    tells=True,
    shorts={"follow": "f", "tail": "n", "timestamps": "t"},
    flags={
        "follow": "Go on with what is written from now on, until Ctrl-C.",
        "tail": "Only the last N lines of each service.",
        "timestamps": "Begin each line with its time.",
        "since": "Only what was written since then: `10m`, `2h` or a time such as 2026-01-31T12:00:00Z.",
        "until": "Only what was written until then; see --since.",
        "grep": "Only lines that match this regular expression.",
    },
)
def logs(
    work: Work,
    service: tuple[str, ...] = (),
    follow: bool = False,
    tail: str = "",
    timestamps: bool = False,
    since: str = "",
    until: str = "",
    grep: str = "",
    json: bool = False,
) -> None:
    """Print what the services wrote, merged by time."""
    from invoke_devstack.running import logs as running
    from invoke_devstack.running.options import LogOptions

    options = LogOptions(
        services=work.services(service),
        follow=follow,
        tail=values.count("tail", tail),
        timestamps=timestamps,
        since=since,
        until=until,
        grep=grep,
    )
    with work.session() as session:
        running.show(session, options)


@command(
    "ps",
    json="answer",
    shorts={"all_": "a"},
    flags={"all_": "Also containers that do not run."},
)
def ps(work: Work, service: tuple[str, ...] = (), all_: bool = False, json: bool = False) -> None:
    """List the containers: state, health, ports."""
    from invoke_devstack.running import listing

    rows = listing.containers(work.engine, work.project, services=work.services(service), all_=all_)
    ended = ("exit_code",) if all_ else ()
    columns = ("service", "state", "health", *ended, "ports", "started_at", "image")
    empty = f"no container of {work.project} {'is there' if all_ else 'runs'}"
    work.table("containers", columns, rows, f"{empty}: `invoke up` starts the stack")

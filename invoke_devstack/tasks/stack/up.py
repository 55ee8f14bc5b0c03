"""`invoke up`: start the stack, or show what would be done."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, UsageError
from invoke_devstack.events import Notice
from invoke_devstack.records import record
from invoke_devstack.tasks import flags
from invoke_devstack.tasks.calling.sequence import comes_last
from invoke_devstack.tasks.declare import EXPLAIN_HELP, STRICT_HELP, WAIT_HELP, task
from invoke_devstack.tasks.flags import STOP_HELP
from invoke_devstack.tasks.hosts import Hosts
from invoke_devstack.tasks.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from invoke_devstack.running.attached.until_exit import Ending
    from invoke_devstack.running.options import LogOptions, UpOptions
    from invoke_devstack.running.session import Session
    from invoke_devstack.tasks.work import Work

_SIGPIPE = 13


@record
class _Shown:
    """How logs are shown, and those of which services are not."""

    logs: LogOptions
    unseen: tuple[str, ...]


@record
class _Start:
    """What one `up` was asked for. `dashboard`: a flag asks for it."""

    work: Work
    options: UpOptions
    hosts: Hosts
    tracing: Tracing
    shown: _Shown
    ending: Ending | None
    dashboard: bool

    def session(self) -> AbstractContextManager[Session]:
        return self.work.session(self.tracing.applied(self.hosts.prepared()))

    def beside_dashboard(self) -> AbstractContextManager[None]:
        """While it stays, the dashboard is served, if it is wanted."""
        from invoke_devstack.tasks.dashboard.serve import beside

        return beside(self.work, wanted=self.dashboard, also=self.tracing.is_on)


@task(
    "up",
    json="events",
    gathers=True,
    shorts={"detach": "d", "build": "b", "renew_anon_volumes": "V", "timeout": "t"},
    flags={
        "service": "Only this service and its dependencies. Repeat it, or separate names with commas.",
        "detach": "Return when all services are ready. Default without a terminal.",
        "abort_on_container_exit": "Stay, and stop all once a container exits. The exit code is its.",
        "abort_on_container_failure": "The same, once one exits with a code other than 0.",
        "exit_code_from": "Stop all once a container exits. The exit code is that of this service.",
        "no_attach": "Do not show the logs of this service. Repeatable, or a comma list.",
        "no_log_prefix": "Do not print the service's name before each log line.",
        "timestamps": "Start each log line with its time.",
        "attach": "Show logs and watch files until Ctrl-C. Default on a terminal, if no task follows.",
        "build": "Build images first, even if they exist.",
        "pull": "`always`, `missing` or `never`, instead of every `pull_policy`.",
        "no_deps": "Only these services; dependencies that exist are started, none is created.",
        "no_build": "Build no image. One that is missing is an error.",
        "scale": "Another number of containers, as SERVICE=N; repeatable.",
        "force_recreate": "Recreate containers even if nothing changed.",
        "always_recreate_deps": "Also recreate those of the services that these depend on.",
        "no_recreate": "Keep containers that exist as they are, even if their definition changed.",
        "renew_anon_volumes": "Give containers that are created new anonymous volumes; the old ones stay.",
        "no_start": "Create containers and start none, as `create`.",
        "timeout": STOP_HELP,
        "remove_orphans": "Remove containers of services that are no longer in the Compose files.",
        "dry_run": "Only print what would be done, and why.",
        "explain": f"{EXPLAIN_HELP} With --dry-run: as a script for `sh`.",
        "secrets": "With --dry-run --explain: print the secrets that the script leaves out, for a shell.",
        "host": "Run this service as a process on this machine. Repeatable, or a comma list.",
        "without": "Leave this service out and its ports free, for a process that an IDE starts.",
        "ports": "`fixed` (default): ports as defined. `auto`: a free port if one is in use.",
        "tunnel": "Make the ports of a remote engine reachable at localhost, over ssh, until `down`.",
        "wait_timeout": WAIT_HELP,
        "dashboard": "Also serve the dashboard, while it stays.",
        "trace": "Services send traces to the dashboard, which is served too, while it stays.",
        "strict": STRICT_HELP,
    },
)
def up(
    work: Work,
    service: tuple[str, ...] = (),
    detach: bool = False,
    attach: bool = False,
    abort_on_container_exit: bool = False,
    abort_on_container_failure: bool = False,
    exit_code_from: str = "",
    no_attach: tuple[str, ...] = (),
    no_log_prefix: bool = False,
    timestamps: bool = False,
    build: bool = False,
    no_build: bool = False,
    pull: str = "",
    scale: tuple[str, ...] = (),
    no_deps: bool = False,
    force_recreate: bool = False,
    always_recreate_deps: bool = False,
    no_recreate: bool = False,
    renew_anon_volumes: bool = False,
    no_start: bool = False,
    timeout: str = "",
    remove_orphans: bool = False,
    host: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    dry_run: bool = False,
    explain: bool = False,
    secrets: bool = False,
    ports: str = "",
    tunnel: bool = False,
    wait_timeout: str = "",
    dashboard: bool = False,
    trace: bool = False,
    strict: bool = False,
    json: bool = False,
) -> None:
    """Start the stack and wait until it is ready."""
    from invoke_devstack.running.options import LogOptions, UpOptions

    ending = _ending(
        work,
        on_exit=abort_on_container_exit,
        on_failure=abort_on_container_failure,
        code_from=exit_code_from,
    )
    flags.at_most_one(detach=detach, attach=attach)
    flags.at_most_one(detach=detach, abort_on_container_exit=ending is not None)
    flags.at_most_one(build=build, no_build=no_build)
    flags.at_most_one(force_recreate=force_recreate, no_recreate=no_recreate)
    work.strict = strict
    counts = flags.scales(scale)
    hosts = Hosts(work, host, without, ports, counts)
    tracing = Tracing(work, wanted=trace or work.settings.trace, dry=dry_run)
    options = UpOptions(
        services=hosts.with_hosted(work.services(service)),
        build=build,
        no_build=no_build,
        start=not no_start,
        rerun=(exit_code_from,) if exit_code_from else (),
        recreate_dependencies=always_recreate_deps,
        keep_existing=no_recreate,
        renew_all=renew_anon_volumes,
        timeout=flags.seconds("timeout", timeout),
        pull=flags.choice("pull", pull, ("always", "missing", "never")) if pull else "",
        alone=_alone(service, no_deps=no_deps),
        force_recreate=force_recreate,
        remove_orphans=remove_orphans,
        ports=flags.choice("ports", ports, ("fixed", "auto")) if ports else "",
        wait_timeout=flags.seconds("wait-timeout", wait_timeout),
        tunnel=tunnel,
    )
    if secrets and not (dry_run and explain):
        raise UsageError("`--secrets` needs `--dry-run --explain`")
    logs = LogOptions(timestamps=timestamps, prefixes=not no_log_prefix)
    shown = _Shown(logs, work.check_services(no_attach))
    start = _Start(work, options, hosts, tracing, shown, ending, dashboard or trace)
    if dry_run:
        _show_plan(start, explain=explain, secrets=secrets)
    else:
        way = _way_to_stay(start, attach=attach, leave=detach or json)
        if dashboard and way is _return_when_ready:
            raise UsageError(
                "`--dashboard` needs an `up` that stays", hint="Add `--attach`, or run `invoke dashboard`."
            )
        way(start)


def _way_to_stay(start: _Start, *, attach: bool, leave: bool) -> Callable[[_Start], None]:
    """How it goes on once containers are created: not at all, until one of them exits, with logs until
    Ctrl-C, or until they are ready. On a terminal it stays unasked, if no task follows. `leave`: not then."""
    from invoke_devstack.console import is_watched

    if not start.options.start:
        return _only_create
    if start.ending is not None:
        return _stay_until_exit
    if attach or (not leave and is_watched() and comes_last(up)):
        return _stay_attached
    return _return_when_ready


def _alone(service: tuple[str, ...], *, no_deps: bool) -> bool:
    if no_deps and not service:
        raise UsageError("`--no-deps` needs a service", hint="Example: `invoke up --no-deps web`.")
    return no_deps


def _show_plan(start: _Start, *, explain: bool, secrets: bool) -> None:
    from invoke_devstack.running.executing.executor import plan_as_answer
    from invoke_devstack.running.stack.up import plan

    work = start.work
    start.hosts.tell_changes()
    with work.session(start.tracing.applied(start.hosts.definition)) as session:
        planned = plan(session, start.options)
    for text in planned.notices:
        work.tell(Notice(text=text, level="warning"))
    if explain:
        from invoke_devstack.planning.explaining import script

        known = work.console.secrets
        if secrets:
            text = script.secrets(planned, known)
        else:
            text = script.script(planned, known, ask=_ask_for_secrets())
        work.answer(text, text, with_secrets=True)
    else:
        work.tell(plan_as_answer(planned))


def _ask_for_secrets() -> str:
    """This very command, from this directory, with `--secrets`."""
    program = str(Path(sys.argv[0]).absolute())
    start = [program] if os.access(program, os.X_OK) else [sys.executable, program]
    return f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join([*start, *sys.argv[1:], '--secrets'])}"


def _ending(work: Work, *, on_exit: bool, on_failure: bool, code_from: str) -> Ending | None:
    """When an `up` that stays ends by itself; None if it does not."""
    flags.at_most_one(abort_on_container_exit=on_exit, abort_on_container_failure=on_failure)
    if not (on_exit or on_failure or code_from):
        return None
    from invoke_devstack.running.attached.until_exit import Ending

    if code_from:
        work.check_services((code_from,))
    return Ending(only_failures=on_failure, code_from=code_from)


def _only_create(start: _Start) -> None:
    from invoke_devstack.running.stack.create import create

    with start.session() as session:
        create(session, start.options)


def _return_when_ready(start: _Start) -> None:
    from invoke_devstack.running.stack.up import bring_up

    with start.session() as session:
        bring_up(session, start.options)
    start.tracing.tell_who_receives()


def _stay_until_exit(start: _Start) -> None:
    from invoke_devstack.running.attached.until_exit import run_until_exit

    assert start.ending is not None
    shown = start.shown
    with start.beside_dashboard(), start.session() as session:
        start.work.on_reader_gone = lambda: session.interrupt.deliver(_SIGPIPE)
        code = run_until_exit(session, start.options, start.ending, logs=shown.logs, unseen=shown.unseen)
    if code:
        raise CommandExited(code)


def _stay_attached(start: _Start) -> None:
    from invoke_devstack.running.attached.attach import run_attached
    from invoke_devstack.running.watch import WatchOptions
    from invoke_devstack.tasks.attached.notifying import notifying
    from invoke_devstack.tasks.attached.view import view_of

    work, options, shown = start.work, start.options, start.shown
    watch = WatchOptions(services=options.services, reload=lambda: start.tracing.to(start.hosts.reload()))
    with start.beside_dashboard(), start.session() as session, notifying(work):
        work.on_reader_gone = lambda: session.interrupt.deliver(_SIGPIPE)
        run_attached(session, options, watch, logs=shown.logs, unseen=shown.unseen, view=view_of(work))

"""Runs a command in a new container, configured like the service's and removed afterwards (`invoke run`)."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.errors import DevstackError, NotFoundError, PortTakenError, ServiceError, UsageError
from invoke_devstack.events import CommandStarted, Notice
from invoke_devstack.planning.explaining.task_commands import explain_oneoff_end, explain_oneoff_start
from invoke_devstack.planning.graph import dependencies
from invoke_devstack.planning.plans.one_off import OneoffOptions, oneoff_name, plan_oneoff
from invoke_devstack.planning.processes.image import is_process
from invoke_devstack.running.executing.executor import execute
from invoke_devstack.running.executing.leftovers import end_leftovers
from invoke_devstack.running.inside import terminal
from invoke_devstack.running.inside.exec import wants_terminal
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import RunOptions, UpOptions
from invoke_devstack.running.ports.addresses import with_holder
from invoke_devstack.running.selection import find_service
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import up
from invoke_devstack.running.stack.beforehand import refuse_what_is_blocked

_LAST_OUTPUT = 0.3  # seconds for what a killed container wrote last
_KILLED = 128 + 9  # by SIGKILL, which Windows has no name for


def run(session: Session, options: RunOptions) -> int:
    """Runs the command and returns its exit code; 0 if the user detached, or with `options.detached`, once it
    runs and its container's name is on stdout.

    The service's dependencies are brought up first. A signal is passed on to the command; a second one kills
    it. Raises UsageError for an unknown service or an invalid mount or port, ServiceError for a command that
    cannot start, and what `bring_up` raises.
    """
    service = find_service(session.definition, options.service)
    if is_process(service):
        raise UsageError(
            f"`{service.name}` is a process of this machine: run the command in a terminal of your own"
        )
    if options.dependencies and (dependencies(service) or options.remove_orphans):
        before = UpOptions(
            services=(options.service,),
            only_dependencies=True,
            build=options.build,
            remove_orphans=options.remove_orphans,
        )
        up.bring_up(session, before)
    tty = wants_terminal(options.tty) and not options.detached
    slug = secrets.token_hex(32)
    name = options.name or oneoff_name(session.project, options.service, slug)
    if options.detached:
        return _run_detached(session, options, slug, name)
    with _removed_afterwards(session, name):
        with project_lock(session):  # until it runs: nothing may restore the data meanwhile
            _create(session, options, slug, tty=tty)
            attached = _start_attached(session, options.service, name, tty=tty)
        return _follow(session, attached, name, tty=tty)
    return 0  # detached


def _run_detached(session: Session, options: RunOptions, slug: str, name: str) -> int:
    with project_lock(session):
        _create(session, options, slug, tty=False)
        if session.explain:
            session.emit(explain_oneoff_start(name, tty=False, detached=True))
        try:
            _start(session, options.service, name)
        except DevstackError:
            _remove(session, name)
            raise
    terminal.write(1, f"{name}\n".encode())
    return 0


def _create(session: Session, options: RunOptions, slug: str, *, tty: bool) -> None:
    wanted = OneoffOptions(
        slug=slug,
        command=options.command,
        user=options.user,
        working_dir=options.working_dir,
        environment=options.environment,
        volumes=options.volumes,
        publish=options.publish,
        entrypoint=options.entrypoint,
        tty=tty,
        stdin=not options.detached,
        name=options.name,
        labels=options.labels,
        cap_add=options.cap_add,
        cap_drop=options.cap_drop,
        service_ports=options.service_ports,
        use_aliases=options.use_aliases,
        removes_itself=options.detached,
    )
    observed = observe(session.definition, session.engine)
    if end_leftovers(session, observed):
        observed = observe(session.definition, session.engine)
    chosen = UpOptions(build=options.build, pull=options.pull)
    planned = up.planning_options(session, chosen, session.definition, observed)
    refuse_what_is_blocked(session, session.definition, (), observed, planned, oneoffs=(options.service,))
    plan = plan_oneoff(session.definition, observed, options.service, wanted, planned)
    execute(plan, session)


@contextmanager
def _removed_afterwards(session: Session, name: str) -> Iterator[None]:
    try:
        yield
    except terminal.Detached:
        session.emit(Notice(text=f"Detached; {name} is still running. Remove it: `docker rm -f {name}`"))
        return
    except BaseException:
        _remove(session, name)
        raise
    _remove(session, name)


def _remove(session: Session, name: str) -> None:
    try:
        session.engine.remove_container(name, volumes=True, force=True)
    except NotFoundError:  # it was never created, or somebody else removed it
        return
    except DevstackError as error:
        text = f"cannot remove {name}: {error.message}. Remove it: `docker rm -f -v {name}`"
        session.emit(Notice(text=text, level="warning"))


def _start_attached(session: Session, service: str, name: str, *, tty: bool) -> ExecSession:
    if session.explain:
        session.emit(explain_oneoff_start(name, tty=tty))
        session.emit(explain_oneoff_end(name))
    session.emit(CommandStarted(service=service, container=name))
    attached = session.engine.attach(name, tty=tty, stdin=True)
    try:
        _start(session, service, name)
    except BaseException:
        attached.close()
        raise
    return attached


def _follow(session: Session, attached: ExecSession, name: str, *, tty: bool) -> int:
    try:
        # The command decides what a signal means, so signals do not interrupt us.
        with passing_signals_on(session, name) as lost:
            terminal.pump(attached, lost, tty=tty)
        return _exit_code(attached)
    except terminal.OutputClosed as closed:
        return closed.exit_code
    finally:
        attached.close()


def _start(session: Session, service: str, name: str) -> None:
    try:
        session.engine.start(name)
    except NotFoundError:
        raise
    except PortTakenError as error:
        error.hint = "Stop what uses it, or publish another port: `-p HOST:CONTAINER`."
        raise with_holder(error, session.engine, service) from error
    except DevstackError as error:
        failure = ServiceError(
            f"{service} cannot start: {error.message}",
            service=service,
            hint=error.hint,
            details=error.details,
        )
        failure.exit_code = _code_of(error)
        raise failure from error


def _code_of(error: DevstackError) -> int:
    """A shell exits with 127 for an unknown command, and with 126 for one that it cannot execute."""
    return {"no-command": 127, "not-executable": 126}.get(error.reason, error.exit_code)


def _exit_code(attached: ExecSession) -> int:
    try:
        return attached.exit_code()
    except NotFoundError:  # removed by somebody else in the meantime
        return _KILLED


@contextmanager
def passing_signals_on(session: Session, name: str) -> Iterator[Interrupt]:
    """While entered, signals go to the container's main process; a second one kills it. The result ends a
    pump whose stream goes on when the container has been killed."""
    interrupt, lost = session.interrupt, Interrupt()

    def send() -> None:
        if interrupt.requested.is_set():
            wanted = "SIGKILL" if interrupt.forced.is_set() else signal.Signals(interrupt.signal_number).name
            threading.Thread(target=_kill, args=(session, name, wanted, lost), daemon=True).start()

    with interrupt.graceful(), interrupt.calling(send):
        yield lost


def _kill(session: Session, name: str, wanted: str, lost: Interrupt) -> None:
    with suppress(DevstackError):
        session.engine.kill(name, wanted)
    if wanted == "SIGKILL":
        with suppress(DevstackError):
            session.engine.wait(name)
        time.sleep(_LAST_OUTPUT)
        lost.deliver(session.interrupt.signal_number)

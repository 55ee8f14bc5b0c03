"""A command in a container of its own, made like the service's, and removed afterwards (`invoke run`)."""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.errors import DevstackError, NotFoundError, ServiceError
from invoke_devstack.events import CommandStarted, Notice
from invoke_devstack.planning.explain_commands import explain_oneoff_end, explain_oneoff_start
from invoke_devstack.planning.oneoff import OneoffOptions, oneoff_name, plan_oneoff
from invoke_devstack.running import terminal, up
from invoke_devstack.running.choosing import find_service
from invoke_devstack.running.executor import execute
from invoke_devstack.running.interactive import wants_terminal
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import RunOptions, UpOptions
from invoke_devstack.running.session import Session


def run(session: Session, options: RunOptions) -> int:
    """Runs the command and returns its exit code; 0 when the user detached.

    What the service depends on is brought up first. A signal goes on to the command; a second one kills
    it. Raises UsageError for a service, mount or port that is none, ServiceError for a command that is
    not in the image, and what `bring_up` raises.
    """
    service = find_service(session.definition, options.service)
    if options.dependencies and service.depends_on:
        up.bring_up(session, UpOptions(services=tuple(service.depends_on)))
    tty = wants_terminal(options.tty)
    slug = secrets.token_hex(32)
    name = oneoff_name(session.project, options.service, slug)
    with _removed_afterwards(session, name):
        _create(session, options, slug, tty=tty)
        if session.explain:
            session.emit(explain_oneoff_start(name, tty=tty))
            session.emit(explain_oneoff_end(name))
        session.emit(CommandStarted(service=options.service, container=name))
        return _run(session, options, name, tty=tty)
    return 0  # detached


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
        stdin=True,
    )
    with project_lock(session):
        observed = observe(session.definition, session.engine)
        planned = up.planning_options(session, UpOptions(), session.definition, observed)
        plan = plan_oneoff(session.definition, observed, options.service, wanted, planned)
        execute(plan, session)


@contextmanager
def _removed_afterwards(session: Session, name: str) -> Iterator[None]:
    try:
        yield
    except terminal.Detached:
        session.emit(Notice(text=f"Detached; {name} goes on. `docker rm -f {name}` ends it."))
        return
    except BaseException:
        _remove(session, name)
        raise
    _remove(session, name)


def _remove(session: Session, name: str) -> None:
    try:
        session.engine.remove_container(name, volumes=True, force=True)
    except NotFoundError:  # it was never made, or somebody else removed it
        return
    except DevstackError as error:
        text = f"{name} is still there: {error.message}. `docker rm -f -v {name}` removes it."
        session.emit(Notice(text=text, level="warning"))


def _run(session: Session, options: RunOptions, name: str, *, tty: bool) -> int:
    attached = session.engine.attach(name, tty=tty, stdin=True)
    try:
        _start(session, options.service, name)
        with _passing_signals_on(session, name):
            # The command decides what a signal means, so ours is not interrupted by one.
            terminal.pump(attached, Interrupt(), tty=tty)
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
    """A shell's codes for a command that is not there, and for one that cannot be executed."""
    if "has no command" in error.message:
        return 127
    return 126 if "cannot be executed" in error.message else error.exit_code


def _exit_code(attached: ExecSession) -> int:
    try:
        return attached.exit_code()
    except NotFoundError:  # removed by somebody else meanwhile
        return 128 + signal.SIGKILL


@contextmanager
def _passing_signals_on(session: Session, name: str) -> Iterator[None]:
    interrupt = session.interrupt

    def send() -> None:
        if interrupt.requested.is_set():
            wanted = "SIGKILL" if interrupt.forced.is_set() else signal.Signals(interrupt.signal_number).name
            threading.Thread(target=_kill, args=(session, name, wanted), daemon=True).start()

    with interrupt.calling(send):
        yield


def _kill(session: Session, name: str, wanted: str) -> None:
    with suppress(DevstackError):
        session.engine.kill(name, wanted)

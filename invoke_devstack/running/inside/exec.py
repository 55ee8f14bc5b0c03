"""Runs a command in a running service, connected to our terminal or pipes."""

from __future__ import annotations

import os

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.errors import EngineError, Interrupted, ServiceError
from invoke_devstack.events import Notice
from invoke_devstack.planning.explaining.task_commands import explain_exec
from invoke_devstack.running.inside import terminal
from invoke_devstack.running.options import ExecOptions
from invoke_devstack.running.selection import find_containers, hint_for, split_number
from invoke_devstack.running.session import Session

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_CODES = {"no-command": _NOT_FOUND, "not-executable": _NOT_EXECUTABLE}


def execute(session: Session, options: ExecOptions) -> int:
    """Runs the command and returns its exit code: 0 if the user detached; 127 or 126, with a notice, if it is
    not in the image or cannot be executed.

    Raises UsageError for an unknown service, ServiceError for one that is not running, Interrupted after a
    signal.
    """
    container, name = running_container(session, options.service)
    return execute_in(session, container, name, options)


def execute_in(session: Session, container: str, name: str, options: ExecOptions) -> int:
    """The same in a container that is known. Raises Interrupted after a signal."""
    tty = wants_terminal(options.tty) and not options.detached
    if session.explain:
        session.emit(
            explain_exec(
                name,
                options.command,
                tty=tty,
                user=options.user,
                working_dir=options.working_dir,
                environment=options.environment,
                privileged=options.privileged,
                detached=options.detached,
            )
        )
    if options.detached:
        return _leave_running(session, container, options)
    command = session.engine.open_exec(
        container,
        options.command,
        tty=tty,
        stdin=True,
        user=options.user,
        working_dir=options.working_dir,
        environment=(*_terminal_environment(tty), *options.environment),
        privileged=options.privileged,
    )
    try:
        return _follow(session, options, command, tty=tty)
    finally:
        command.close()


def _leave_running(session: Session, container: str, options: ExecOptions) -> int:
    try:
        session.engine.exec_detached(
            container,
            options.command,
            user=options.user,
            working_dir=options.working_dir,
            environment=options.environment,
            privileged=options.privileged,
        )
    except EngineError as error:
        error.exit_code = _CODES.get(error.reason, error.exit_code)
        raise
    return 0


def wants_terminal(asked: bool | None) -> bool:
    """Whether to allocate a terminal: if ours is one and `asked` is not False."""
    return terminal.is_terminal() and asked is not False


def _terminal_environment(tty: bool) -> tuple[str, ...]:
    """Programs must know the type of the terminal that they draw on."""
    return (f"TERM={os.environ['TERM']}",) if tty and os.environ.get("TERM") else ()


def _follow(session: Session, options: ExecOptions, command: ExecSession, *, tty: bool) -> int:
    try:
        refusal = terminal.pump(command, session.interrupt, tty=tty)
        code = command.exit_code()
    except terminal.Detached:
        text = f"Detached; `{options.command[0]}` is still running in {options.service}."
        session.emit(Notice(text=text, service=options.service))
        return 0
    except terminal.OutputClosed as closed:
        return closed.exit_code
    except Interrupted:
        text = f"Interrupted. `{options.command[0]}` may still be running in {options.service}."
        session.emit(Notice(text=text, level="warning", service=options.service))
        raise session.interrupt.error(is_done=True) from None
    return _report_refusal(session, options, code, refusal) if refusal else code


def _report_refusal(session: Session, options: ExecOptions, code: int, refusal: bytes) -> int:
    """Returns the exit code. Older engines also give 126 for a missing command: only the text tells them
    apart."""
    if code not in (_NOT_EXECUTABLE, _NOT_FOUND):
        terminal.write(1, refusal)
        return code
    word = options.command[0]
    missing = b"not found" in refusal or b"no such file" in refusal
    if missing:
        text = f"{options.service} has no command `{word}`: it is not in the image, or not on its PATH"
    else:
        text = f"cannot execute `{word}` in {options.service}: {_reason(refusal)}"
    session.emit(Notice(text=text, level="warning", service=options.service))
    return _NOT_FOUND if missing else _NOT_EXECUTABLE


def _reason(refusal: bytes) -> str:
    text = refusal.decode("utf-8", "replace").strip().removesuffix(": unknown")
    return text.rpartition(": ")[2]


def running_container(session: Session, service: str) -> tuple[str, str]:
    """(id, name) of the service's first running container, or of the Nth for `web.N`.

    Raises UsageError for an unknown service, ServiceError for one that is not running.
    """
    name, _ = split_number(session.definition, service)
    found = find_containers(session.engine, session.definition, service)
    for item in found:
        if item.get("State") == "running":
            return str(item["Id"]), str(item["Names"][0]).lstrip("/")
    what = f"`{service}` is not running" + (f": it is {found[0]['State']}" if found else "")
    hint = hint_for(session.definition, service, f"Start it: `invoke up -s {name}`.")
    raise ServiceError(what, service=name, hint=hint)

"""Runs a command in a running service, with our terminal or our pipes as its own."""

from __future__ import annotations

import os

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.errors import ServiceError
from invoke_devstack.events import Notice
from invoke_devstack.planning.explain_commands import explain_exec
from invoke_devstack.running import terminal
from invoke_devstack.running.choosing import find_containers, split_number
from invoke_devstack.running.options import ExecOptions
from invoke_devstack.running.session import Session

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127


def execute(session: Session, options: ExecOptions) -> int:
    """Runs the command and returns its exit code; 0 when the user detached; 127 or 126, with a notice,
    when it is not in the image or cannot be executed.

    Raises UsageError for a service that does not exist, ServiceError for one that does not run, Interrupted
    after a signal.
    """
    container, name = _running(session, options.service)
    tty = wants_terminal(options.tty)
    if session.explain:
        session.emit(
            explain_exec(
                name,
                options.command,
                tty=tty,
                user=options.user,
                working_dir=options.working_dir,
                environment=options.environment,
            )
        )
    command = session.engine.open_exec(
        container,
        options.command,
        tty=tty,
        stdin=True,
        user=options.user,
        working_dir=options.working_dir,
        environment=(*_terminal_environment(tty), *options.environment),
    )
    try:
        return _follow(session, options, command, tty=tty)
    finally:
        command.close()


def wants_terminal(asked: bool | None) -> bool:
    """A terminal if ours is one, unless it was declined."""
    return terminal.is_terminal() and asked is not False


def _terminal_environment(tty: bool) -> tuple[str, ...]:
    """Programs draw for the terminal that is really there."""
    return (f"TERM={os.environ['TERM']}",) if tty and os.environ.get("TERM") else ()


def _follow(session: Session, options: ExecOptions, command: ExecSession, *, tty: bool) -> int:
    try:
        refusal = terminal.pump(command, session.interrupt, tty=tty)
    except terminal.Detached:
        text = f"Detached; `{options.command[0]}` goes on in {options.service}."
        session.emit(Notice(text=text, service=options.service))
        return 0
    except terminal.OutputClosed as closed:
        return closed.exit_code
    code = command.exit_code()
    return _explain(session, options, code, refusal) if refusal else code


def _explain(session: Session, options: ExecOptions, code: int, refusal: bytes) -> int:
    """Older engines give 126 for a command that is not there, too."""
    if code not in (_NOT_EXECUTABLE, _NOT_FOUND):
        terminal.write(1, refusal)
        return code
    word = options.command[0]
    missing = b"not found" in refusal or b"no such file" in refusal
    if missing:
        text = f"`{word}` is not in {options.service}'s image, or not on its PATH"
    else:
        text = f"`{word}` cannot be executed in {options.service}: {_reason(refusal)}"
    session.emit(Notice(text=text, level="warning", service=options.service))
    return _NOT_FOUND if missing else _NOT_EXECUTABLE


def _reason(refusal: bytes) -> str:
    text = refusal.decode("utf-8", "replace").strip().removesuffix(": unknown")
    return text.rpartition(": ")[2]


def _running(session: Session, service: str) -> tuple[str, str]:
    """(id, name) of the service's first running container, or of the Nth for `web.N`.

    Raises UsageError for a service that does not exist, ServiceError for one that does not run.
    """
    name, _ = split_number(session.definition, service)
    found = find_containers(session.engine, session.definition, service)
    for item in found:
        if item.get("State") == "running":
            return str(item["Id"]), str(item["Names"][0]).lstrip("/")
    what = f"`{service}` does not run" + (f": it is {found[0]['State']}" if found else "")
    raise ServiceError(what, service=name, hint=f"`invoke up -s {name}` starts it.")

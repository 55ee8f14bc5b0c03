"""A container's file system as a tar archive (`invoke export`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from invoke_devstack.errors import ServiceError, UsageError
from invoke_devstack.events import Notice
from invoke_devstack.local_files.replacing import rewritten
from invoke_devstack.planning.explaining.task_commands import explain_export
from invoke_devstack.running.inside import terminal
from invoke_devstack.running.inside.archives import pass_on
from invoke_devstack.running.selection import find_containers, hint_for, split_number
from invoke_devstack.running.session import Session

_MODE = 0o600


def export(session: Session, service: str, output: str) -> None:
    """Writes the file system of the service's container, running or not, to the file `output`, or to stdout
    (""). Volumes and bind mounts are not part of it. A file appears once it is whole.

    Raises UsageError for an unknown service and if stdout is a terminal, ServiceError if it has no container,
    FileError, and Interrupted after a signal.
    """
    if not output and os.isatty(1):
        raise UsageError(
            "the output is a terminal",
            hint=f"`invoke export {service} -o {service}.tar`, or `… > {service}.tar`",
        )
    found = find_containers(session.engine, session.definition, service)
    if not found:
        name, _ = split_number(session.definition, service)
        hint = hint_for(session.definition, service, f"Create it: `invoke create {name}`.")
        raise ServiceError(f"`{service}` has no container", service=name, hint=hint)
    if session.explain:
        session.emit(explain_export(str(found[0]["Names"][0]).lstrip("/")))
    if not output:
        _copy(session, found[0]["Id"], lambda block: terminal.write(1, block))
        return
    with rewritten(Path(output).absolute(), _MODE, flushed=False) as file:
        size = _copy(session, found[0]["Id"], file.write)
    session.emit(Notice(text=f"{output}: {size} bytes", service=service))


def _copy(session: Session, container: str, write: Callable[[bytes], object]) -> int:
    """Returns how many bytes were written."""

    def checked() -> Iterator[bytes]:
        for block in blocks:
            session.interrupt.check()
            yield block

    blocks = session.engine.export(container)
    try:
        return pass_on(checked(), write)
    finally:
        blocks.close()

"""Runs a command in a running service for a program: without input, and its output is kept."""

from __future__ import annotations

import time

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.engine.transport.dialing import readable
from invoke_devstack.errors import ServiceError
from invoke_devstack.records import record
from invoke_devstack.running.inside.exec import running_container
from invoke_devstack.running.session import Session

LARGEST = 64 * 1024  # bytes of output that are kept, the last ones
_LOOK = 0.1  # seconds between two looks for an interrupt


@record
class Captured:
    """`text` is the output of both streams; `left_out` are the bytes before it."""

    exit_code: int
    text: str
    left_out: int = 0


def capture(session: Session, service: str, command: tuple[str, ...], *, timeout: float) -> Captured:
    """Runs the command in the first container of `service` (`web.2`: the second).

    Raises UsageError for an unknown service, ServiceError for one that is not running or a command that takes
    longer than `timeout` seconds, Interrupted after a signal. The command goes on then: the engine cannot end
    it.
    """
    container, _ = running_container(session, service)
    running = session.engine.open_exec(container, command, tty=False, stdin=False)
    try:
        return _read(session, running, _Deadline(service, command[0], timeout))
    finally:
        running.close()


class _Deadline:
    def __init__(self, service: str, program: str, timeout: float) -> None:
        self._until = time.monotonic() + timeout
        self._error = ServiceError(
            f"`{program}` in {service} has not ended within {timeout:g} s; it is still running",
            service=service,
            hint="Give it more time, or look for it: `ps` in the container.",
        )

    def check(self) -> None:
        if time.monotonic() > self._until:
            raise self._error


def _read(session: Session, running: ExecSession, deadline: _Deadline) -> Captured:
    kept, left_out = bytearray(), 0
    while True:
        session.interrupt.check()
        deadline.check()
        if not (running.pending() or readable([running.fileno()], _LOOK)):
            continue
        _, data = running.read()
        if not data:
            return Captured(running.exit_code(), kept.decode("utf-8", "replace"), left_out)
        kept += data
        excess = max(len(kept) - LARGEST, 0)
        left_out += excess
        del kept[:excess]

"""Connects our terminal or pipes to a service's main process (`invoke attach`)."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from invoke_devstack.errors import DevstackError, Interrupted, NotFoundError
from invoke_devstack.events import Notice
from invoke_devstack.planning.explaining.task_commands import explain_attach
from invoke_devstack.running.inside import terminal
from invoke_devstack.running.inside.exec import running_container
from invoke_devstack.running.inside.one_off import passing_signals_on
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.running.options import AttachOptions
from invoke_devstack.running.session import Session

_KILLED = 137


def attach(session: Session, options: AttachOptions) -> int:
    """Passes input, output and signals on until the process ends; then returns its exit code. 0 if the user
    detached, which leaves it running.

    Input is passed on only if the service has `stdin_open`. Raises UsageError for an unknown service or
    invalid detach keys, ServiceError for one that is not running, EngineError for a process of this machine,
    and Interrupted after a signal that is not passed on.
    """
    keys = terminal.detach_keys(options.detach_keys)
    container, name = running_container(session, options.service)
    config = session.engine.inspect_container(container).get("Config") or {}
    takes_input = options.stdin and bool(config.get("OpenStdin"))
    has_terminal = bool(config.get("Tty"))
    if session.explain:
        session.emit(explain_attach(name, stdin=takes_input, signals=options.signals))
    ending = _Ending(session, container)
    attached = session.engine.attach(
        container, tty=has_terminal, stdin=takes_input, detach_keys=options.detach_keys
    )
    if options.stdin and not takes_input and terminal.is_terminal():
        text = f"{options.service} takes no input (`stdin_open` is not set); Ctrl-C goes to it"
        session.emit(Notice(text=text, service=options.service))

    def pump(interrupt: Interrupt) -> None:
        # Where input does not end with the first who attaches (`StdinOnce`), the engine takes the end of ours
        # for a wish to detach, and the rest of the output would be lost.
        terminal.pump(
            attached,
            interrupt,
            tty=has_terminal and takes_input and terminal.is_terminal(),
            stdin=takes_input,
            ends_input=bool(config.get("StdinOnce")),
            detach_keys=keys,
        )

    try:
        if options.signals:
            with passing_signals_on(session, name) as lost:
                pump(lost)
        else:
            pump(session.interrupt)
    except (terminal.Detached, Interrupted) as left:
        if not session.interrupt.forced.is_set():  # a second signal has killed it
            session.emit(Notice(text=f"Detached; {name} is still running.", service=options.service))
        if isinstance(left, Interrupted):
            raise
        return 0
    except terminal.OutputClosed as closed:
        return closed.exit_code
    finally:
        attached.close()
    return ending.code()


class _Ending:
    """Waits for the process from the beginning: a container that the engine starts again at once is only seen
    to end by those who already wait."""

    def __init__(self, session: Session, container: str) -> None:
        self._codes: SimpleQueue[int | DevstackError] = SimpleQueue()
        threading.Thread(target=self._wait, args=(session, container), name="ending", daemon=True).start()

    def _wait(self, session: Session, container: str) -> None:
        try:
            self._codes.put(session.engine.wait(container))
        except NotFoundError:
            self._codes.put(_KILLED)
        except DevstackError as error:
            self._codes.put(error)

    def code(self) -> int:
        found = self._codes.get()
        if isinstance(found, DevstackError):
            raise found
        return found

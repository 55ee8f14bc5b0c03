"""Runs a command on a stack as a process of its own, which can be given a terminal, a pipe, or a signal.

python -m tests.engine.running.command_process ENGINE_URL FOLDER VERB [WORD…]

VERB is up, down or start; exec or run SERVICE WORD…; snapshot or restore SERVICE NAME; reset SERVICE;
import or export NAME FILE.
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Event, Notice
from invoke_devstack.running.inside import exec as interactive
from invoke_devstack.running.inside import one_off
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.running.options import DownOptions, ExecOptions, RunOptions, UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import files, resetting, restoring, taking
from invoke_devstack.running.stack import down, lifecycle, up


def tell(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.text, file=sys.stderr)


def main(url: str, folder: str, verb: str, *words: str) -> int:
    definition = load(Path(folder), environment={})
    with Interrupt() as interrupt:
        session = Session(definition, connect(endpoint=Endpoint(url, "test")), tell, interrupt=interrupt)
        try:
            return act(session, verb, *words) or 0
        except DevstackError as error:
            print(f"error: {error.message}", file=sys.stderr)
            return error.exit_code


def act(session: Session, verb: str, *words: str) -> int | None:
    match verb, words:
        case "up", ():
            up.bring_up(session, UpOptions())
        case "down", ():
            down.take_down(session, DownOptions())
        case "start", ():
            lifecycle.start(session)
        case "run", (service, *command):
            return one_off.run(session, RunOptions(service=service, command=tuple(command)))
        case "exec", (service, *command):
            return interactive.execute(session, ExecOptions(service=service, command=tuple(command)))
        case "snapshot", (service, name):
            taking.take(session, service, name)
        case "restore", (service, name):
            restoring.restore(session, service, name)
        case "reset", (service,):
            resetting.reset(session, (service,))
        case "import", (name, file):
            files.import_(session, Path(file), name)
        case "export", (name, file):
            files.export(session, name, Path(file))
        case _:
            raise AssertionError(f"unknown: {verb} {words}")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

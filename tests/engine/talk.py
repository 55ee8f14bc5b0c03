"""Runs a command on a stack as a process of its own, which can be given a terminal, a pipe, or a signal.

python -m tests.engine.talk ENGINE_URL FOLDER up|down|exec|run [SERVICE WORD…]
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Event, Notice
from invoke_devstack.running import down, interactive, oneoff, up
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.running.options import DownOptions, ExecOptions, RunOptions, UpOptions
from invoke_devstack.running.session import Session


def tell(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.text, file=sys.stderr)


def main(url: str, folder: str, verb: str, service: str = "", *words: str) -> int:
    definition = load(Path(folder), environment={})
    with Interrupt() as interrupt:
        session = Session(definition, connect(endpoint=Endpoint(url, "test")), tell, interrupt=interrupt)
        try:
            if verb == "up":
                up.bring_up(session, UpOptions())
                return 0
            if verb == "down":
                down.take_down(session, DownOptions())
                return 0
            if verb == "run":
                return oneoff.run(session, RunOptions(service=service, command=words))
            return interactive.execute(session, ExecOptions(service=service, command=words))
        except DevstackError as error:
            print(f"error: {error.message}", file=sys.stderr)
            return error.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

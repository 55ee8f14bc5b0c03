"""Runs `exec` or `run` on a stack as a process of its own: what a terminal or a pipe is connected to.

python -m tests.engine.talk ENGINE_URL FOLDER exec|run SERVICE WORD…
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Event, Notice
from invoke_devstack.running import interactive, oneoff
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.running.options import ExecOptions, RunOptions
from invoke_devstack.running.session import Session


def tell(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.text, file=sys.stderr)


def main(url: str, folder: str, verb: str, service: str, *words: str) -> int:
    definition = load(Path(folder), environment={})
    with Interrupt() as interrupt:
        session = Session(definition, connect(endpoint=Endpoint(url, "test")), tell, interrupt=interrupt)
        try:
            if verb == "run":
                return oneoff.run(session, RunOptions(service=service, command=words))
            return interactive.execute(session, ExecOptions(service=service, command=words))
        except DevstackError as error:
            print(f"error: {error.message}", file=sys.stderr)
            return error.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

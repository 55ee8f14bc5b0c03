"""`python -m invoke_devstack.testing.watchdog PROJECT`: outlives pytest, and removes its copy of the stack
when pytest ends without having done so. It sleeps on a pipe that only pytest holds, and wakes when the
kernel closes it: killed, crashed or out of memory, every end is noticed at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_DONE = b"done\n"
_PATIENCE = 5.0  # seconds until a watchdog that is told that all is done has ended


@contextmanager
def watched(project: str) -> Iterator[None]:
    """While entered, the death of this process removes `project`; afterwards its removal is the caller's."""
    dog = subprocess.Popen(
        [sys.executable, "-m", __name__, project],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is not for it
    )
    try:
        yield
    finally:
        with suppress(BrokenPipeError, subprocess.TimeoutExpired):
            dog.communicate(_DONE, timeout=_PATIENCE)


def main(project: str) -> None:
    """Waits for the end of stdin; without the word that all is done, removes the project."""
    if sys.stdin.buffer.read() == _DONE:
        return
    from invoke_devstack.engine.connect import connect
    from invoke_devstack.testing.owners import remove_project

    remove_project(connect(), project)


if __name__ == "__main__":
    main(sys.argv[1])

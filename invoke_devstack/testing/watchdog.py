"""`python -m invoke_devstack.testing.watchdog PROJECT`: removes the copy of the stack if pytest ends without
doing so. It blocks on a pipe that only pytest holds open, so it notices every end at once: killed, crashed or
out of memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_DONE = b"done\n"
_PATIENCE = 5.0  # seconds to wait for the watchdog to exit


@contextmanager
def watched(project: str) -> Iterator[None]:
    """Within it, the end of this process removes `project`. Afterwards the caller has to remove it."""
    dog = subprocess.Popen(
        [sys.executable, "-m", __name__, project],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that Ctrl-C does not reach it
    )
    try:
        yield
    finally:
        with suppress(BrokenPipeError, subprocess.TimeoutExpired):
            dog.communicate(_DONE, timeout=_PATIENCE)


def main(project: str) -> None:
    """Waits for the end of stdin. Removes the project unless told that it is removed."""
    if sys.stdin.buffer.read() == _DONE:
        return
    from invoke_devstack.engine.connect import connect
    from invoke_devstack.testing.owners import remove_project

    remove_project(connect(), project)


if __name__ == "__main__":
    main(sys.argv[1])

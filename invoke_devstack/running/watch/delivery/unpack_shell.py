"""A shell that stays open in a container and unpacks the archives it is sent.

The engine takes about 35 ms to unpack even the smallest archive, because it mounts the container's file
system each time, and as long to start an exec. A shell that waits for the next archive takes 2 ms. It exits
when its input closes: with our process, however that ends.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from invoke_devstack.engine.transport.dialing import readable
from invoke_devstack.errors import DevstackError

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine, ExecSession

_MAX_ANSWER = 64  # bytes of the token and what follows it
_CHUNK = 1024 * 1024  # bytes
_TIMEOUT = 60.0  # seconds without output
_START_TIMEOUT = 5.0  # seconds

SYNC_SHELL = "devstack-sync"
"""A word in its command line, by which `invoke top` leaves it out."""

_SCRIPT = """
token=$1
directory() {
  [ -z "$1" ] || [ -d "$1" ] || {
    directory "${1%/*}" "$2" && rm -f "$1" && mkdir "$1" && chown "$2" "$1"
  }
}
delete() { [ ! -e "$1" ] && [ ! -L "$1" ] || { rm -rf "$1" && echo "deleted"; }; }
clear() { [ ! -d "$1" ] || rm -rf "$1"; }
note() { { printf '%s\\n' "$@" >>/.devstack-watched; } 2>/dev/null || :; }
unpack() {
  head -c "$1" | {
    mkdir -m 700 "$stage" && tar -x -p -f - -C "$stage"
    code=$?
    cat >/dev/null
    exit $code
  }
}
cd /
trap '' INT QUIT HUP
for tool in head tar cat mv rm mkdir chown chmod ln; do command -v $tool >/dev/null || exit 3; done
echo "$token ready"
while read -r size stage; do
  { unpack "$size" && (set -e; . "$stage/apply"); } 2>&1
  code=$?
  rm -rf "$stage"
  echo "$token $code"
done
"""


class ShellUnavailableError(DevstackError):
    """The container has no shell or no tar, or is not running."""


class ShellLostError(DevstackError):
    """The shell ended or does not answer: its container was stopped or paused."""


class ShellRefusedError(DevstackError):
    """A tool in the container failed; the message is its output."""


class UnpackShell:
    """The shell in one container."""

    def __init__(self, engine: Engine, container: str) -> None:
        """Raises ShellUnavailableError."""
        self._token = secrets.token_hex(8)
        command = ("sh", "-c", _SCRIPT, SYNC_SHELL, self._token)
        try:
            self._session: ExecSession = engine.open_exec(
                container, command, tty=False, stdin=True, user="0", working_dir="/"
            )
        except (DevstackError, OSError) as error:
            raise ShellUnavailableError(str(error)) from error
        try:
            word, _ = self._answer(_START_TIMEOUT)
        except ShellLostError as error:
            self.close()
            raise ShellUnavailableError(str(error)) from error
        if word != "ready":
            self.close()
            raise ShellUnavailableError(word)

    def send(self, archive: IO[bytes], directory: str = "/") -> bytes:
        """Unpacks `archive` in `directory`, which is on the file system that it is for, and runs its script.
        Returns the script's output. Raises ShellLostError or ShellRefusedError."""
        size = archive.seek(0, 2)
        archive.seek(0)
        try:
            stage = f"{directory.rstrip('/')}/.devstack-sync-{self._token}"
            self._session.write(f"{size} {stage}\n".encode("utf-8", "surrogateescape"))
            while chunk := archive.read(_CHUNK):
                self._session.write(chunk)
        except (DevstackError, OSError) as error:
            raise ShellLostError(str(error)) from error
        code, output = self._answer(_TIMEOUT)
        if code != "0":
            raise ShellRefusedError(_last_line(output))
        return output

    def close(self) -> None:
        """Ends the shell."""
        with suppress(DevstackError, OSError):
            self._session.close()

    def _answer(self, timeout: float) -> tuple[str, bytes]:
        """(the word after the token, all output before it)."""
        mark = f"{self._token} ".encode()
        deadline = time.monotonic() + timeout
        gathered = bytearray()
        while True:
            gathered += self._read(deadline)
            # The line with the token is the last one of the answer.
            start = gathered.rfind(mark, max(0, len(gathered) - _MAX_ANSWER))
            if start >= 0 and gathered.endswith(b"\n"):
                return gathered[start + len(mark) : -1].decode(), bytes(gathered[:start])

    def _read(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if left <= 0 or not readable([self._session.fileno()], left):
            raise ShellLostError("the shell in the container does not answer")
        try:
            _, data = self._session.read()
        except (DevstackError, OSError) as error:
            raise ShellLostError(str(error)) from error
        if not data:
            raise ShellLostError("the shell in the container exited")
        return data


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it failed without output"

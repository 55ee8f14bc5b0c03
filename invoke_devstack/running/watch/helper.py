"""A shell that stays open in a container and unpacks what it is sent.

The engine takes some 35 ms to unpack the smallest archive (it mounts the container's file system
anew each time), and as long to begin an exec. A shell that waits for the next archive takes 2 ms.
It ends by itself when its input ends: with our process, however that ends.
"""

from __future__ import annotations

import secrets
import select
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from invoke_devstack.errors import DevstackError

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine, ExecSession

_LONGEST_ANSWER = 64  # bytes of the token and what follows it
_CHUNK = 1024 * 1024  # bytes
_PATIENCE = 60.0  # seconds without a word from the helper
_START_PATIENCE = 5.0  # seconds

_SCRIPT = """
token=$1
folder() {
  [ -z "$1" ] || [ -d "$1" ] || {
    folder "${1%/*}" "$2" && rm -f "$1" && mkdir "$1" && chown "$2" "$1"
  }
}
gone() { [ ! -e "$1" ] && [ ! -L "$1" ] || { rm -rf "$1" && echo "gone"; }; }
free() { [ ! -d "$1" ] || rm -rf "$1"; }
known() { { printf '%s\\n' "$@" >>/.devstack-watched; } 2>/dev/null || :; }
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


class HelperUnavailableError(DevstackError):
    """The container has no shell or no tar, or does not run."""


class HelperLostError(DevstackError):
    """The helper ended, or says nothing any more: its container stopped or was paused."""


class HelperRefusedError(DevstackError):
    """The helper could not do what it was sent; the message is what the tool in the container said."""


class Helper:
    """The helper in one container."""

    def __init__(self, engine: Engine, container: str) -> None:
        """Raises HelperUnavailableError."""
        self._token = secrets.token_hex(8)
        command = ("sh", "-c", _SCRIPT, "devstack-sync", self._token)
        try:
            self._session: ExecSession = engine.open_exec(
                container, command, tty=False, stdin=True, user="0", working_dir="/"
            )
        except (DevstackError, OSError) as error:
            raise HelperUnavailableError(str(error)) from error
        try:
            word, _ = self._answer(_START_PATIENCE)
        except HelperLostError as error:
            self.close()
            raise HelperUnavailableError(str(error)) from error
        if word != "ready":
            self.close()
            raise HelperUnavailableError(word)

    def send(self, archive: IO[bytes], directory: str = "/") -> bytes:
        """Has `archive` unpacked beside what it will replace (in `directory`, on the same file system)
        and its script run. Returns the script's output. Raises HelperLostError or HelperRefusedError."""
        size = archive.seek(0, 2)
        archive.seek(0)
        try:
            stage = f"{directory.rstrip('/')}/.devstack-sync-{self._token}"
            self._session.write(f"{size} {stage}\n".encode("utf-8", "surrogateescape"))
            while chunk := archive.read(_CHUNK):
                self._session.write(chunk)
        except (DevstackError, OSError) as error:
            raise HelperLostError(str(error)) from error
        code, output = self._answer(_PATIENCE)
        if code != "0":
            raise HelperRefusedError(_last_line(output))
        return output

    def close(self) -> None:
        """Ends the helper."""
        with suppress(DevstackError, OSError):
            self._session.close()

    def _answer(self, patience: float) -> tuple[str, bytes]:
        """(the word after the token, all output before it)."""
        mark = f"{self._token} ".encode()
        deadline = time.monotonic() + patience
        gathered = bytearray()
        while True:
            gathered += self._read(deadline)
            # The answer's last line is all that follows the token, and nothing comes after it.
            start = gathered.rfind(mark, max(0, len(gathered) - _LONGEST_ANSWER))
            if start >= 0 and gathered.endswith(b"\n"):
                return gathered[start + len(mark) : -1].decode(), bytes(gathered[:start])

    def _read(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._session.fileno()], [], [], left)[0]:
            raise HelperLostError("the helper in the container does not answer")
        try:
            _, data = self._session.read()
        except (DevstackError, OSError) as error:
            raise HelperLostError(str(error)) from error
        if not data:
            raise HelperLostError("the helper in the container ended")
        return data


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it failed without a word"

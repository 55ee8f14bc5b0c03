"""Log blocks of containers, with a prefix before each line. Bytes stay bytes."""

from __future__ import annotations

from collections.abc import Iterable

from invoke_devstack.console.escapes import neutralise
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint
from invoke_devstack.events import LogBlock


class LogLines:
    """Turns blocks into what is written: `web    | line`, the names padded to the longest one."""

    def __init__(self, screen: Screen, paint: Paint) -> None:
        self._terminal = screen.terminal
        self._paint = paint
        self._width = 0
        self._prefixes: dict[tuple[str, str], bytes] = {}

    def expect(self, services: Iterable[str]) -> None:
        """Makes room for these names, so that the first line is as indented as the last."""
        self._grow(max((len(name) for name in services), default=0))

    def render(self, block: LogBlock) -> bytes:
        """The block's lines, each with its prefix, the last one ended."""
        data = block.data
        if not data:
            return b""
        if self._terminal:
            data = neutralise(data, keep_colours=self._paint.has_colour)
        prefix = self._prefix(block)
        body = data[:-1] if data.endswith(b"\n") else data
        return b"%b%b\n" % (prefix, body.replace(b"\n", b"\n" + prefix))

    def _prefix(self, block: LogBlock) -> bytes:
        key = (block.service, block.container)
        if key not in self._prefixes:
            name = log_name(block)
            self._grow(len(name))
            painted = self._paint.service(block.service, self._width, shown=name)
            self._prefixes[key] = f"{painted} | ".encode()
        return self._prefixes[key]

    def _grow(self, width: int) -> None:
        if width > self._width:
            self._width = width
            self._prefixes.clear()


def log_name(block: LogBlock) -> str:
    """The service, and the container's number from the second one on: `web`, `web-2`."""
    rest, _, number = block.container.rpartition("-")
    several = rest.endswith(block.service) and number.isdigit() and int(number) > 1
    return f"{block.service}-{number}" if several else block.service

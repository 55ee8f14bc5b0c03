"""The newest lines of logs, cleaned, masked and within a limit; and where more of them are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from invoke_devstack.acting.log_line import LEVELS, Line
from invoke_devstack.console.escapes import clean_text
from invoke_devstack.events import LogBlock
from invoke_devstack.mcp.answer import UNTRUSTED, Answer, quoted
from invoke_devstack.mcp.budget import cut, last_within

_NANOSECONDS = 9
_CLOCK = slice(11, 23)  # of a stamp: the time of day, in milliseconds


class _Shown(NamedTuple):
    stamp: str
    service: str
    text: str


class LogLines:
    """The last `most` lines that are at least of `level` (""; all)."""

    def __init__(self, most: int, level: str, hide: Callable[[str], str]) -> None:
        self._kept: deque[tuple[str, bytes, bytes]] = deque(maxlen=most)
        self._level = LEVELS.index(level) if level else -1
        self._hide = hide
        self._passed = 0

    def add(self, block: LogBlock) -> None:
        """Takes lines that start with a stamp."""
        for line in block.data.split(b"\n"):
            stamp, _, text = line.partition(b" ")
            if stamp and self._is_wanted(block, stamp, text):
                self._passed += 1
                self._kept.append((block.service, stamp, text))

    def _is_wanted(self, block: LogBlock, stamp: bytes, text: bytes) -> bool:
        if self._level < 0:
            return True
        level = Line(None, stamp, block.service, block.container, block.stream, text).level()
        return bool(level) and LEVELS.index(level) >= self._level

    def answer(self, limit: int) -> Answer:
        """At most `limit` tokens of lines, the newest."""
        every = [*self._shown()]
        several = len({item.service for item in every}) > 1
        lines = last_within([_line(item, several=several) for item in every], limit)
        shown = every[len(every) - len(lines) :]
        left_out = self._passed - len(shown)
        data: dict[str, Any] = {"lines": lines, "lines_are": UNTRUSTED}
        if not shown:
            return Answer("No lines.", data)
        data |= {
            "first": shown[0].stamp,
            "last": shown[-1].stamp,
            "newer": {"since": _after(shown[-1].stamp)},
        }
        services = ", ".join(dict.fromkeys(item.service for item in shown))
        text = f"{len(lines)} line{'s' * (len(lines) != 1)} of {services}, the newest last"
        if left_out:
            data["older"] = {"until": _before(shown[0].stamp)}
            text += f"; there are older ones: until={data['older']['until']}"
        return Answer(f"{text}\n{quoted(lines)}", data)

    def _shown(self) -> Iterator[_Shown]:
        for service, stamp, text in self._kept:
            whole = self._hide(clean_text(text.decode("utf-8", "replace").rstrip("\r")))
            yield _Shown(stamp.decode("ascii", "replace"), service, cut(whole))


def _line(item: _Shown, *, several: bool) -> str:
    name = f" {item.service}:" if several else ""
    return f"{item.stamp[_CLOCK]}{name} {item.text}"


def _after(stamp: str) -> str:
    return _moved(stamp, 1)


def _before(stamp: str) -> str:
    return _moved(stamp, -1)


def _moved(stamp: str, nanoseconds: int) -> str:
    """The stamp, that much later. At the border of a second it stays: a line may come twice, none is lost."""
    head, _, rest = stamp.partition(".")
    number = int(rest.rstrip("Z") or 0) + nanoseconds
    if not 0 <= number < 10**_NANOSECONDS or len(rest) != _NANOSECONDS + 1:
        return stamp
    return f"{head}.{number:0{_NANOSECONDS}d}Z"

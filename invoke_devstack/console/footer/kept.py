"""The last log lines, so that a word can be found in those that went by. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

_MOST = 4 << 20  # bytes
_STYLE = re.compile(rb"\x1b\[[0-9;:]*m")
_MARK, _UNMARK = b"\x1b[7m", b"\x1b[27m"


class KeptLines:
    """Blocks of whole lines, as they were printed, up to 4 MiB of them."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[str, bytes]] = deque()
        self._size = 0

    def add(self, service: str, lines: bytes) -> None:
        """Keeps lines of a service, and forgets the oldest."""
        self._blocks.append((service, lines))
        self._size += len(lines)
        while self._size > _MOST and len(self._blocks) > 1:
            self._size -= len(self._blocks.popleft()[1])

    def lines(self, only: str = "") -> Iterator[bytes]:
        """Those of one service, or all."""
        for service, block in self._blocks:
            if only in ("", service):
                yield from block.removesuffix(b"\n").split(b"\n")


class Word:
    """A word that is searched for. Capitals matter if it has any."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._pattern = re.compile(re.escape(text.encode()), re.IGNORECASE if text.islower() else 0)

    def is_in(self, line: bytes) -> bool:
        """Whether the line has it, whatever its colors."""
        return self._pattern.search(_STYLE.sub(b"", line)) is not None

    def marked(self, block: bytes) -> tuple[bytes, int]:
        """The lines with the word in reverse video, and how many lines have it."""
        found = sum(map(self.is_in, block.removesuffix(b"\n").split(b"\n")))
        if not found:
            return block, 0
        return self._pattern.sub(lambda match: _MARK + match[0] + _UNMARK, block), found

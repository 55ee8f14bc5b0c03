"""Lines packed together: their texts apart from the rest, so that a search unpacks the texts alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from invoke_devstack.acting.log_line import LEVELS, Line, may_have_levels, without_colours
from invoke_devstack.records import record

LINES = 1000  # of a block
BYTES = 128 * 1024

_Origin = tuple[str, str, str]  # service, container, stream


@record
class Block:
    """Some lines, compressed. `origins` are the places they come from, which each line numbers. `levels` has
    a bit for each level that one of its lines has."""

    first: int
    count: int
    start: bytes  # stamps
    end: bytes
    origins: tuple[_Origin, ...]
    levels: int
    heads: bytes
    packed: bytes

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    @property
    def size(self) -> int:
        return len(self.heads) + len(self.packed)

    @property
    def services(self) -> set[str]:
        return {service for service, _, _ in self.origins}

    def texts(self) -> bytes:
        """The texts of its lines, one below the other."""
        return zlib.decompress(self.packed)

    def lines(self) -> list[Line]:
        heads = [head.split(b" ", 1) for head in zlib.decompress(self.heads).split(b"\n")]
        return [
            Line(self.first + place, stamp, *self.origins[int(origin)], text)
            for place, ((origin, stamp), text) in enumerate(
                zip(heads, self.texts().split(b"\n"), strict=True)
            )
        ]


def pack(lines: Sequence[Line], first: int) -> Block:
    """The first line gets the number `first`."""
    origins: dict[_Origin, int] = {}
    heads = []
    for line in lines:
        origin = origins.setdefault((line.service, line.container, line.stream), len(origins))
        heads.append(b"%d %b" % (origin, line.stamp))
    stamps = [line.stamp for line in lines]
    texts = b"\n".join([line.text for line in lines])
    return Block(
        first,
        len(lines),
        min(stamps),
        max(stamps),
        tuple(origins),
        _levels(lines) if may_have_levels(without_colours(texts)) else 0,
        zlib.compress(b"\n".join(heads), 1),
        zlib.compress(texts, 1),
    )


def _levels(lines: Iterable[Line]) -> int:
    found = {line.level() for line in lines}
    return sum(1 << LEVELS.index(level) for level in found if level)

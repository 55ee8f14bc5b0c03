"""How many tokens a text costs, at least, and how answers are kept within a limit.

Models count differently, and a tokenizer would have to be downloaded. The estimate is on the high side: the
larger of characters / 3.5 and words * 1.4.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

LONGEST_LINE = 400  # characters of a line that are passed on
_CHARACTERS, _WORDS = 3.5, 1.4
_CUT = "… (cut, {} more characters)"

_Item = TypeVar("_Item")


def tokens(text: str) -> int:
    """The estimate."""
    return math.ceil(max(len(text) / _CHARACTERS, len(text.split()) * _WORDS))


def tokens_of(data: Any) -> int:
    """That of data as JSON."""
    return tokens(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def cut(text: str, longest: int = LONGEST_LINE) -> str:
    """The text, or its beginning and how much follows."""
    return text if len(text) <= longest else text[:longest] + _CUT.format(len(text) - longest)


def within(items: Iterable[_Item], limit: int) -> list[_Item]:
    """As many of the first items as cost at most `limit` tokens together; the first in any case."""
    kept: list[_Item] = []
    for item in items:
        limit -= tokens_of(item) + 1
        if limit < 0 and kept:
            break
        kept.append(item)
    return kept


def last_within(items: Sequence[_Item], limit: int) -> list[_Item]:
    """Likewise of the last items, in their order."""
    return within(reversed(items), limit)[::-1]

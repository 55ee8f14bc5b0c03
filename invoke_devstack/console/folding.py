"""Long sentences broken between words, where a terminal would break them anywhere."""

from __future__ import annotations

import re

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def fold(text: str, width: int, indent: str = "") -> str:
    """`text` on lines of at most `width` columns; all but the first begin with `indent`. Words that are
    longer stay whole, so that paths and commands can be copied. Styles take no room."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and len(_STYLE.sub("", longer)) > width:
            lines.append(line)
            longer = indent + word
        line = longer
    return "\n".join([*lines, line])

"""The engine's time stamps."""

from __future__ import annotations

import re
from datetime import datetime


def seconds_of(text: str) -> float:
    """RFC 3339, with nanoseconds too, as seconds since the epoch; 0.0 where it is none."""
    trimmed = re.sub(r"(\.\d{1,6})\d*", r"\1", text).replace("Z", "+00:00")
    try:
        return max(0.0, datetime.fromisoformat(trimmed).timestamp())
    except ValueError:
        return 0.0

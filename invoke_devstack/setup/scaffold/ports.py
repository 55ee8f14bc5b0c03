"""Gives each service of a first stack ports of its own on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping

from invoke_devstack.late_patterns import late

_PUBLISHED = late(r"\$\{(?P<variable>\w+_PORT):-(?P<port>\d+)\}")


def with_own_ports(files: Mapping[str, str]) -> dict[str, str]:
    """The files, in which a port that an earlier one publishes by default is the next free one: MySQL and
    MariaDB both have 3306."""
    published = [match for text in files.values() for match in _PUBLISHED.finditer(text)]
    wanted = {int(match["port"]) for match in published}
    taken: dict[int, str] = {}
    chosen: dict[str, int] = {}
    for match in published:
        variable, port = match["variable"], int(match["port"])
        if taken.setdefault(port, variable) != variable and variable not in chosen:
            port = next(free for free in range(port + 1, port + 1000) if free not in wanted | taken.keys())
            taken[port] = variable
            chosen[variable] = port

    def replaced(match: re.Match[str]) -> str:
        port = chosen.get(match["variable"])
        return match[0] if port is None else f"${{{match['variable']}:-{port}}}"

    return {path: _PUBLISHED.sub(replaced, text) for path, text in files.items()}

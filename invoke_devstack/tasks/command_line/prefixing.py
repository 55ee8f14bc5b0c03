"""Names the tasks of a stack as they are called, where a sentence names them as if they stood at the top and
the stack were the only one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Sequence

from invoke_devstack.late_patterns import late

_NAMED = late(r"(`|^|&& )invoke ((?:--help )?)([a-z][\w.-]*)(?=([^`&]*))")
"""In a sentence, or a hint that is a command and nothing else."""


def prefixed(text: str, prefix: str, names: Container[str], selecting: Sequence[str] = ()) -> str:
    """The text with `prefix` before each of `names` that follows `invoke`, and the words `selecting` after
    it, which say which stack is meant: `invoke shop.up --file other.yaml`."""
    if "invoke " not in text:
        return text

    def called(found: re.Match[str]) -> str:
        start, helps, name, rest = found.groups()
        if name not in names:
            return found[0]
        has_them = helps or any(word.partition("=")[0] in selecting[::2] for word in rest.split())
        words = "" if has_them or not selecting else f" {shlex.join(selecting)}"
        return f"{start}invoke {helps}{prefix}{name}{words}"

    return _NAMED.sub(called, text)

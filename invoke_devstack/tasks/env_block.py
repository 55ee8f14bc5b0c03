"""A block of variables in a `.env` file: written anew each time, while every other line stays as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from invoke_devstack.errors import DevstackError

BEGIN = "# >>> invoke env: written anew by `invoke env --write`"
END = "# <<< invoke env"
_BLOCK = re.compile(rf"^{re.escape(BEGIN)}$.*?(?:^{re.escape(END)}$\n?|\Z)", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*[=:]", re.MULTILINE)


def dotenv_line(name: str, value: str) -> str:
    """`NAME=value`, quoted so that Compose, python-dotenv and shells read the same value."""
    if re.fullmatch(r"[A-Za-z0-9_./:@%+,-]*", value):
        return f"{name}={value}"
    if not {"'", "\\"} & set(value):
        return f"{name}='{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'{name}="{escaped}"'


def write_block(file: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Writes the variables into `file` and returns the names that it leaves out, because the file sets them
    outside of the block. A new file is its owner's alone; one that is there keeps its mode. Raises
    DevstackError where it cannot be written."""
    try:
        target = file.resolve()
        before = target.read_text(encoding="utf-8") if target.exists() else ""
        rest = _BLOCK.sub("", before)
        own = set(_NAME.findall(rest))
        lines = [dotenv_line(name, value) for name, value in variables.items() if name not in own]
        block = "\n".join((BEGIN, *lines, END, ""))
        gap = "" if not rest or rest.endswith("\n") else "\n"
        _replace(target, f"{rest}{gap}{block}")
    except (OSError, UnicodeDecodeError) as error:
        raise DevstackError(
            f"{file} cannot be written: {error}", hint="Look at its path and rights, or name another file."
        ) from error
    return tuple(name for name in variables if name in own)


def _replace(file: Path, text: str) -> None:
    """The new content takes the place of the old at once, whatever happens meanwhile."""
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as opened:
            opened.write(text)
        partial.chmod(mode)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)

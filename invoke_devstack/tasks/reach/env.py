"""`invoke env`: connection strings as variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.syntax.dotenv import DECLARATION, quote
from invoke_devstack.errors import FileError, UsageError
from invoke_devstack.local_files.reading import read_text
from invoke_devstack.local_files.replacing import replace_text, with_line_ends_of
from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import choice
from invoke_devstack.tasks.hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke_devstack.tasks.work import Work


@task(
    "env",
    json="answer",
    flags={
        "host": "Exactly what the process of `up --host` gets, for an IDE that starts it itself.",
        "inside": "As other services connect, not as this machine does.",
        "format": "`shell` (default): export lines; `dotenv`: lines for a .env file; `json`.",
        "write": "Write the variables to this file; its other lines stay.",
    },
)
def env(
    work: Work,
    service: tuple[str, ...] = (),
    inside: bool = False,
    host: bool = False,
    format: str = "shell",  # noqa: A002 - the flag's name
    write: str = "",
) -> None:
    """Print connection strings as shell variables.

    Includes passwords. For a process on this machine: `eval "$(invoke env)"`, or
    `invoke env --write .env.local`.
    """
    style = choice("format", format, ("shell", "dotenv", "json"))
    variables = _of_processes(work, service) if host else _of_connections(work, service, inside=inside)
    if write:
        _write(work, Path(write).absolute(), variables)
    else:
        work.answer(_text(variables, style), variables, with_secrets=True)


def _of_processes(work: Work, service: tuple[str, ...]) -> dict[str, str]:
    names = work.services(service)
    if not names:
        raise UsageError("`--host` needs a service", hint="`invoke env -s web --host`")
    hosts = Hosts(work, names)
    hosts.prepared()
    return {name: value for item in hosts.hosting.services.values() for name, value in item.variables.items()}


def _of_connections(work: Work, service: tuple[str, ...], *, inside: bool) -> dict[str, str]:
    from invoke_devstack.tasks.reach.connections import connections_of

    variables: dict[str, str] = {}
    for connection in connections_of(work, service, inside=inside):
        variables |= connection.variables()
    if service and not variables:
        raise UsageError(
            f"{', '.join(work.services(service))} publishes no port, so this machine cannot connect to it",
            hint="Add one under `ports:`, or see how other services connect with `--inside`.",
        )
    return variables


def _text(variables: Mapping[str, str], style: str) -> str:
    if style == "json":
        import json

        return json.dumps(variables, indent=2, ensure_ascii=False)
    if style == "dotenv":
        from invoke_devstack.definition.syntax.dotenv import quote

        return "\n".join(f"{name}={quote(value)}" for name, value in variables.items())
    import shlex

    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _write(work: Work, file: Path, variables: Mapping[str, str]) -> None:
    from invoke_devstack.events import Notice

    kept = write_block(file, variables)
    if kept:
        text = f"kept {', '.join(kept)}: {file.name} already sets them"
        work.tell(Notice(text=text))
    written = [name for name in variables if name not in kept]
    work.answer(f"wrote {len(written)} variables to {file}", {"file": str(file), "variables": written})


BEGIN = "# >>> invoke env: replaced by `invoke env --write`"
END = "# <<< invoke env"
_BEGIN_LINE, _END_LINE = rf"^{re.escape(BEGIN)}\r?$", rf"^{re.escape(END)}\r?$"
_INSIDE = rf"(?:\n(?!{_BEGIN_LINE}|{_END_LINE})[^\n]*)*\n"
_BLOCK = re.compile(rf"{_BEGIN_LINE}{_INSIDE}{_END_LINE}\n?", re.MULTILINE | re.DOTALL)
_CUT_BLOCK = re.compile(rf"{_BEGIN_LINE}(?!{_INSIDE}{_END_LINE})", re.MULTILINE | re.DOTALL)


def _without_end(file: Path, line: int) -> FileError:
    """What belongs to the block, and what is the user's, cannot be told apart."""
    import shlex

    return FileError(
        f"line {line} of {file} begins a block of `invoke env` that nothing ends",
        hint=f"Keep its lines as yours: `sed -i {line}d {shlex.quote(str(file))}`. Or end it with `{END}`.",
    )


def write_block(file: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Writes the variables to `file`. Returns the names it leaves out because the file sets them outside the
    block. Only the owner can read a new file. Raises FileError if the file cannot be read or written."""
    before = read_text(file) if file.exists() else ""
    rest = _BLOCK.sub("", before)
    if cut := _CUT_BLOCK.search(before):
        raise _without_end(file, before.count("\n", 0, cut.start()) + 1)
    found = (DECLARATION.match(line) for line in rest.splitlines())
    own = {item["name"] for item in found if item and item["separator"]}
    lines = [f"{name}={quote(value)}" for name, value in variables.items() if name not in own]
    block = "\n".join((BEGIN, *lines, END, ""))
    gap = "" if not rest or rest.endswith("\n") else "\n"
    replace_text(file, rest + with_line_ends_of(before, f"{gap}{block}"))
    return tuple(name for name in variables if name in own)

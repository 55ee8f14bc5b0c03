"""The files that agents read, and what becomes of each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from invoke_devstack.errors import FileError
from invoke_devstack.local_files.reading import read_bytes, read_text
from invoke_devstack.local_files.replacing import replace_text, writing
from invoke_devstack.mcp.skill.section import has_section, with_section
from invoke_devstack.records import record

FILES = {
    "agents": "AGENTS.md",
    "claude": ".claude/skills/devstack/SKILL.md",
    "copilot": ".github/copilot-instructions.md",
}
"""Agent -> the file that it reads."""
_SIGNS = {"agents": "AGENTS.md", "claude": ".claude", "copilot": FILES["copilot"]}
_HEADS = {
    "claude": """\
---
name: devstack
description: Start, inspect, debug and stop this project's local services, or get an isolated copy of them.
---

"""
}
"""What a new file begins with, before the section. It is a person's from then on."""
_BOM = "\ufeff"
_MODE = 0o666  # less the umask

Change = Literal["create", "add", "update", "none"]


@record
class Planned:
    """`path` is in the project's directory. `change`: create the file, add the section to it, update the
    section, or none."""

    path: str
    change: Change
    text: str


def proposed(directory: Path) -> tuple[str, ...]:
    """The agents of which there are signs in the project; else the file that most agents read."""
    found = tuple(agent for agent, sign in _SIGNS.items() if os.path.lexists(directory / sign))
    return found or ("agents",)


def planned(directory: Path, agents: Sequence[str], section: str) -> list[Planned]:
    """What `write` would do for these agents. Files that are one (by a link) count once. Raises FileError for
    a file that cannot be written, or that a link puts outside the project; DevstackError for broken marks."""
    places: dict[Path, Planned] = {}
    for agent in agents:
        file = directory / FILES[agent]
        places.setdefault(_checked_place(directory, file), _plan(file, agent, section))
    return [*places.values()]


def write(directory: Path, plans: Sequence[Planned]) -> None:
    """Writes the files whose text is new. Raises FileError: that file is as it was."""
    for item in plans:
        if item.change != "none":
            file = directory / item.path
            with writing(file.parent):
                file.parent.mkdir(parents=True, exist_ok=True)
            replace_text(file, item.text, new_mode=_MODE)


def _checked_place(directory: Path, file: Path) -> Path:
    with writing(file):
        place = Path(os.path.realpath(file))
    if not place.is_relative_to(os.path.realpath(directory)):
        raise FileError(
            f"cannot write {file}: a symbolic link leads to {place}, outside the project",
            hint="Replace the link with a file, or write for another agent.",
            reason="links",
        )
    if place.is_file() and not place.stat().st_mode & 0o222:  # root could, but somebody has said no
        hint = f"Allow it: `chmod u+w {place}`."
        raise FileError(f"cannot write {file}: it is read-only", hint=hint, reason="read-only")
    return place


def _plan(file: Path, agent: str, section: str) -> Planned:
    path = FILES[agent]
    if not file.exists():
        return Planned(path, "create", with_section(_HEADS.get(agent, ""), section, path))
    bom = _BOM if read_bytes(file).startswith(_BOM.encode()) else ""
    before = bom + read_text(file)
    after = with_section(before, section, path)
    if after == before:
        return Planned(path, "none", after)
    return Planned(path, "update" if has_section(before) else "add", after)

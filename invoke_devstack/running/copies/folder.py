"""A copy's folder on this machine: a private one of the user, in which `invoke` acts on the copy.

It holds a tasks.py that says which project folder it belongs to, links to the project's configuration of
Invoke, and a note of when its time is over and on which engine, so that commands which only look find out
without a request. It is for convenience alone: what there is of a copy is known by the engine, and a copy
without its folder is reached with the variable.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from invoke_devstack.planning.copies.copies import Copy
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.running.journal import folder_of as runs_folder_of
from invoke_devstack.settings import copies_folder, is_folder, state_folder

_CONFIGURATIONS = ("invoke.yaml", "invoke.yml", "invoke.json")
_NOTE = "ends"
_TASKS = '''"""Here, `invoke` acts on the copy `{name}` of the stack in {home}, and on nothing else.

Written by `invoke copies.add`, and removed by `invoke copies.end {name}`.
"""

from invoke_devstack.tasks.copy_folder import enter

namespace = enter({home!r}, {name!r})
'''


def find(copy: Copy) -> str:
    """The path of its folder; "" if it has none on this machine."""
    folder = _folder_of(copy)
    return str(folder) if is_folder(folder) else ""


def _folder_of(copy: Copy) -> Path:
    return copies_folder() / copy.project


def due(engine_url: str, now: datetime) -> frozenset[str]:
    """The projects of the copies on that engine whose time is over, by the notes of this user."""
    found = set()
    with suppress(OSError):
        for note in copies_folder().glob(f"*/{_NOTE}"):
            ends, _, url = note.read_text(encoding="utf-8", errors="replace").strip().partition("\n")
            if url == engine_url and 0 < seconds_of(ends) <= now.timestamp():
                found.add(note.parent.name)
    return frozenset(found)


def forget_end(project: str) -> None:
    """Removes the note about a copy that is not there any more."""
    with suppress(OSError):
        (copies_folder() / project / _NOTE).unlink()


def write(copy: Copy, home: Path, engine_url: str) -> None:
    """Writes the folder; `home` is that of the project's tasks.py. That it cannot be written is no reason to
    be without the copy."""
    folder = _folder_of(copy)
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = _TASKS.format(name=copy.name, home=str(home))
        (folder / "tasks.py").write_text(text, encoding="utf-8")
        for name in _CONFIGURATIONS:
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(home / name)  # to one that is not there, too: it may come
        if not copy.expires_at:
            forget_end(copy.project)
        else:
            (folder / _NOTE).write_text(f"{copy.expires_at}\n{engine_url}\n", encoding="utf-8")


def remove(copy: Copy) -> None:
    """Removes the folder, what else is kept for its project (traces), and what commands noted of their runs
    on the copy (`running.journal`)."""
    own: list[Path] = []
    with suppress(OSError):
        own.extend(state_folder().glob(f"*/{copy.project}"))
    for folder in (*own, runs_folder_of(Path(copy.directory), copy.name)):
        with suppress(OSError):
            shutil.rmtree(folder)
    with suppress(OSError):  # there are others
        copies_folder().rmdir()

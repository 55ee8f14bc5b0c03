"""`invoke init`: a first definition, a tasks.py and a Makefile. Never over a file that is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.definition.discover import OVERRIDE_NAMES
from invoke_devstack.errors import SetupError, UsageError
from invoke_devstack.events import Emit
from invoke_devstack.setup.questions import Ask, say
from invoke_devstack.setup.scaffold.application import DOCKERIGNORE, dockerfile, service_files
from invoke_devstack.setup.scaffold.catalogue import CATALOGUE, Server, choose
from invoke_devstack.setup.scaffold.look import Findings, look_at

TASKS = '''\
"""The tasks of this project: `invoke --list` shows them."""

from invoke_devstack import stack

namespace = stack()
'''
MAKEFILE = """\
# `make up`, `make down`, `make logs s=web` and the rest, for whoever thinks in Make.

DEVSTACK := $(shell python3 -m invoke_devstack makefile 2>/dev/null)
$(if $(DEVSTACK),,$(error invoke-devstack is not there: activate its virtual environment first))
include $(DEVSTACK)
"""
INCLUDE = "include $(shell python3 -m invoke_devstack makefile)"
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
_NONE = ("none", "no", "-")


@dataclass(frozen=True, slots=True)
class Written:
    """Paths below the project's directory: those that are new, and those that were there and stay."""

    found: Findings
    written: tuple[str, ...]
    kept: tuple[str, ...]
    servers: tuple[str, ...]


def write_first_files(directory: Path, emit: Emit, ask: Ask | None, services: Sequence[str] = ()) -> Written:
    """Looks at the project in `directory` and writes what `invoke up` needs.

    `services` are names of the catalogue; where it is empty a person is asked through `ask`, else what
    the project's libraries speak to is taken. Raises UsageError for a name that is not in the catalogue
    or where there is nothing to run, SetupError where a file cannot be written.
    """
    found = look_at(directory)
    say(emit, found.words())
    servers = _servers(found, ask, services)
    if not (found.runs_something or found.compose or servers):
        raise UsageError(
            "there is nothing here to run: no Dockerfile, no Flask, Django or FastAPI, no Procfile",
            hint=f"Choose services, `--services redis`: {', '.join(CATALOGUE)}. Or write a Dockerfile first.",
        )
    files = planned_files(found, servers)
    written = tuple(path for path, text in files.items() if _write(directory / path, text))
    kept = tuple(path for path in files if path not in written)
    _tell(emit, found, written, kept)
    return Written(found, written, kept, tuple(server.name for server in servers))


def _servers(found: Findings, ask: Ask | None, services: Sequence[str]) -> tuple[Server, ...]:
    """A definition that is there is taken to have what the application speaks to."""
    proposed = () if found.compose else found.servers
    if services or ask is None:
        return () if tuple(services) == ("none",) else choose(services or proposed)
    default = ", ".join(proposed) or "none"
    answer = ask(f"Which services? Any of {', '.join(CATALOGUE)}, or none [{default}]:").strip().lower()
    if not answer:
        return choose(proposed)
    return () if answer in _NONE else choose([name for name in re.split(r"[\s,]+", answer) if name])


def planned_files(found: Findings, servers: Sequence[Server]) -> dict[str, str]:
    """Path -> text of all that the project should have. Pure."""
    files: dict[str, str] = {}
    if found.runs_something and not found.compose:
        if not found.dockerfile and (found.framework or found.requirements):
            files |= {"Dockerfile": dockerfile(found), ".dockerignore": DOCKERIGNORE}
        if found.dockerfile or "Dockerfile" in files:
            files |= service_files(found, servers)
    files |= {f"services/{server.name}.yaml": server.text for server in servers}
    if servers and found.compose not in ("", "services/"):
        files[_override(found)] = _including(servers)
    variables = _example(files)
    files |= {".env.example": variables} if variables else {}
    return {**files, "tasks.py": TASKS, "Makefile": MAKEFILE}


def _override(found: Findings) -> str:
    """Beside a compose.yaml nobody reads `services/`: its override includes what is added."""
    there = (name for name in OVERRIDE_NAMES if (found.directory / name).is_file())
    return next(there, "compose.override.yaml")


def _including(servers: Sequence[Server]) -> str:
    lines = [
        "# Read with the Compose file beside it, by `invoke up` and `docker compose` alike.",
        "",
    ]
    return "\n".join([*lines, "include:", *(f"  - services/{server.name}.yaml" for server in servers), ""])


def _example(files: dict[str, str]) -> str:
    """The variables that the files take, with their defaults, each in a comment."""
    found: dict[str, str] = {}
    for path, text in files.items():
        if path.startswith("services/"):
            found |= dict(_VARIABLE.findall(text))
    if not found:
        return ""
    lines = ["# Variables that the files in services/ take. Set one in .env to have another value.", ""]
    return "\n".join([*lines, *(f"# {name}={value}" for name, value in sorted(found.items())), ""])


def _write(file: Path, text: str) -> bool:
    """Whether the file is new."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        hint = "Check who owns the folder, and whether there is room."
        raise SetupError(f"cannot write {file}: {error.strerror}", hint=hint) from None
    return True


def _tell(emit: Emit, found: Findings, written: Sequence[str], kept: Sequence[str]) -> None:
    if kept:
        say(emit, f"Kept what is there: {', '.join(kept)}.")
    if "tasks.py" in kept and "invoke_devstack" not in _text_of(found, "tasks.py"):
        say(emit, "Add to tasks.py: `from invoke_devstack import stack` and `namespace = stack()`.")
    if "Makefile" in kept and "invoke_devstack" not in _text_of(found, "Makefile"):
        say(emit, f"For `make up` and the rest, add to the Makefile: {INCLUDE}")
    for name in OVERRIDE_NAMES:
        added = [path for path in written if path.startswith("services/")]
        if name in kept and added:
            say(emit, f"Add to {name}: include: [{', '.join(added)}]", level="warning")
    if found.runs_something and not (found.dockerfile or found.framework or found.requirements):
        say(emit, "Nothing here says how to build the application: write a Dockerfile, then `init` again.")
    if found.framework and not found.entry:
        say(emit, "No application was found in the code: check the command in services/web.yaml.")


def _text_of(found: Findings, name: str) -> str:
    return (found.directory / name).read_text("utf-8", "replace")

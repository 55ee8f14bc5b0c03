"""`invoke init`: writes a first definition, a tasks.py and a Makefile. Existing files are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from invoke_devstack.definition.reading.discover import OVERRIDE_NAMES
from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.events import Emit
from invoke_devstack.local_files.replacing import replace_text, with_line_ends_of
from invoke_devstack.setup.reporting import Ask, say
from invoke_devstack.setup.scaffold.application import application_files
from invoke_devstack.setup.scaffold.catalogue import CATALOGUE, Server, choose
from invoke_devstack.setup.scaffold.files import finish, write_together
from invoke_devstack.setup.scaffold.look import Findings, look_at
from invoke_devstack.setup.scaffold.ports import with_own_ports

TASKS = '''\
"""The tasks of this project: `invoke --list` shows them."""

from invoke_devstack import stack

namespace = stack()
'''
MAKEFILE = """\
# `make up`, `make down`, `make logs s=web` and the rest, for those who prefer Make.

DEVSTACK := $(shell python3 -m invoke_devstack makefile 2>/dev/null)
$(if $(DEVSTACK),,$(error invoke-devstack is not installed: activate its virtual environment first))
include $(DEVSTACK)
"""
INCLUDE = "include $(shell python3 -m invoke_devstack makefile)"
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
_ENV_LINE = re.compile(r"^/?(\.env|\.env\*|\.env\.\*|\*\.env)\s*$", re.MULTILINE)
_NONE = ("none", "no", "-")


@dataclass(frozen=True, slots=True)
class Written:
    """Paths in the project's directory: new files, and existing ones that were kept."""

    found: Findings
    written: tuple[str, ...]
    kept: tuple[str, ...]
    servers: tuple[str, ...]


def write_first_files(directory: Path, emit: Emit, ask: Ask | None, services: Sequence[str] = ()) -> Written:
    """Looks at the project in `directory` and writes what `invoke up` needs.

    `services` are names of the catalogue. If it is empty, `ask` asks for them; without `ask`, the servers
    that the project's libraries connect to are taken. Raises UsageError for an unknown name or if there is
    nothing to run, FileError if a file cannot be written: then none is.
    """
    finished = finish(directory)
    if finished:
        say(emit, f"Finished an `init` that was stopped: wrote {', '.join(finished)}.")
    found = look_at(directory)
    say(emit, found.words())
    if found.left_out:
        say(emit, f"Left out, because nothing says how they start: {', '.join(found.left_out)}.")
    found = _chosen_apps(found, ask)
    servers = _servers(found, ask, services)
    if not (found.runs_something or found.compose or servers or _included(found)):
        raise _nothing(found)
    files = planned_files(found, servers)
    written = (*finished, *write_together(directory, files))
    kept = tuple(path for path in files if path not in (*written, ".gitignore"))
    if ".gitignore" not in written and _ignore_env(directory / ".gitignore"):
        say(emit, "Added .env to .gitignore: it is for what only this machine has, such as passwords.")
    _tell(emit, found, written, kept)
    return Written(found, written, kept, tuple(server.name for server in servers))


def _nothing(found: Findings) -> UsageError:
    seen = f" ({', '.join(found.markers)} does not say how it starts)" if found.markers else ""
    return UsageError(
        f"nothing to run here: no Dockerfile, no Procfile, and no application of a known kind{seen}",
        hint=f"Write a Dockerfile, or add one of {', '.join(CATALOGUE)}: `invoke init --services redis`",
    )


def _chosen_apps(found: Findings, ask: Ask | None) -> Findings:
    """The applications of a project with several that get a service: all, if nobody can be asked. Raises
    UsageError for an unknown one."""
    if ask is None or len(found.apps) < 2:
        return found
    names = [app.name for app in found.apps]
    answer = ask(f"Which applications? Any of {', '.join(names)} [all]:").strip().lower()
    wanted = [name for name in re.split(r"[\s,]+", answer) if name and answer != "all"]
    for name in wanted:
        if name not in names:
            hint = did_you_mean(name, names, f"Applications: {', '.join(names)}.")
            raise UsageError(f"no application `{name}` here", hint=hint)
    return replace(found, apps=tuple(app for app in found.apps if not wanted or app.name in wanted))


def _servers(found: Findings, ask: Ask | None, services: Sequence[str]) -> tuple[Server, ...]:
    """An existing definition is assumed to have the servers already. Without an application that can be
    started, nobody needs them."""
    proposed = found.servers if found.runs_something and not found.compose else ()
    if services or ask is None:
        return () if tuple(services) == ("none",) else choose(services or proposed)
    default = ", ".join(proposed) or "none"
    answer = ask(f"Which services? Any of {', '.join(CATALOGUE)}, or none [{default}]:").strip().lower()
    if not answer:
        return choose(proposed)
    return () if answer in _NONE else choose([name for name in re.split(r"[\s,]+", answer) if name])


def planned_files(found: Findings, servers: Sequence[Server]) -> dict[str, str]:
    """Path -> text of every file that the project should have. Pure."""
    files: dict[str, str] = {}
    if found.runs_something and not found.compose:
        files |= application_files(found, servers)
    files |= {f"services/{server.name}.yaml": server.text for server in servers}
    files = with_own_ports(files)
    if _included(found):
        files["compose.yaml"] = _including([*_included(found), *files])
    elif servers and found.compose not in ("", "services/"):
        files[_override(found)] = _including([f"services/{server.name}.yaml" for server in servers])
    variables = _example(files)
    files |= {".env.example": variables} if variables else {}
    return {**files, ".gitignore": ".env\n", "tasks.py": TASKS, "Makefile": MAKEFILE}


def _override(found: Findings) -> str:
    """If there is a compose.yaml, `services/` is not read: its override includes the new files."""
    there = (name for name in OVERRIDE_NAMES if (found.directory / name).is_file())
    return next(there, "compose.override.yaml")


def _included(found: Findings) -> tuple[str, ...]:
    """The Compose files of a devcontainer.json, if the project has no other."""
    source = found.devcontainer
    return source.compose if source and not (found.compose or found.runs_something) else ()


def _including(files: Sequence[str]) -> str:
    lines = [
        "# `invoke up` and `docker compose` read these files too.",
        "",
    ]
    return "\n".join([*lines, "include:", *(f"  - {file}" for file in files), ""])


def _example(files: dict[str, str]) -> str:
    """The variables of the files with their defaults, as comments."""
    found: dict[str, str] = {}
    for path, text in files.items():
        if path.startswith("services/"):
            found |= dict(_VARIABLE.findall(text))
    if not found:
        return ""
    lines = ["# Variables of the files in services/. To change one, set it in .env.", ""]
    return "\n".join([*lines, *(f"# {name}={value}" for name, value in sorted(found.items())), ""])


def _ignore_env(file: Path) -> bool:
    """Adds `.env`, unless the file names it or is not text. Whether it did."""
    if not file.is_file():  # a pipe would be waited for
        return False
    try:
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return False
    if _ENV_LINE.search(text):
        return False
    added = text if text.endswith("\n") or not text else text + with_line_ends_of(text, "\n")
    replace_text(file, added + with_line_ends_of(text, ".env\n"))
    return True


def _tell(emit: Emit, found: Findings, written: Sequence[str], kept: Sequence[str]) -> None:
    if kept:
        say(emit, f"Kept existing files: {', '.join(kept)}.")
    if "tasks.py" in kept and "invoke_devstack" not in _text_of(found, "tasks.py"):
        say(emit, "Add to tasks.py: `from invoke_devstack import stack` and `namespace = stack()`.")
    if "Makefile" in kept and "invoke_devstack" not in _text_of(found, "Makefile"):
        say(emit, f"For `make up` and other tasks, add to the Makefile: {INCLUDE}")
    for name in OVERRIDE_NAMES:
        added = [path for path in written if path.startswith("services/")]
        if name in kept and added:
            say(emit, f"Add to {name}: include: [{', '.join(added)}]", level="warning")
    _tell_doubts(emit, found)


def _tell_doubts(emit: Emit, found: Findings) -> None:
    """What was not understood, and what a person should check."""
    understood = found.runs_something and (found.dockerfile or found.recipe or not found.processes)
    if not understood and not found.compose and (found.markers or found.processes):
        seen = ", ".join([*found.markers, *(["Procfile"] if found.processes else [])])
        text = f"It is not clear how to build and start the application ({seen}): it got no service."
        say(emit, f"{text} Write a Dockerfile, then run `invoke init` again.", level="warning")
    for app in found.apps or (found,):
        if app.recipe and app.recipe.unsure and not (app.dockerfile or found.compose or app.processes):
            say(emit, f"{app.recipe.unsure}: check `command` in services/{app.name}.yaml.", level="warning")


def _text_of(found: Findings, name: str) -> str:
    return (found.directory / name).read_text("utf-8", "replace")

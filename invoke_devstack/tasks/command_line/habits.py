"""Flags of Docker Compose that a task does not declare, and what each is here: nothing, because it asks for
what is done anyway; other words; a variable; or refused, with what to do instead.

docs/reference/compose.md lists them with those that are the same.
"""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from invoke_devstack.errors import UsageError
from invoke_devstack.records import record


@record
class Habit:
    """`words` replace it; of one that is refused, they are what to do instead (`{value}` is its value), of
    one that is accepted, what `=false` means. Its value `default` means what is done anyway."""

    kind: Literal["accepted", "becomes", "sets", "refused"]
    words: str = ""
    takes_value: bool = False
    default: str = ""


EMPTY_HINT = "Is a variable empty? Else leave the flag out."

ACCEPTED = Habit("accepted")
ACCEPTED_WITH_VALUE = Habit("accepted", takes_value=True)


def _becomes(words: str, *, value: bool = False) -> Habit:
    return Habit("becomes", words, value)


def _refused(hint: str = "", *, value: bool = False) -> Habit:
    return Habit("refused", hint, value)


_ARTIFACT = "oci://"
_NO_COLOR = Habit("sets", "NO_COLOR=1")
_JSON = Habit("becomes", "--json", takes_value=True, default="table")
_NOT_HERE = _refused()
_ATTESTATION = Habit(
    "refused", "Docker has it, for images that are pushed: `docker buildx build`.", True, default="false"
)

EVERYWHERE: Mapping[str, Habit] = {
    "--file": Habit("sets", "COMPOSE_FILE", takes_value=True),
    "--project-name": Habit("sets", "COMPOSE_PROJECT_NAME", takes_value=True),
    "--profile": Habit("sets", "COMPOSE_PROFILES", takes_value=True),
    "--env-file": Habit("sets", "COMPOSE_ENV_FILES", takes_value=True),
    "--project-directory": Habit("sets", "INVOKE_DEVSTACK_PROJECT_DIRECTORY", takes_value=True),
    "--ansi": Habit("sets", "NO_COLOR=1", takes_value=True),
    "--progress": ACCEPTED_WITH_VALUE,
    "--parallel": ACCEPTED_WITH_VALUE,
    "--compatibility": _refused("Container names have dashes."),
    "--all-resources": _refused("Only what services use is created."),
    "--dry-run": _becomes("--dry"),
}
"""Flags of `docker compose` itself, here before a task or after it."""

_QUIET = {"-q, --quiet": ACCEPTED}
_QUIET_PULL = {"--quiet-pull": ACCEPTED, "--quiet-build": ACCEPTED}
_OF_TASKS: Mapping[str, Mapping[str, Habit]] = {
    "build": {
        **_QUIET,
        "--builder": Habit("sets", "BUILDX_BUILDER", takes_value=True),
        "--check": _refused("Docker has it: `docker build --check FOLDER`."),
        "-m, --memory": _refused("BuildKit has no such limit.", value=True),
        "--print": _refused("`invoke build --explain` shows the docker command."),
        "--provenance": _ATTESTATION,
        "--sbom": _ATTESTATION,
    },
    "attach": {"--sig-proxy": Habit("accepted", "--no-sig-proxy")},
    "commit": {"-p, --pause": Habit("accepted", "--no-pause")},
    "volumes": {"--format": _JSON},
    "publish": {
        "--app": _refused("Images are pushed under their own names."),
        "--resolve-image-digests": _refused("Write the digest in the file: `image: NAME@sha256:…`."),
    },
    "create": {"--quiet-pull": ACCEPTED, "-y, --yes": ACCEPTED},
    "config": {
        "--lock-image-digests": _NOT_HERE,
        "--no-consistency": _NOT_HERE,
        "--no-env-resolution": _NOT_HERE,
        "--no-interpolate": _NOT_HERE,
        "--no-normalize": _NOT_HERE,
        "--no-path-resolution": _NOT_HERE,
        "--resolve-image-digests": _NOT_HERE,
    },
    "down": {"--remove-orphans": ACCEPTED},
    "images": {"--format": _JSON},
    "kill": {"--remove-orphans": _refused("`invoke up --remove-orphans` removes them.")},
    "logs": {"--no-color": _NO_COLOR},
    "ps": {
        "--format": _JSON,
        "--no-trunc": ACCEPTED,
        "--orphans": ACCEPTED,
    },
    "pull": _QUIET,
    "push": _QUIET,
    "rm": {"-f, --force": _becomes("--yes")},
    "run": {
        **_QUIET,
        **_QUIET_PULL,
        "--no-TTY": _becomes("--no-tty"),
        "--rm": ACCEPTED,
    },
    "stats": {"--format": _JSON, "--no-trunc": ACCEPTED},
    "ls": {
        "-a, --all": ACCEPTED,
        "--format": _JSON,
    },
    "up": {
        **_QUIET_PULL,
        "--attach-dependencies": ACCEPTED,
        "--menu": ACCEPTED,
        "--no-color": _NO_COLOR,
        "--wait": _becomes("--detach"),
        "-w, --watch": _becomes("--attach"),
        "-y, --yes": ACCEPTED,
    },
    "version": {"-f, --format": Habit("becomes", "--json", takes_value=True, default="pretty")},
    "watch": {
        "--no-up": ACCEPTED,
        "--prune": ACCEPTED,
        "--quiet": ACCEPTED,
    },
}

_BOTH = "`docker compose {}` works on the same stack."
COMMANDS: Mapping[str, str] = {
    "bridge": _BOTH.format("bridge"),
    "help": "`invoke --help TASK` shows a task, `invoke --list` all.",
}
"""Commands of Compose without a task -> what to do instead."""


def habits_of(task: str) -> dict[str, Habit]:
    """Flag -> what it is, for a task by its name: each long and short form, also those of all tasks."""
    rows = {**EVERYWHERE, **_OF_TASKS.get(task, {})}
    return {name: habit for names, habit in rows.items() for name in names.split(", ")}


def meant_by_s(task: str, following: str, *, forced: bool = False) -> str:
    """What `-s` is for Compose where `following`, the next word, shows that no service is meant; else "".
    It is `--service` here, but a signal (`kill -s HUP`) and a flag (`rm -s -f`) are no services. After `-f`
    (`forced`), as only users of Compose write it, `rm -f -s web` means `--stop` too."""
    name = following.removeprefix("SIG")
    if task == "kill" and (following.isdigit() or f"SIG{name}" in signal.Signals.__members__):
        return "--signal"
    return "--stop" if task == "rm" and (forced or following.startswith("-")) else ""


_before: dict[str, str | None] = {}
"""Variable that flags have set in this process -> what it was before."""


_selecting: list[str] = []

SELECTING = ("--file", "--project-name", "--profile", "--env-file", "--project-directory")
"""Flags that say which stack is meant: a hint without them would be about another one."""


def apply(variables: Mapping[str, str], selecting: Sequence[str] = ()) -> None:
    """Sets the variables that flags stand for, instead of those of an earlier command line. `selecting` are
    the flags with their values that say which stack is meant."""
    _selecting[:] = selecting
    for name, value in _before.items():
        os.environ.pop(name, None)
        os.environ.update({} if value is None else {name: value})
    _before.clear()
    _before.update((name, os.environ.get(name)) for name in variables)
    os.environ.update(variables)


def selecting_words() -> tuple[str, ...]:
    """The flags of this command line, with their values, that say which stack is meant."""
    return tuple(_selecting)


def is_given(variable: str) -> bool:
    """Whether a flag has set it; then it counts more than a setting."""
    return variable in _before


class Habits:
    """The flags of one command line that are read here. `variables` are those that they set."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.selecting: list[str] = []

    def read(self, task: str, flag: str, value: str, habit: Habit) -> Iterator[str]:
        """The words instead of it. Raises UsageError for one that is refused."""
        if habit.takes_value and not value.strip():
            raise UsageError(f"empty value for `{flag}`", hint=EMPTY_HINT)
        if value == "false" and not habit.takes_value:
            yield from [habit.words] if habit.kind == "accepted" and habit.words else ()
            return
        if habit.default and value == habit.default:
            return
        if habit.kind == "refused" or (habit.words == "--json" and value != "json"):
            raise _refusal(task, flag, value, habit)
        if habit.kind == "becomes":
            yield habit.words
        elif habit.kind == "sets":
            self.selecting += [flag, value] if flag in SELECTING else []
            self._set(flag, value, habit.words)

    def _set(self, flag: str, value: str, variable: str) -> None:
        name, _, fixed = variable.partition("=")
        if flag == "--file" and value.startswith(_ARTIFACT):
            value = self._fetched(value.removeprefix(_ARTIFACT))
        elif flag in ("--file", "--env-file"):
            value = str(_existing(flag, value))
        if flag == "--ansi":
            self._set_colour(value)
        elif flag == "--project-directory":
            self.variables[name] = str(_existing_folder(flag, value))
        elif flag in ("--project-name", "--builder"):
            self.variables[name] = value
        else:
            self._add(name, fixed or value)

    def _fetched(self, reference: str) -> str:
        """The Compose file of an artifact. Its project has the name of this directory, as for Compose, unless
        it says another."""
        from invoke_devstack.definition.reading.discover import normalised_name
        from invoke_devstack.running.images.publish import fetch, names_its_project

        file = fetch(reference)
        if "COMPOSE_PROJECT_NAME" not in os.environ and not names_its_project(file):
            self.variables.setdefault("COMPOSE_PROJECT_NAME", normalised_name(Path.cwd().name))
        return str(file)

    def _set_colour(self, ansi: str) -> None:
        if ansi not in ("auto", "never", "always"):
            raise UsageError(f"invalid value `{ansi}` for `--ansi`", hint="Use one of: auto, never, always.")
        if ansi != "auto":
            self.variables["NO_COLOR" if ansi == "never" else "FORCE_COLOR"] = "1"

    def _add(self, name: str, value: str) -> None:
        separator = os.pathsep if name == "COMPOSE_FILE" else ","
        before = self.variables.get(name)
        self.variables[name] = separator.join([before, value]) if before and name != "NO_COLOR" else value
        if name == "COMPOSE_FILE":
            self.variables["COMPOSE_PATH_SEPARATOR"] = separator


def _existing(flag: str, value: str) -> Path:
    path = Path(value).absolute()
    if not path.is_file():
        raise UsageError(f"no such file for `{flag}`: {value}")
    return path


def _existing_folder(flag: str, value: str) -> Path:
    path = Path(value).absolute()
    if not path.is_dir():
        raise UsageError(f"no such directory for `{flag}`: {value}")
    return path


def _refusal(task: str, flag: str, value: str, habit: Habit) -> UsageError:
    where = f"`{task}` has no `{flag}`" if task else f"`{flag}` is not supported"
    words = habit.words if habit.kind == "refused" else "`--json` prints JSON."
    hint = words.format(value=shlex.quote(value)) if "{value}" in words else words
    return UsageError(where, hint=hint or f"`docker compose {task}` has it, and works on the same stack.")

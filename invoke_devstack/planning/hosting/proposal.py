"""The `x-devstack.host` block that a service without one could have, read from its Dockerfile."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_COMMAND = re.compile(r"(?P<key>CMD|ENTRYPOINT)\s+(?P<value>.*)", re.IGNORECASE | re.DOTALL)
_UNKNOWN = "PROGRAM ARGUMENT…"


def proposed_block(definition: Definition, service: Service, instructions: Iterable[str]) -> tuple[str, ...]:
    """The lines to add below the service. `instructions` are those of its Dockerfile."""
    words = command_of(service, instructions)
    lines = ["x-devstack:", "  host:", f"    command: {_yaml(words) if words else _UNKNOWN}"]
    folder = build_folder(service)
    if folder:
        lines.append(f"    working_dir: {_relative(folder, definition.working_dir)}")
    return tuple(lines)


def build_folder(service: Service) -> str:
    """The folder that the service's image is built from; "" for an image, or a remote context."""
    context = (service.build.context if service.build else "") or ""
    return context if context.startswith("/") or context[1:2] == ":" else ""


def command_of(service: Service, instructions: Iterable[str]) -> tuple[str, ...]:
    """What the container runs: the service's own words, else those of the Dockerfile's last stage."""
    entrypoint, command = _in_dockerfile(instructions)
    if service.entrypoint is not None:
        entrypoint, command = service.entrypoint, ()
    if service.command is not None:
        command = service.command
    return (*entrypoint, *command)


def _in_dockerfile(instructions: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in instructions:
        match = _COMMAND.fullmatch(text)
        if match:
            found[match["key"].upper()] = _words(match["value"].strip())
        elif text.upper().startswith("FROM "):
            found.clear()
    return found.get("ENTRYPOINT", ()), found.get("CMD", ())


def _words(value: str) -> tuple[str, ...]:
    """The exec form is a JSON list; everything else is for a shell."""
    try:
        words = json.loads(value)
    except ValueError:
        return ("sh", "-c", value)
    return tuple(map(str, words)) if isinstance(words, list) else ("sh", "-c", value)


def _yaml(words: tuple[str, ...]) -> str:
    """A plain text where that means the same, else a list."""
    text = shlex.join(words)
    plain = (
        re.fullmatch(r"[\w./=:@%+, -]+", text) and ": " not in text and not text.startswith(("-", "@", "%"))
    )
    return text if plain else json.dumps(list(words), ensure_ascii=False)


def _relative(folder: str, base: Path) -> str:
    try:
        return f"./{Path(folder).relative_to(base)}"
    except ValueError:
        return folder

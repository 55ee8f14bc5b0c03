"""What a devcontainer.json says about a project: https://containers.dev/implementors/json_reference."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke_devstack.setup.scaffold.recipe import read

_PLACES = (".devcontainer/devcontainer.json", ".devcontainer.json")
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA = re.compile(r",(\s*[}\]])")


@dataclass(frozen=True, slots=True)
class Devcontainer:
    """Paths are relative to the project's directory. `command` is what it runs after its creation."""

    image: str = ""
    dockerfile: str = ""
    context: str = "."
    compose: tuple[str, ...] = ()
    port: int = 0


def devcontainer(directory: Path) -> Devcontainer | None:
    """None if there is none, or it cannot be read."""
    place = next((place for place in _PLACES if (directory / place).is_file()), "")
    content = _jsonc(read(directory / place)) if place else {}
    if not content:
        return None
    folder = Path(place).parent
    build = content.get("build") if isinstance(content.get("build"), dict) else {}
    file = str((build or {}).get("dockerfile") or content.get("dockerFile") or "")
    compose = content.get("dockerComposeFile") or ()
    names = [compose] if isinstance(compose, str) else list(compose)
    ports = [port for port in content.get("forwardPorts") or () if isinstance(port, int)]
    return Devcontainer(
        str(content.get("image") or ""),
        _inside(folder / file) if file else "",
        _inside(folder / str((build or {}).get("context") or content.get("context") or ".")),
        tuple(_inside(folder / str(name)) for name in names),
        ports[0] if ports else 0,
    )


def _inside(path: Path) -> str:
    """Without `..` in the middle."""
    import os.path

    return Path(os.path.normpath(path)).as_posix()


def _jsonc(text: str) -> Mapping[str, Any]:
    """JSON with comments and last commas; empty if it is something else."""
    plain = _LAST_COMMA.sub(r"\1", _COMMENT.sub(lambda found: found[1] or "", text))
    with suppress(ValueError):
        content = json.loads(plain or "{}")
        return content if isinstance(content, dict) else {}
    return {}

"""Asks the real Docker Compose, and ours, what they read out of a set of files."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any

from invoke_devstack.definition import config_hash, load, to_config
from invoke_devstack.errors import DefinitionError, UsageError

PLUGIN_FOLDERS = (
    "~/.docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)


@cache
def compose_command() -> str | None:
    """The Compose plugin, run by itself, which is quicker than through `docker`."""
    found = [Path(folder).expanduser() / "docker-compose" for folder in PLUGIN_FOLDERS]
    return next((str(path) for path in found if path.is_file()), shutil.which("docker-compose"))


def write(files: Mapping[str, str], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


Answer = tuple[dict[str, Any] | None, dict[str, str], str]
"""The configuration, the hashes by service, and the error where there is no configuration."""


def ask_compose(folder: Path, environment: Mapping[str, str], *, hashes: bool = True) -> Answer:
    """What Compose reads where it is run in `folder`."""
    command = compose_command()
    assert command is not None

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *words], cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=30
        )

    config = run("config", "--format", "json")
    if config.returncode:
        return None, {}, config.stderr.strip()
    lines = run("config", "--hash", "*").stdout.splitlines() if hashes else []
    return json.loads(config.stdout), dict(line.split() for line in lines), ""


def ask_ours(folder: Path, environment: Mapping[str, str]) -> Answer:
    """What ours reads there."""
    try:
        with chdir(folder):
            definition = load(folder, environment=environment)
    except (DefinitionError, UsageError) as error:
        return None, {}, f"{error} [{error.position}]"
    hashes = {name: config_hash(definition, name) for name in definition.services}
    return json.loads(json.dumps(to_config(definition, show_secrets=True))), hashes, ""

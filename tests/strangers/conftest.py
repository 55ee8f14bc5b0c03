"""The machines that were chosen, each with a project in the folder of its user."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import Project, client, find_free_port
from tests.functional.package.conftest import Built, built
from tests.strangers.machine import CHOSEN, RELEASES, Machine, missing

__all__ = ["built", "client"]  # fixtures


@dataclass(frozen=True)
class Stranger:
    """A machine, the project on it, and the wheel in the home of its user."""

    machine: Machine
    project: Project
    wheel: Path

    def words(self, *command: str, outsider: bool = False, terminal: bool = False) -> list[str]:
        """The words that run a command in the project, in its virtual environment."""
        folder = self.project.directory
        path = f"{folder}/.venv/bin:/usr/local/bin:/usr/bin:/bin"
        variables = {"COMPOSE_PROJECT_NAME": self.project.name, **self.project.variables, "PATH": path}
        return self.machine.words(
            *command, folder=folder, variables=variables, outsider=outsider, terminal=terminal
        )


@pytest.fixture(scope="module", params=RELEASES)
def stranger(request: pytest.FixtureRequest, client: docker.DockerClient, built: Built) -> Iterator[Stranger]:
    release = str(request.param)
    if release not in os.environ.get(CHOSEN, "").split(","):
        pytest.skip(f"minutes for each release: invoke test.strangers --release {release}")
    if why := missing():
        pytest.skip(f"no stranger's machine can be made here: {why}")
    variables = {name: str(find_free_port()) for name in ("WEB_PORT", "REDIS_PORT")}
    variables["INVOKE_DEVSTACK_WAIT_TIMEOUT"] = "600"  # for machines that do much else
    with Machine(release) as machine:
        wheel = Path(shutil.copy(built.wheel, machine.folder))
        project = Project(machine.folder / "hello", f"t-stranger-{secrets.token_hex(4)}", client, variables)
        yield Stranger(machine, project, wheel)
        project.remove_everything()

"""docs/getting-started.md as a stranger follows it: no clone, the built wheel, each command in order.

Afterwards, what else a command line uses of an installed package.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import ROOT, Project, find_free_port
from tests.functional.dashboard.served import Served
from tests.functional.package.conftest import Built
from tests.functional.package.page import PATIENCE, Shell, follow

PAGE = ROOT / "docs/getting-started.md"


@pytest.fixture(scope="module")
def stranger(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The folder of the page, on ports of its own; nothing of this repository is on its PATH."""
    ports = {name: str(find_free_port()) for name in ("WEB_PORT", "REDIS_PORT")}
    home = tmp_path_factory.mktemp("stranger")
    project = Project(home / "hello", f"t-stranger-{secrets.token_hex(4)}", client, ports)
    yield project
    project.remove_everything()


def environment(stranger: Project) -> dict[str, str]:
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if ".venv" not in part)
    given = {**stranger.environment, "PATH": path}
    given.pop("VIRTUAL_ENV", None)
    given.pop("PYTHONPATH", None)
    return given


@pytest.mark.timeout(900)
def test_a_stranger_gets_to_the_end_of_the_page(stranger: Project, built: Built, constraints: Path) -> None:
    folder = stranger.directory
    here = {
        "'invoke-devstack[dashboard]'": f"--quiet --constraint {constraints} '{built.wheel}[dashboard]'",
        "localhost:8000": f"localhost:{stranger.variables['WEB_PORT']}",
    }
    shell = Shell(folder.parent, environment(stranger))

    def write(name: str, text: str) -> None:
        (folder / name).write_text(text)

    ran = follow(PAGE, shell, write, here)
    assert len(ran) > 12
    assert stranger.containers() == []
    assert {volume.name for volume in stranger.volumes()} == {f"{stranger.name}_redis-data"}


def in_venv(stranger: Project, *words: str) -> str:
    """Runs a command of the stranger's environment; its output."""
    done = subprocess.run(
        [str(stranger.directory / ".venv/bin" / words[0]), *words[1:]],
        cwd=stranger.directory,
        env=environment(stranger),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_is_the_installed_one(stranger: Project) -> None:
    at = in_venv(stranger, "python", "-c", "import invoke_devstack; print(invoke_devstack.__file__)")
    assert Path(at.strip()).is_relative_to(stranger.directory / ".venv")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed(stranger: Project, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    script = in_venv(stranger, "python", "-m", "invoke_devstack", "completion", shell)
    assert "invoke" in script
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_make_finds_the_targets_of_the_package(stranger: Project) -> None:
    path = f"{stranger.directory}/.venv/bin{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["make", "-n", "logs", "s=web"],
        cwd=stranger.directory,
        env={**environment(stranger), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "invoke logs" in done.stdout


def test_the_dashboard_has_its_pages(stranger: Project) -> None:
    process = subprocess.Popen(
        [str(stranger.directory / ".venv/bin/invoke"), "dashboard", "--no-open"],
        cwd=stranger.directory,
        env=environment(stranger),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    served = Served(process)
    try:
        _, _, page = served.raw("GET", "/", served.key())
        files = re.findall(r'(?:src|href)="(/?[\w./-]+\.(?:js|css|svg))"', page)
        assert len(files) > 2
        answers = {file: served.raw("GET", f"/{file.lstrip('/')}", served.key())[0] for file in files}
        assert set(answers.values()) == {200}, answers
    finally:
        assert served.end() in (0, 130)

"""Projects in folders of their own, the `invoke` command as a user runs it, and an engine left as it was."""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tarfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest
from docker.errors import DockerException

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
BUSYBOX = "devstack-test/busybox:1"
_OWN_VARIABLES = ("COMPOSE_", "INVOKE_", "DEVSTACK_", "NO_COLOR", "FORCE_COLOR", "DOCKER_CONTEXT")
_CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TASKS = "from invoke_devstack import stack\n\nnamespace = stack()\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is in this folder runs on a real engine."""
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.engine)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    def json(self) -> Any:
        return json.loads(self.out)

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        events = [json.loads(line) for line in self.out.splitlines()]
        return [event for event in events if event["type"] == kind or not kind]


@dataclass
class Project:
    """A folder with a tasks.py and Compose files, under a project name of its own."""

    directory: Path
    name: str
    client: docker.DockerClient
    variables: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> Path:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))
        return file

    def compose(self, text: str) -> None:
        """Writes compose.yaml; `IMAGE` in it is a small image with a shell."""
        self.write("compose.yaml", textwrap.dedent(text).replace("IMAGE", f'"{BUSYBOX}"'))

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_VARIABLES)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        own = {"COMPOSE_PROJECT_NAME": self.name, "TERM": "xterm-256color", "PATH": path}
        return {**kept, **own, **self.variables}

    def invoke(self, *words: str, typed: str | None = None, timeout: float = 90.0) -> Ended:
        """Runs `invoke` with these words, without a terminal."""
        return self.run(invoke_command(), *words, typed=typed, timeout=timeout)

    def docker(self, *words: str, timeout: float = 90.0) -> Ended:
        return self.run("docker", *words, timeout=timeout)

    def run(self, *words: str, typed: str | None = None, timeout: float = 90.0) -> Ended:
        began = time.monotonic()
        done = subprocess.run(
            words,
            cwd=self.directory,
            env=self.environment,
            input=typed,
            stdin=subprocess.DEVNULL if typed is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Starts `invoke` with these words and comes back at once."""
        return subprocess.Popen(
            (invoke_command(), *words),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def containers(self) -> list[Any]:
        """All of the project's containers, running or not."""
        return self.client.containers.list(all=True, filters=self._mine())

    def networks(self) -> list[Any]:
        return self.client.networks.list(filters=self._mine())

    def volumes(self) -> list[Any]:
        return self.client.volumes.list(filters=self._mine())

    def container(self, service: str) -> Any:
        label = f"com.docker.compose.service={service}"
        (found,) = self.client.containers.list(all=True, filters={"label": [*self._mine()["label"], label]})
        return found

    def remove_everything(self) -> None:
        """Whatever the tests left of this project, found by label."""
        for container in self.containers():
            container.remove(force=True, v=True)
        for network in self.networks():
            network.remove()
        for volume in self.volumes():
            volume.remove(force=True)
        for image in self.client.images.list(filters={"reference": f"{self.name}-*"}):
            self.client.images.remove(image.id, force=True)

    def _mine(self) -> dict[str, list[str]]:
        return {"label": [f"com.docker.compose.project={self.name}"]}


def invoke_command() -> str:
    """The `invoke` of the environment that runs the tests."""
    return str(Path(sys.executable).with_name("invoke"))


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine; without one these tests cannot run, and say so."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        pytest.skip(f"no engine answers: {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def busybox(client: docker.DockerClient) -> str:
    """A small image with a shell, made from the busybox of this machine where it is not there yet."""
    if not client.images.list(name=BUSYBOX):
        program = shutil.which("busybox")
        if program is None:
            pytest.skip("no busybox here: install the package busybox-static")
        repository, tag = BUSYBOX.split(":")
        changes = ["ENTRYPOINT []", 'CMD ["sh"]']
        client.api.import_image_from_data(
            _root_of(Path(program)), repository=repository, tag=tag, changes=changes
        )
    return BUSYBOX


def _root_of(program: Path) -> bytes:
    """A root file system (tar) with busybox and a link for each of its commands."""
    names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("bin", "tmp", "etc", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        archive.add(program.resolve(), "bin/busybox")
        for name in names:
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "/bin/busybox"
                archive.addfile(entry)
    return buffer.getvalue()


@pytest.fixture
def new_project(
    tmp_path: Path, client: docker.DockerClient, busybox: str
) -> Iterator[Callable[..., Project]]:
    """Makes projects, each with its own name and folder; all of them are removed afterwards."""
    made: list[Project] = []

    def make(compose: str = "", *, tasks: str = TASKS, variables: Mapping[str, str] | None = None) -> Project:
        name = f"t-func-{secrets.token_hex(4)}"
        directory = tmp_path / name
        directory.mkdir()
        project = Project(directory, name, client, dict(variables or {}))
        made.append(project)
        project.write("tasks.py", tasks)
        if compose:
            project.compose(compose)
        return project

    yield make
    for project in made:
        project.remove_everything()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def project(new_project: Callable[..., Project]) -> Project:
    """An empty project: a tasks.py and no definition."""
    return new_project()


@pytest.fixture
def free_port() -> int:
    return find_free_port()


def find_free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

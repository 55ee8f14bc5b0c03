"""Projects in folders of their own, the `invoke` command as a user runs it, and an engine left as it was."""

from __future__ import annotations

import itertools
import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest
from coverage import Coverage
from docker.errors import APIError, DockerException, NotFound

from invoke_devstack.planning import labels
from invoke_devstack.planning.plans import snapshots
from tests.busybox import busybox_root
from tests.schemas import check_output
from tests.terminal import Terminal

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
BUSYBOX = "devstack-test/busybox:1"
PATIENCE = 60.0
"""Seconds for what takes a moment, on a machine that runs other tests at the same time."""
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
    measured: bool = False  # coverage is measured in its commands too, which takes 0.15 s more of each

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
        kept.pop("CI", None)  # where there are no footer and no title
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        own = {"COMPOSE_PROJECT_NAME": self.name, "TERM": "xterm-256color", "PATH": path}
        return {**kept, **own, **(_measuring() if self.measured else {}), **self.variables}

    def invoke(self, *words: str, typed: str | None = None, timeout: float = 90.0) -> Ended:
        """Runs `invoke` with these words, without a terminal. What it prints with `--json` must be as the
        schemas say."""
        ended = self.run(invoke_command(), *words, typed=typed, timeout=timeout)
        check_output(words, ended.out, ended.code)
        return ended

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

    def terminal(self, *words: str, rows_columns: tuple[int, int] = (30, 100)) -> Terminal:
        """Runs `invoke` with these words on a terminal."""
        return Terminal(
            (invoke_command(), *words), self.directory, self.environment, rows_columns=rows_columns
        )

    def containers(self) -> list[Any]:
        """All of the project's containers, running or not."""
        return self.client.containers.list(all=True, filters=self._mine(), ignore_removed=True)

    def networks(self) -> list[Any]:
        return self.client.networks.list(filters=self._mine())

    def volumes(self) -> list[Any]:
        return self.client.volumes.list(filters=self._mine())

    def container(self, service: str) -> Any:
        labels = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        (found,) = self.client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return found

    def remove_everything(self) -> None:
        """Whatever the tests left of this project, found by label. The engine may refuse a removal for a
        moment: a container is just going away, or one that a killed command asked for has just come."""
        until(lambda: not self._refused_removals(), f"the end of {self.name}")

    def _refused_removals(self) -> list[str]:
        """Removes what is there; what the engine said where it did not."""
        refused = []
        for remove in self._removals():
            try:
                remove()
            except NotFound:
                continue
            except APIError as error:
                refused.append(str(error))
        return refused

    def _removals(self) -> Iterator[Callable[[], object]]:
        """In an order in which nothing is in use any more when its turn comes."""
        for container in self.containers():
            yield partial(container.remove, force=True, v=True)
        for network in self.networks():
            yield network.remove
        for label in (labels.PROJECT, labels.LOCK, labels.HOOK_DUE_PROJECT, snapshots.PROJECT):
            for volume in self.client.volumes.list(filters={"label": f"{label}={self.name}"}):
                yield partial(volume.remove, force=True)
        for image in self.client.images.list(filters={"reference": f"{self.name}-*"}):
            for tag in image.tags:  # not by its id, which another project's tag may have too
                if tag.startswith(f"{self.name}-"):
                    yield partial(self.client.images.remove, tag, force=True)

    def _mine(self) -> dict[str, str | list[str] | bool]:
        return {"label": [f"com.docker.compose.project={self.name}"]}


def until(says: Callable[[], object], what: str, limit: float = PATIENCE) -> None:
    """Waits for what must become so."""
    end = time.monotonic() + limit
    while not says():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def output_of(container: Any, *words: str) -> bytes:
    """What a command in the container prints, which is something. It is asked again where nothing came: an
    engine may lose the output of a command that ends at once."""
    said: list[bytes] = []

    def ask() -> bytes:
        said.append(container.exec_run(list(words)).output)
        return said[-1]

    until(ask, f"output of {' '.join(words)}")
    return said[-1]


def _measuring() -> dict[str, str]:
    """The variables by which coverage starts in a process, if it is measured in this one."""
    if Coverage.current() is None:
        return {}
    return {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml"), "COVERAGE_FILE": str(ROOT / ".coverage")}


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
    return build_busybox(client)


def build_busybox(client: docker.DockerClient) -> str:
    """The image on an engine; it is made where it is not there yet."""
    if not client.images.list(name=BUSYBOX):
        program = shutil.which("busybox")
        if program is None:
            pytest.skip("no busybox here: install the package busybox-static")
        repository, tag = BUSYBOX.split(":")
        changes = ["ENTRYPOINT []", 'CMD ["sh"]']
        client.api.import_image_from_data(
            busybox_root(Path(program)), repository=repository, tag=tag, changes=changes
        )
    return BUSYBOX


@pytest.fixture
def new_project(
    tmp_path: Path, client: docker.DockerClient, busybox: str
) -> Iterator[Callable[..., Project]]:
    """Makes projects, each with its own name and folder; all of them are removed afterwards."""
    made: list[Project] = []

    def make(
        compose: str = "",
        *,
        tasks: str = TASKS,
        variables: Mapping[str, str] | None = None,
        measured: bool = False,
    ) -> Project:
        name = f"t-func-{secrets.token_hex(4)}"
        directory = tmp_path / name
        directory.mkdir()
        project = Project(directory, name, client, dict(variables or {}), measured)
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
    from playwright.sync_api import expect, sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE * 1000)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=_CHROMIUM_FLAGS, timeout=2 * PATIENCE * 1000
        )
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
    """A TCP port of 127.0.0.1 that nothing listens on, and that nobody else takes until it is used: it is not
    among those that the system and the engine give to connections and to servers on any port (from 32768),
    that our own commands choose (from 12000), or that another worker of these tests tries."""
    for _ in range(_PORTS_EACH):
        port = next(_ports)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


_PORTS_EACH = 200


def _own_ports() -> Iterator[int]:
    """The ports of this worker in turn, from 10200 to 11799, beginning anywhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw7").removeprefix("gw")) % 8
    first = random.SystemRandom().randrange(_PORTS_EACH)
    for number in itertools.count(first):
        yield 10_200 + _PORTS_EACH * worker + number % _PORTS_EACH


_ports = _own_ports()

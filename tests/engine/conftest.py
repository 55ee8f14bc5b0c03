"""Real engines for the tests: the one that is used by default, and a newer or older one beside it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.endpoints import Endpoint, find_endpoint
from invoke_devstack.errors import EngineUnavailableError, NotFoundError
from invoke_devstack.planning.labels import PROJECT

SECOND_ENGINE = "DEVSTACK_TEST_SECOND_ENGINE"  # the address of another engine to run the same tests on
DEFAULT_SECOND_ENGINE = "unix:///run/engine28/docker.sock"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


def _endpoints() -> dict[str, Endpoint]:
    second = os.environ.get(SECOND_ENGINE, DEFAULT_SECOND_ENGINE)
    return {"default": find_endpoint(), "second": Endpoint(second, SECOND_ENGINE)}


@pytest.fixture(scope="session", params=["default", "second"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    return _endpoints()[request.param]


@pytest.fixture(scope="session")
def engine(endpoint: Endpoint) -> Iterator[DockerEngine]:
    try:
        connected = connect(endpoint=endpoint)
    except EngineUnavailableError as error:
        pytest.skip(f"no engine at {endpoint.url}: {error.message}")
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def busybox(engine: DockerEngine) -> Iterator[str]:
    """A tiny image with a shell, of this run alone: other runs may go on beside it. What is built from
    it inherits its label, and goes with it: a failed build leaves images without a name."""
    run = uuid.uuid4().hex[:8]
    name = f"devstack-test/engine-{run}:1"
    changes = ['CMD ["sh"]', "ENV PATH=/bin", "WORKDIR /", f"LABEL devstack-test={run}"]
    engine.import_image(io.BytesIO(busybox_root()), name, changes=changes)
    yield name
    for image in engine.list_images({"label": [f"devstack-test={run}"]}):
        with contextlib.suppress(NotFoundError):
            engine.remove_image(image["Id"], force=True)


def busybox_root() -> bytes:
    """A root file system of one static program and its names."""
    program = next((path for path in ("/bin/busybox", "/usr/bin/busybox") if Path(path).exists()), None)
    if program is None:
        pytest.skip("the tests' image needs a static busybox: sudo apt-get install busybox-static")
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "tmp", "etc", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        content = Path(program).read_bytes()
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
        for name in sorted(set(listed) - {"busybox"}):
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return buffer.getvalue()


@pytest.fixture
def project(engine: DockerEngine) -> Iterator[str]:
    """A name of this test alone. Afterwards, all that carries its label is removed, and the volumes that have
    it in their name: commands that a test killed leave locks and notes for the next command."""
    name = f"t-engine-{uuid.uuid4().hex[:8]}"
    yield name
    mine = {"label": [f"{PROJECT}={name}"]}
    for entry in engine.list_containers(mine):
        engine.remove_container(entry["Id"], force=True)
    for entry in engine.list_networks(mine):
        engine.remove_network(entry["Id"])
    for entry in (*engine.list_volumes(mine), *engine.list_volumes({"name": [name]})):
        with contextlib.suppress(NotFoundError):
            engine.remove_volume(entry["Name"])


@pytest.fixture
def labels(project: str) -> dict[str, str]:
    return {PROJECT: project, "com.docker.compose.service": "web"}


def until(says: Callable[[], object], seconds: float = 60) -> None:
    """Waits for what must become so, on a machine that may be busy."""
    end = time.monotonic() + seconds
    while not says():
        assert time.monotonic() < end
        time.sleep(0.05)


Run = Callable[..., str]


@pytest.fixture
def run(engine: DockerEngine, busybox: str, project: str, labels: dict[str, str]) -> Run:
    """Makes and starts a container that runs a shell script; returns its id."""

    def start(script: str, *, name: str = "web", started: bool = True, **body: object) -> str:
        made = engine.create_container(
            f"{project}-{name}-1", {"Image": busybox, "Cmd": ["sh", "-c", script], "Labels": labels, **body}
        )
        if started:
            engine.start(made)
        return made

    return start


@pytest.fixture
def run_ready(engine: DockerEngine, run: Run) -> Run:
    """As `run`, once the script has said `ready`: what it set up before that, such as a trap, is there."""

    def start(script: str, **body: object) -> str:
        made = run(script, **body)
        until(lambda: b"ready" in b"".join(block for _, block in engine.logs(made)))
        return made

    return start

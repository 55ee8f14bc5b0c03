"""Every command of docs/guides/docker-commands.md, on a copy of the example."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import docker
import pexpect
import pytest

from tests.functional.conftest import ROOT, Project, find_free_port
from tests.functional.images.registries import RealRegistry
from tests.functional.samples import FIRST_UP, copy_of_example
from tests.terminal import Terminal

PAGE = ROOT / "docs/guides/docker-commands.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CTRL_D = re.compile(r"invoke (shell|connect) |docker exec -it ")
_CTRL_C = re.compile(r"logs .*-f\b")


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, text) of the code blocks."""
    return [(match[1], match[2]) for match in _BLOCK.finditer(page.read_text("utf-8"))]


def commands(page: Path) -> list[str]:
    lines = [line for language, text in blocks(page) if language == "console" for line in text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
def example(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    if shutil.which("docker") is None:
        pytest.skip("no docker command here: install the package docker-cli")
    project = copy_of_example(tmp_path_factory.mktemp("docs"), client, "docs")
    yield project
    project.remove_everything()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    running = RealRegistry(tmp_path_factory.mktemp("registry"))
    yield running
    running.stop()


@pytest.fixture
def own_names(example: Project, registry: RealRegistry) -> Iterator[dict[str, str]]:
    """What stands on the page -> what stands for it here: nothing of this machine's is touched. The
    test's registry stands for Docker Hub, too."""
    hub = f"{registry.host}/library/redis:8"
    example.invoke("pull", "-s", "redis") if not example.client.images.list(name="redis:8") else None
    example.client.images.get("redis:8").tag(f"{registry.host}/library/redis", "8")
    example.client.images.push(f"{registry.host}/library/redis", tag="8")
    example.variables["INVOKE_DEVSTACK_REGISTRY_MIRROR"] = registry.host
    yield {
        "127.0.0.1:5000": registry.host,
        "docker pull redis:8": f"docker pull {hub}",
        "invoke-devstack": example.name,
        "my-python-app": f"{example.name}-app",
        "myredis": f"{example.name}-myredis",
        "6380:": f"127.0.0.1:{find_free_port()}:",
    }
    for image in example.client.api.images():
        for tag in image["RepoTags"] or ():
            if tag.startswith((f"{registry.host}/", f"{example.name}-app")):
                example.client.images.remove(tag, force=True)


def run(project: Project, command: str) -> tuple[int | None, str]:
    """(exit code, output). What waits for a person gets what a person would type to leave it."""
    leaves = "\x04" if _CTRL_D.match(command) else "\x03" if _CTRL_C.search(command) else ""
    if not leaves:
        ended = project.run("sh", "-c", command, timeout=FIRST_UP)
        return ended.code, ended.out + ended.err
    with Terminal(("sh", "-c", f"exec {command}"), project.directory, project.environment) as child:
        child.expect(r"[\s\S]")  # a prompt, or a line of the log
        _answer_as_a_terminal(child)
        child.send(leaves)
        while child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5) == 1:
            child.send(leaves)  # a program that is just starting drops what is typed
        code = child.end()
    return (0 if leaves == "\x03" and code in (0, 130) else code), child.shown


def _answer_as_a_terminal(child: Terminal) -> None:
    """redis-cli asks where the cursor is, when it starts before the size of the window has reached it."""
    while child.expect([r"\[6n", pexpect.TIMEOUT], timeout=1) == 0:
        child.send("\x1b[1;80R")


@pytest.mark.timeout(900)
def test_every_command_of_the_page_works(example: Project, own_names: dict[str, str]) -> None:
    found = commands(PAGE)
    assert len(found) > 60
    for command in found:
        here = command
        for name, own in own_names.items():
            here = here.replace(name, own)
        code, output = run(example, here)
        assert code == 0, f"{here}\n{output}"
    assert example.containers() == []


def test_each_task_of_the_issue_is_on_the_page() -> None:
    text = " ".join(commands(PAGE))
    tasks = (
        "build pull up run ps images images.layers images.inspect images.prune shell exec connect logs stop "
        "start restart pause unpause rm kill cp port top stats events inspect diff down"
    )
    assert [task for task in tasks.split() if f"invoke {task}" not in text] == []

"""docs/guides/deploy.md, from a laptop to three nodes: each of its commands as it is written, in a clone of
this repository. The nodes are reached over sockets in place of SSH, and a registry of this machine is in
place of Docker Hub.

Where the kernel has no IPVS, compose.prod.yaml gets what the page says about that.
"""

from __future__ import annotations

import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import docker
import pexpect
import pytest

from tests.swarm.cluster import Cluster, missing
from tests.swarm.full import FULL, wait_for
from tests.terminal import Terminal

pytestmark = [*FULL, pytest.mark.timeout(1500)]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/guides/deploy.md"
WITHOUT_IPVS = {
    "deploy: &data\n": "deploy: &data\n      endpoint_mode: dnsrr\n",
    "  notes:\n    image:": "  notes:\n    deploy: {endpoint_mode: dnsrr}\n    image:",
    "  web:\n": "  web:\n    ports: !override [{target: 5000, published: 8080, mode: host}]\n",
    "    deploy:\n      replicas: 3": "    deploy:\n      endpoint_mode: dnsrr\n      replicas: 3",
}


class Laptop:
    """A clone, and a shell in it."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.clone = folder / "shop"
        self.sample = f"{cluster.everywhere}/t-swarm-guide"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(self.clone)], check=True)
        programs = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DOCKER_HOST"},
            "PATH": programs,
            "DOCKER_CONFIG": str(folder / "docker"),
            "REGISTRY": self.sample,
            "VERSION": "1",
            "MYSQL_PASSWORD": "open",
            "MYSQL_ROOT_PASSWORD": "sesame",
        }

    def type(self, command: str) -> str:
        """Types it on a terminal, and `y` at each question; a command that follows is ended by Ctrl-C once it
        has printed something. Returns what was shown."""
        typed = re.sub(r"ssh://node(\d)", lambda match: self.cluster.url(int(match[1])), command)
        words = ["sh", "-c", f"exec {typed}"]
        shown = ""
        with Terminal(words, self.clone, self.environment, timeout=400, rows_columns=(50, 300)) as terminal:
            if "--follow" in command:
                terminal.expect("web")
                shown += terminal.plain
                terminal.sendintr()
                terminal.end()
                return shown
            while True:
                if terminal.expect_exact(["[y/N]", pexpect.EOF]) == 1:
                    break
                shown += terminal.plain
                terminal.sendline("y")
            shown += terminal.plain
            terminal.close()
            assert terminal.exitstatus == 0, f"{command}: {shown[-3000:]}"
        return shown

    def page(self, node: int) -> str:
        address = f"http://{self.cluster.address(node)}:8080/"
        with urllib.request.urlopen(address, timeout=20) as answer:
            return str(answer.read().decode())


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    if why := missing():
        pytest.skip(f"no cluster can be made here: {why}")
    with Cluster(3, joined=False) as cluster:
        for name in ("mysql:9", "redis:8"):
            cluster.give(name, 1)
            repository, _, tag = name.partition(":")
            target = f"{cluster.everywhere}/library/{repository}"
            cluster.client(1).images.get(name).tag(target, tag)
            cluster.client(1).images.push(target, tag)
        laptop = Laptop(cluster, tmp_path)
        try:
            yield laptop
        finally:
            engine = docker.from_env()
            for image in engine.images.list(f"{laptop.sample}/web"):
                for tag in image.tags:
                    if tag.startswith(laptop.sample):  # another run builds the same image
                        engine.images.remove(tag)
            engine.close()


def commands() -> list[str]:
    """The lines that a person types, without their comments."""
    text = PAGE.read_text("utf-8")
    return [
        line.removeprefix("$ ").partition("  #")[0].strip()
        for line in text.splitlines()
        if line.startswith("$ ")
    ]


def make_it_run_without_ipvs(clone: Path) -> None:
    file = clone / "compose.prod.yaml"
    text = file.read_text()
    for old, new in WITHOUT_IPVS.items():
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text)


def test_each_command_of_the_page_does_what_it_says(laptop: Laptop) -> None:
    make_it_run_without_ipvs(laptop.clone)
    typed = commands()
    assert len(typed) > 12
    for command in typed:
        before_history = command.startswith("invoke deploy.history")
        if before_history:  # the page has said that there are deploys to go back to
            for version in ("2", "3", "4"):
                laptop.environment["VERSION"] = version
                laptop.type("invoke deploy --to node1")
        shown = laptop.type(command)
        if command.startswith("invoke deploy.init"):
            assert shown.count("has joined the swarm") == 2
        if command == "invoke deploy --to node1":
            assert "is deployed" in shown
            wait_for(lambda: all("Everything answers" in laptop.page(node) for node in (1, 2, 3)))
        if command.startswith("invoke deploy.status"):
            assert re.search(r"web +healthy +3/3", shown)
        if command.startswith("invoke deploy.exec"):
            assert "FLASK_DEBUG=0" in shown
        if before_history:
            assert shown.count("done") == 4
        if command.startswith("invoke deploy.rollback"):
            assert "/web:3" in str(
                laptop.cluster.client(1).services.list(filters={"name": "shop_web"})[0].attrs
            )
        if command.startswith("invoke deploy.down"):
            assert laptop.cluster.client(1).services.list() == []
            assert [item.name for item in laptop.cluster.client(1).volumes.list()]
        if command.startswith("invoke deploy.export"):
            assert "wrote 9 files" in shown

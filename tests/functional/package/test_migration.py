"""The Makefile of docs/guides/migrate.md and what becomes of it: the same commands do the same."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import ROOT, Ended, Project, output_of
from tests.functional.samples import FIRST_UP

PAGE = ROOT / "docs/guides/migrate.md"
_BLOCK = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(params=["before", "after"])
def project(request: pytest.FixtureRequest, client: docker.DockerClient, tmp_path: Path) -> Iterator[Project]:
    """The files of the page: with the Makefile around Compose, or with what is left of it."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command here: install the package docker-cli")
    project = Project(tmp_path, f"t-migrate-{secrets.token_hex(4)}", client)
    files = _BLOCK.findall(PAGE.read_text("utf-8"))
    for path, text in files if request.param == "after" else files[:2]:
        project.write(path, text)
    project.write(".env.example", "")
    yield project
    project.remove_everything()


def make(project: Project, *words: str) -> Ended:
    done = project.run("make", *words, timeout=FIRST_UP)
    assert done.code == 0, done.out + done.err
    return done


@pytest.mark.timeout(400)
def test_the_same_targets_do_the_same_before_and_after(project: Project) -> None:
    make(project, "check")  # needs `up`, which seeds
    assert "connected" in make(project, "check").out
    assert output_of(project.container("redis"), "redis-cli", "get", "greeting") == b"hello\n"
    assert "Ready to accept connections" in make(project, "logs", "s=redis").out
    make(project, "down")
    assert project.containers() == []

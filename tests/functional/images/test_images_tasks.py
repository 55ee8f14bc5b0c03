"""build, images.prune and images.rm on images of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_devstack.engine.builds.buildx import find_buildx
from tests.functional.conftest import BUSYBOX, Project, until

DOCKERFILE = f"""
    FROM {BUSYBOX} AS base
    ARG NAME=nobody
    RUN echo $NAME > /name
    FROM base AS big
    COPY big /big
"""
MEGABYTE = 1_000_000


@pytest.fixture
def project(new_project: Callable[..., Project]) -> Project:
    made = new_project("services: {one: {build: ., command: [sleep, '600'], init: true}}")
    made.write("Dockerfile", DOCKERFILE)
    renew(made)
    return made


def renew(project: Project) -> None:
    (project.directory / "big").write_bytes(os.urandom(MEGABYTE))


def name_in(project: Project, image: str) -> str:
    return str(project.client.containers.run(image, ["cat", "/name"], remove=True).decode().strip())


def test_flags_of_build_are_dockers(project: Project) -> None:
    image = f"{project.name}-one"
    built = project.invoke(
        "build", "--build-arg", "NAME=x", "--target", "base", "-t", f"{image}:extra", "--json"
    )
    assert built.code == 0, built.err
    (row,) = next(event for event in built.events() if event["type"] == "table")["rows"]
    assert (row["service"], row["image"], row["layers"]) == ("one", image, 2)
    assert row["size"] > 0
    assert name_in(project, f"{image}:extra") == "x"
    assert project.client.containers.run(image, ["ls", "/"], remove=True).decode().find("big") == -1
    again = project.invoke("build", "--build-arg", "NAME=x", "--target", "base")
    assert (
        "2 of 2 steps" in again.out or "1 of 2 steps" in again.out
    )  # the FROM counts where BuildKit says so
    anew = project.invoke("build", "--build-arg", "NAME=x", "--target", "base", "--no-cache", "--json")
    (row,) = next(event for event in anew.events() if event["type"] == "table")["rows"]
    assert row["ran"] == ["base 2/2"]


def test_a_stage_that_is_not_there_is_told(project: Project) -> None:
    ended = project.invoke("build", "--target", "nosuch")
    assert ended.code == 1
    assert "nosuch" in ended.err


def test_prune_shows_what_it_would_free_and_asks(project: Project) -> None:
    for _ in range(2):
        assert project.invoke("build").code == 0
        renew(project)
    assert project.invoke("up", "--build").code == 0  # a container has the third; two earlier builds are left
    refused = project.invoke("images.prune")
    assert refused.code == 2
    assert refused.err.count("removing it frees 1.0 MB") == 2
    assert "2 images (2.0 MB)" in refused.err
    removed = project.invoke("images.prune", "--yes", "--explain", "--json")
    assert sum(row["removed"] == "deleted" for row in removed.json()) >= 2
    assert removed.err.count("docker image rm sha256:") == 2 or removed.code == 0
    assert project.invoke("images.prune", "--yes", "--json").json() == []
    assert project.container("one").status == "running"


def test_an_earlier_build_that_a_container_has_is_no_rubbish(project: Project) -> None:
    assert project.invoke("up", "--build").code == 0
    renew(project)
    assert project.invoke("build").code == 0
    assert project.invoke("images.prune", "--yes", "--json").json() == []
    assert (
        project.invoke("images.prune", "--all", "--yes", "--json").json() != []
    )  # the new one: nothing runs it
    assert project.container("one").status == "running"


def test_rm_names_the_container_that_has_the_image(project: Project) -> None:
    assert project.invoke("up", "--build").code == 0
    refused = project.invoke("images.rm", "--yes")
    assert refused.code == 1
    assert f"{project.name}-one-1 (running) uses the image" in refused.err
    assert project.client.images.list(name=f"{project.name}-one")
    assert project.invoke("down").code == 0
    removed = project.invoke("images.rm", "--yes", "--explain")
    assert removed.code == 0, removed.err
    assert f"docker image rm {project.name}-one" in removed.err
    assert project.client.images.list(name=f"{project.name}-one") == []


def test_buildkits_cache_mounts_secrets_and_ssh_reach_the_build(project: Project) -> None:
    project.write("token", "s3cret")
    project.compose("""
        services:
          one:
            build: {context: ., secrets: [token], ssh: [default]}
        secrets: {token: {file: ./token}}
    """)
    project.write(
        "Dockerfile",
        f"""
        FROM {BUSYBOX}
        RUN --mount=type=cache,id={project.name},target=/cache \\
            echo kept >> /cache/file && wc -l < /cache/file > /name
        RUN --mount=type=secret,id=token wc -c < /run/secrets/token >> /name
        RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo agent >> /name
        """,
    )
    if shutil.which("ssh-agent") is None:
        pytest.skip("no ssh-agent here: install the package openssh-client")
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", "agent"], cwd=project.directory, stdout=subprocess.DEVNULL
    )
    project.variables["SSH_AUTH_SOCK"] = str(project.directory / "agent")
    try:
        until((project.directory / "agent").exists, "the agent's socket")
        ended = project.invoke("build")
    finally:
        agent.terminate()
        agent.wait(timeout=60)
    assert ended.code == 0, ended.err
    assert name_in(project, f"{project.name}-one").split() == ["1", "6", "agent"]
    assert "s3cret" not in ended.err


@pytest.fixture
def without_buildx(project: Project, tmp_path: Path) -> Project:
    """The project in an environment in which `docker buildx` is not found."""
    elsewhere = {"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}
    if find_buildx(elsewhere) is not None:
        pytest.skip("buildx is installed for all users of this machine")
    project.variables |= elsewhere
    return project


def test_without_buildx_the_classic_builder_builds_and_tells_its_cache(without_buildx: Project) -> None:
    assert without_buildx.invoke("build").code == 0
    again = without_buildx.invoke("build", "--json")
    (row,) = next(event for event in again.events() if event["type"] == "table")["rows"]
    assert (row["builder"], row["ran"]) == ("classic", [])
    assert row["cached_steps"] >= 3


def test_a_dockerfile_that_needs_buildkit_is_refused_without_it_with_its_line(
    without_buildx: Project,
) -> None:
    without_buildx.write("Dockerfile", f"FROM {BUSYBOX}\nRUN --mount=type=cache,target=/c true\n")
    ended = without_buildx.invoke("build")
    assert ended.code == 1
    assert "Dockerfile:2" in ended.err
    assert "needs BuildKit" in ended.err
    assert "docker-buildx" in ended.err

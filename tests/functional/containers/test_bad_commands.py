"""Bad input to the tasks that do as Docker does: a clear error, an exit code, and nothing lost."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Iterator

import docker
import pytest

from tests.functional.conftest import TASKS, Ended, Project, find_free_port

STACK = """
    services:
      web:
        image: IMAGE
        init: true
        command: [sleep, "900"]
        volumes: ["small:/small"]
      job: {image: IMAGE, command: [sh, -c, "exit 0"]}
      far: {image: "127.0.0.1:${NOBODY}/some/image:1", profiles: [far]}
    volumes:
      small: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=1m"}}
"""


@pytest.fixture(scope="module")
def stack(
    client: docker.DockerClient, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    name = f"t-bad-{secrets.token_hex(4)}"
    project = Project(tmp_path_factory.mktemp("bad"), name, client, {"NOBODY": str(find_free_port())})
    project.write("tasks.py", TASKS)
    project.compose(STACK)
    try:
        assert project.invoke("up", "--detach").code == 0
        yield project
    finally:
        project.remove_everything()


def refused(ended: Ended, code: int, *words: str) -> None:
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err + ended.out
    for word in words:
        assert word in ended.err, ended.err


@pytest.mark.parametrize(
    "words",
    [
        "exec wbe -- true",
        "run wbe -- true",
        "shell wbe",
        "connect wbe",
        "logs -s wbe",
        "ps -s wbe",
        "stop -s wbe",
        "kill -s wbe",
        "rm -s wbe",
        "port wbe",
        "top -s wbe",
        "stats -s wbe",
        "inspect wbe",
        "diff wbe",
        "wait -s wbe",
        "build -s wbe",
        "pull -s wbe",
        "push -s wbe",
        "images -s wbe",
        "images.layers wbe",
        "images.rm -s wbe",
    ],
)
def test_a_service_that_does_not_exist_is_answered_with_the_nearest_name(stack: Project, words: str) -> None:
    refused(stack.invoke(*shlex.split(words)), 2, "error:", "`wbe`", "hint:", "`web`")


@pytest.mark.parametrize("words", ["exec job -- true", "shell job", "port job"])
def test_a_service_that_does_not_run_is_told_with_what_starts_it(stack: Project, words: str) -> None:
    ended = stack.invoke(*shlex.split(words))
    refused(ended, 1, "error:", "`job` is not running", "exited", "hint:", "invoke up -s job")


@pytest.mark.parametrize("task", ["exec", "run"])
def test_a_command_that_is_not_in_the_image_is_127_and_a_sentence(stack: Project, task: str) -> None:
    refused(stack.invoke(task, "web", "--", "nosuchcommand", "-x"), 127, "nosuchcommand")


@pytest.mark.parametrize("task", ["exec", "run"])
def test_a_file_that_cannot_be_executed_is_126(stack: Project, task: str) -> None:
    refused(stack.invoke(task, "web", "--", "/etc"), 126, "/etc")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SIGNONE", ("error: unknown signal", "SIGTERM")),
        ("99", ("error: unknown signal", "SIGTERM")),
        ("", ("error: empty value for `--signal`", "leave the flag out")),
    ],
)
def test_a_signal_that_does_not_exist(stack: Project, text: str, says: tuple[str, str]) -> None:
    refused(stack.invoke("kill", "-s", "web", "--signal", text), 2, *says)
    assert stack.container("web").status == "running"


def test_a_registry_that_refuses_the_connection(stack: Project) -> None:
    port = stack.variables["NOBODY"]
    refused(stack.invoke("pull", "-s", "far"), 1, f"127.0.0.1:{port} cannot be reached", "hint:")


def test_no_space_left_where_files_are_copied_to(stack: Project) -> None:
    (stack.directory / "large").write_bytes(os.urandom(2_000_000))
    refused(stack.invoke("cp", "large", "web:/small/"), 1, "error:", "full", "hint:")
    assert stack.invoke("exec", "web", "--", "true").code == 0


def test_no_space_left_during_a_build_shows_the_builds_own_words(stack: Project) -> None:
    stack.write("full/compose.yaml", "services: {one: {build: {context: ., shm_size: 1m}}}")
    stack.write(
        "full/Dockerfile",
        "FROM devstack-test/busybox:1\nRUN dd if=/dev/zero of=/dev/shm/x bs=1M count=100\n",
    )
    stack.variables["COMPOSE_FILE"] = str(stack.directory / "full/compose.yaml")
    try:
        ended = stack.invoke("build")
    finally:
        del stack.variables["COMPOSE_FILE"]
    refused(ended, 1, "RUN dd", "o space left on device", "hint:")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run web -v nothing -- true", "invalid volume `nothing`"),
        ("run web -p eighty -- true", "eighty"),
        ("exec web", "no command given"),
        ("exec -t -T web -- true", "cannot be combined"),
        ("stop -t soon", "--timeout"),
        ("build --build-arg =x", "--build-arg"),
        ("events --since yesterday", "--since"),
        ("up --secrets", "--dry-run --explain"),
        ("cp web:/etc/passwd web:/tmp/", "exactly one of the two paths"),
        ("stats --follow --no-stream", "cannot be combined"),
    ],
)
def test_values_that_make_no_sense(stack: Project, words: str, said: str) -> None:
    refused(stack.invoke(*shlex.split(words)), 2, "error:", said)


def test_what_does_not_exist_cannot_be_copied(stack: Project) -> None:
    refused(stack.invoke("cp", "web:/no/such", "."), 1, "error:", "/no/such")
    refused(stack.invoke("cp", "no-such-file", "web:/tmp/"), 1, "error:", "no-such-file")

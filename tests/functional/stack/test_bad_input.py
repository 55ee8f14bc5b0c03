"""Bad input: a clear error, an exit code, and nothing lost."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest

from tests.functional.conftest import Ended, Project

ONE = "services: {one: {image: IMAGE, init: true, command: [sleep, '600']}}"


def refused(ended: Ended, code: int, *words: str) -> None:
    """The command ended with `code`, said `error:` with these words, and showed no traceback."""
    assert ended.code == code, ended.err
    assert "error:" in ended.err
    assert "Traceback" not in ended.err + ended.out
    for word in words:
        assert word in ended.err, ended.err


def test_no_definition(project: Project) -> None:
    ended = project.invoke("up")
    refused(ended, 1, "compose.yaml", "hint:")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("services:\n  one: [\n", ("compose.yaml:",), id="yaml that does not parse"),
        pytest.param(
            "services:\n  one:\n    image: x\n    imagee: y\n", ("compose.yaml:4", "imagee"), id="unknown key"
        ),
        pytest.param(
            "services:\n  one:\n    image: x\n    ports: eighty\n",
            ("compose.yaml:4", "services.one.ports"),
            id="wrong type",
        ),
        pytest.param(
            "services:\n  one:\n    image: ${DEVSTACK_ABSENT:?name an image}\n",
            ("compose.yaml:3", "DEVSTACK_ABSENT", "name an image"),
            id="unset required variable",
        ),
        pytest.param(
            "services:\n  one:\n    image: x\n    depends_on: [two]\n",
            ("compose.yaml:4", "two"),
            id="unknown dependency",
        ),
        pytest.param(
            "services:\n  one: {image: x, depends_on: [two]}\n  two: {image: x, depends_on: [one]}\n",
            ("one -> two -> one",),
            id="dependency cycle",
        ),
        pytest.param(
            "services:\n  one:\n    image: x\n    volumes: ['data:/data']\n",
            ("compose.yaml:4", "data"),
            id="volume not declared",
        ),
        pytest.param(
            "services:\n  one:\n    image: x\n    networks: [back]\n",
            ("compose.yaml:4", "back"),
            id="network not declared",
        ),
    ],
)
def test_a_definition_that_is_wrong_is_told_with_its_place(
    project: Project, text: str, words: tuple[str, ...]
) -> None:
    project.write("compose.yaml", text)
    refused(project.invoke("up"), 1, *words)
    assert project.containers() == []


def test_an_unknown_service_is_answered_with_the_nearest_name(new_project: Callable[..., Project]) -> None:
    project = new_project(ONE)
    refused(project.invoke("up", "-s", "oen"), 2, "`oen`", "`one`")


def test_flags_that_exclude_one_another(new_project: Callable[..., Project]) -> None:
    refused(new_project(ONE).invoke("up", "--detach", "--attach"), 2, "--detach", "--attach")


def test_values_that_are_no_numbers(new_project: Callable[..., Project]) -> None:
    project = new_project(ONE)
    refused(project.invoke("up", "--wait-timeout", "soon"), 2, "--wait-timeout", "soon")
    refused(project.invoke("logs", "--tail", "ten"), 2, "--tail", "ten")


def test_a_setting_that_is_not_there(new_project: Callable[..., Project]) -> None:
    project = new_project(ONE)
    project.write("invoke.yaml", "devstack: {wait_timeot: 3}\n")
    refused(project.invoke("ps"), 2, "devstack.wait_timeot", "Did you mean `wait_timeout`?")


PORT = """
    services:
      web: {image: IMAGE, init: true, command: [httpd, -f, -p, "80"], ports: ["127.0.0.1:${WEB_PORT}:80"]}
"""


def test_a_port_that_a_process_holds_names_the_process(new_project: Callable[..., Project]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        project = new_project(PORT, variables={"WEB_PORT": port})
        refused(project.invoke("up"), 1, port, f"pid {os.getpid()}", "hint:")
        assert project.invoke("down").code == 0


def test_a_port_that_a_container_holds_names_its_project(
    new_project: Callable[..., Project], free_port: int
) -> None:
    first = new_project(PORT, variables={"WEB_PORT": str(free_port)})
    second = new_project(PORT, variables={"WEB_PORT": str(free_port)})
    assert first.invoke("up").code == 0
    refused(second.invoke("up"), 1, str(free_port), first.name, "hint:")
    assert first.container("web").status == "running"


def test_an_image_that_cannot_be_had(new_project: Callable[..., Project]) -> None:
    project = new_project("services: {one: {image: 'localhost:1/nobody/nothing:1'}}")
    refused(project.invoke("up"), 1, "localhost:1/nobody/nothing:1", "hint:")
    assert project.invoke("down").code == 0


def test_a_build_that_fails_shows_its_step_and_its_output(new_project: Callable[..., Project]) -> None:
    project = new_project("services: {one: {build: .}}")
    project.write("Dockerfile", "FROM devstack-test/busybox:1\nRUN echo the reason is here && false\n")
    refused(project.invoke("up"), 1, "RUN echo the reason is here", "the reason is here")


def test_a_container_that_ends_at_start_shows_its_code_and_last_words(
    new_project: Callable[..., Project],
) -> None:
    project = new_project("services: {one: {image: IMAGE, command: [sh, -c, 'echo bad config; exit 3']}}")
    refused(project.invoke("up"), 1, "one", "3", "bad config")


def test_a_healthcheck_that_never_passes_says_who_waits_and_what_it_said(
    new_project: Callable[..., Project],
) -> None:
    project = new_project("""
        services:
          db:
            image: IMAGE
            init: true
            command: [sh, -c, "echo starting slowly; sleep 600"]
            healthcheck: {test: [CMD-SHELL, "echo no answer yet; false"], interval: 1s, start_period: 60s}
          web: {image: IMAGE, command: [sleep, "600"], depends_on: {db: {condition: service_healthy}}}
    """)
    ended = project.invoke("up", "--wait-timeout", "5")
    refused(ended, 1, "db", "web", "no answer yet", "starting slowly", "hint:")
    assert ended.seconds < 50  # its start period is longer


def test_no_engine(new_project: Callable[..., Project]) -> None:
    project = new_project(ONE, variables={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    refused(project.invoke("up"), 1, "/nowhere/docker.sock", "hint:")


def test_an_error_in_json_is_an_object(new_project: Callable[..., Project]) -> None:
    ended = new_project(ONE).invoke("up", "--json", "-s", "oen")
    (event,) = ended.events("error")
    assert (ended.code, event["exit_code"], event["v"]) == (2, 2, 2)
    assert "oen" in event["error"]


def test_a_doctor_whose_mending_fails_shows_the_checks_all_the_same(
    new_project: Callable[..., Project],
) -> None:
    project = new_project("services: {web: {image: IMAGE}}")
    (project.directory / ".env.example").write_bytes("A=grün\n".encode("latin-1"))
    project.write(".env", "A=1\n")
    ended = project.invoke("doctor", "--fix")
    assert ended.code == 1
    assert "images" in ended.out
    assert "hint: Save .env.example as UTF-8 text." in ended.err

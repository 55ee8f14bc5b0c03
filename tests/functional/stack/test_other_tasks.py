"""Each of the other tasks once on a real stack."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project

STACK = """
    services:
      web:
        image: IMAGE
        init: true
        command: [sh, -c, 'mkdir /tmp/w; echo hello > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w']
        environment: {API_TOKEN: hidden-value, COLOUR: blue}
        ports: ["127.0.0.1:${WEB_PORT}:80"]
        depends_on: [cache]
      cache: {image: IMAGE, init: true, command: [sleep, "600"]}
"""


@pytest.fixture
def stack(new_project: Callable[..., Project], free_port: int) -> Project:
    project = new_project(STACK, variables={"WEB_PORT": str(free_port)})
    assert project.invoke("up").code == 0
    return project


def states(project: Project) -> dict[str, str]:
    return {row["service"]: row["state"] for row in project.invoke("ps", "--all", "--json").json()}


def test_stop_keeps_and_start_goes_on_with_the_same_containers(stack: Project) -> None:
    before = stack.container("cache").id
    assert stack.invoke("stop", "-s", "cache").code == 0
    assert states(stack) == {"web": "running", "cache": "exited"}
    assert stack.invoke("start").code == 0
    assert states(stack) == {"web": "running", "cache": "running"}
    assert stack.container("cache").id == before


def test_restart_pause_unpause(stack: Project) -> None:
    started = stack.container("cache").attrs["State"]["StartedAt"]
    assert stack.invoke("restart", "-s", "cache").code == 0
    assert stack.container("cache").attrs["State"]["StartedAt"] != started
    assert stack.invoke("pause", "-s", "cache").code == 0
    assert states(stack)["cache"] == "paused"
    assert stack.invoke("unpause").code == 0
    assert states(stack)["cache"] == "running"


def test_kill_sends_the_signal_that_is_asked_for(stack: Project) -> None:
    assert stack.invoke("kill", "-s", "cache", "--signal", "term").code == 0
    assert stack.container("cache").wait(timeout=60)["StatusCode"] == 143
    refused = stack.invoke("kill", "--signal", "SIGNONE")
    assert (refused.code, "SIGNONE" in refused.err) == (2, True)


def test_rm_removes_what_is_stopped_and_only_with_consent(stack: Project) -> None:
    stack.invoke("stop", "-s", "cache")
    refused = stack.invoke("rm")
    assert refused.code == 2
    assert f"{stack.name}-cache-1" in refused.err
    assert stack.invoke("rm", "--yes").code == 0
    assert [container.name for container in stack.containers()] == [f"{stack.name}-web-1"]


def test_what_is_done_already_is_said(stack: Project) -> None:
    assert "nothing to do" in stack.invoke("start").err
    assert "nothing to do" in stack.invoke("unpause").err


def test_urls_and_port_say_where_a_service_is_reached(stack: Project) -> None:
    port = stack.variables["WEB_PORT"]
    assert stack.invoke("urls", "--json").json() == [
        {"service": "web", "address": f"http://localhost:{port}"}
    ]
    (row,) = stack.invoke("port", "web", "--json").json()
    assert (row["container_port"], row["host_ip"], row["host_port"]) == (80, "127.0.0.1", int(port))


def test_top_and_stats_show_what_runs(stack: Project) -> None:
    commands = [row["cmd"] for row in stack.invoke("top", "--json").json() if row["service"] == "cache"]
    assert any("sleep 600" in command for command in commands)
    (row,) = stack.invoke("stats", "-s", "cache", "--json").json()
    assert row["memory"] > 0
    assert row["pids"] >= 1


def test_inspect_masks_what_looks_like_a_secret(stack: Project) -> None:
    ended = stack.invoke("inspect", "web")
    assert "hidden-value" not in ended.out
    assert json.loads(ended.out)["Name"] == f"/{stack.name}-web-1"
    assert "COLOUR=blue" in json.loads(ended.out)["Config"]["Env"]


def test_diff_lists_the_files_that_a_container_made(stack: Project) -> None:
    rows = stack.invoke("diff", "web", "--json").json()
    assert {"change": "added", "path": "/tmp/w/index.html"} in rows


def test_wait_ends_with_the_code_of_what_failed(new_project: Callable[..., Project]) -> None:
    project = new_project("services: {job: {image: IMAGE, command: [sh, -c, 'sleep 2; exit 7']}}")
    project.invoke("up")
    ended = project.invoke("wait", "--json")
    assert ended.code == 7
    assert ended.json() == [{"service": "job", "container": f"{project.name}-job-1", "exit_code": 7}]


def test_is_ready_is_an_exit_code(stack: Project) -> None:
    assert stack.invoke("is-ready").code == 0
    stack.container("cache").kill()
    stack.container("cache").wait()
    ended = stack.invoke("is-ready", "--json")
    assert ended.code == 1
    assert {row["service"]: row["ready"] for row in ended.json()} == {"cache": False, "web": True}
    assert stack.invoke("is-ready", "--wait", "--timeout", "0.5").code == 1


def test_graph_draws_who_waits_for_whom(stack: Project) -> None:
    assert "waits for cache started" in stack.invoke("graph").out
    assert "-->|started|" in stack.invoke("graph", "--format", "mermaid").out
    assert stack.invoke("graph", "--format", "svg").out.startswith("<svg")
    assert stack.invoke("graph", "--format", "png").code == 2


def test_stacks_lists_this_one_with_its_folder(stack: Project) -> None:
    rows = {row["stack"]: row for row in stack.invoke("stacks", "--json").json()}
    assert rows[stack.name] == {
        "stack": stack.name,
        "running": 2,
        "containers": 2,
        "ports": [int(stack.variables["WEB_PORT"])],
        "volumes": [],
        "images": ["devstack-test/busybox:1"],
        "directory": str(stack.directory),
        "there": True,
    }


def test_images_are_listed_with_their_layers(stack: Project) -> None:
    rows = stack.invoke("images", "--json").json()
    assert [row["service"] for row in rows] == ["cache", "web"]
    assert all(row["size"] > 0 for row in rows)
    (layer,) = stack.invoke("images.layers", "web", "--json").json()
    assert layer["shared_by"] == ["cache"]
    assert stack.invoke("images.inspect", "web", "--json").json()["Size"] == rows[1]["size"]


def test_config_is_what_compose_says(stack: Project) -> None:
    ours = stack.invoke("config", "--format", "json", "--show-secrets").json()
    theirs = stack.docker("compose", "config", "--format", "json").json()
    assert ours == theirs
    assert "hidden-value" not in stack.invoke("config").out
    assert stack.invoke("config", "--services").out.split() == ["cache", "web"]
    hashes = stack.docker("compose", "config", "--hash", "*").out
    assert sorted(stack.invoke("config", "--hash").out.split("\n")) == sorted(hashes.split("\n"))


@pytest.mark.parametrize("asked", ["web", "*", "web,cache", "cache,web"])
def test_hashes_of_some_services_are_what_compose_says(stack: Project, asked: str) -> None:
    theirs = stack.docker("compose", "config", "--hash", asked).out
    assert theirs
    assert stack.invoke("config", "--hash", asked).out == theirs
    assert stack.invoke("config", f"--hash={asked}").out == theirs
    assert stack.invoke("config", "--quiet", "--hash", asked).out == ""


def test_hashes_of_services_that_are_not_there_are_wrong_use(stack: Project) -> None:
    for words in (("--hash", "wbe"), ("--hash", "web,wbe"), ("--hash", ""), ("--hash=",), ("web",)):
        ended = stack.invoke("config", *words)
        assert (ended.code, ended.out) == (2, ""), words


def test_config_explains_where_a_value_comes_from(stack: Project) -> None:
    told = stack.invoke("config", "--explain", "services.web.environment.COLOUR").out
    assert "blue" in told
    assert f"{stack.directory}/compose.yaml:6" in told
    refused = stack.invoke("config", "--explain", "services.web.environment.COLOR")
    assert (refused.code, "COLOUR" in refused.err) == (2, True)


def test_build_says_what_came_of_it_and_prune_removes_earlier_builds(
    new_project: Callable[..., Project],
) -> None:
    project = new_project("services: {one: {build: .}}")
    project.write("Dockerfile", "FROM devstack-test/busybox:1\nARG NAME=a\nRUN echo $NAME > /name\n")
    first = project.invoke("build", "--build-arg", "NAME=x")
    assert first.code == 0, first.err
    assert f"{project.name}-one" in first.out
    assert project.invoke("build", "--build-arg", "NAME=y").code == 0
    refused = project.invoke("images.prune")
    assert refused.code == 2
    assert "earlier build" in refused.err
    assert "1 image" in refused.err
    assert project.invoke("images.prune", "--yes").code == 0
    assert project.invoke("images.rm", "--yes").code == 0
    assert project.client.images.list(name=f"{project.name}-one") == []


def test_a_service_that_does_not_run_is_told_with_what_to_do(new_project: Callable[..., Project]) -> None:
    project = new_project("services: {one: {image: IMAGE, command: [sleep, '600']}}")
    ended = project.invoke("port", "one")
    assert ended.code == 1
    assert "invoke up -s one" in ended.err


def test_make_runs_the_same_tasks(stack: Project) -> None:
    stack.write("Makefile", "include $(shell python -m invoke_devstack makefile)\n")
    ended = stack.run("make", "ps", "args=--json", "s=cache")
    assert ended.code == 0, ended.err
    assert [row["service"] for row in ended.json()] == ["cache"]

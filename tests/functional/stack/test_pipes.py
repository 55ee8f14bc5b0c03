"""stdout is the answer, whatever else a command has to say: each task of the collection in a pipe."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from invoke_devstack.tasks import catalogue
from tests.functional.conftest import BUSYBOX, Project, find_free_port

STACK = """
    services:
      web:
        image: IMAGE
        init: true
        command: [httpd, -f, -p, "80", -h, /tmp]
        ports: ["127.0.0.1:${WEB_PORT}:80"]
        environment: {KEY: "${SET_NOWHERE}"}
        volumes: ["data:/data"]
        depends_on: {db: {condition: service_healthy}}
      db:
        image: IMAGE
        init: true
        command: [sleep, "600"]
        healthcheck: {test: [CMD, "true"], interval: 1s}
      job: {image: IMAGE, command: ["true"]}
    volumes: {data: {}}
"""
TASKS = """
from invoke_devstack import stack

namespace = stack()


@namespace.after("db", always=True)
def migrate(context):
    print("printed by a hook")
"""
COMMANDS = {
    "exec": ("exec", "web", "--", "echo", "hi"),
    "run": ("run", "web", "--", "echo", "hi"),
    "shell": ("shell", "web"),
}
ANSWERS = {
    "ps": ("ps",),
    "config": ("config",),
    "config --services": ("config", "--services"),
    "config --hash": ("config", "--hash"),
    "config --explain": ("config", "--explain", "services.web.image"),
    "up --dry-run": ("up", "--dry-run"),
    "up --dry-run --explain": ("up", "--dry-run", "--explain"),
    "volumes": ("volumes",),
    "traces": ("traces",),
    "why": ("why", "compose.yaml"),
    "stacks": ("stacks",),
    "ls": ("ls",),
    "version": ("version",),
    "port": ("port", "web"),
    "top": ("top",),
    "stats": ("stats",),
    "inspect": ("inspect", "web"),
    "diff": ("diff", "web"),
    "urls": ("urls",),
    "open": ("open", "web"),
    "is-ready": ("is-ready",),
    "explain-failure": ("explain-failure",),
    "status": ("status",),
    "graph": ("graph",),
    "env": ("env",),
    "copies.add": ("copies.add", "first"),
    "copies": ("copies",),
    "copies.end": ("copies.end", "first"),
    "snapshot": ("snapshot", "web", "--name", "first"),
    "snapshots": ("snapshots",),
    "snapshots.export": ("snapshots.export", "first", "first.tar"),
    "snapshots.import": ("snapshots.import", "first.tar", "--name", "second"),
    "doctor": ("doctor",),
    "images": ("images",),
    "images.inspect": ("images.inspect", "web"),
    "images.layers": ("images.layers", "web"),
    "images.prune": ("images.prune",),
    "wait": ("wait", "-s", "job"),
    "events": ("events", "--since", "60s", "--until", "0s"),
    "logs": ("logs",),
}
ACTING = {
    *("up", "down", "watch", "build", "pull", "push", "start", "stop", "restart", "pause", "unpause", "kill"),
    *("rm", "cp", "restore", "reset", "setup", "snapshots.rm", "images.rm"),
    *("create", "scale", "commit", "publish"),
}
"""What they did is their answer."""
ELSEWHERE = {
    "connect",  # needs a database; it is `shell` with another command
    "init",  # writes files; tested in functional/machine
    "agents.init",  # likewise; tested in functional/agents
    *("mcp", "attach"),  # last until they are ended; tested in functional/agents and functional/containers
    "export",  # writes a tar; tested in functional/containers
    "dashboard",  # serves until Ctrl-C; tested in functional/dashboard
    *("mcp", "agents.init"),  # for agents; tested in functional/agents
    *(name for name in catalogue.every() if name.partition(".")[0] == "deploy"),  # need a swarm: tests/swarm
}
WARNING = ("config", "up --dry-run", "env", "graph", "is-ready", "doctor", "images", "snapshot", "logs")
"""Some of those that read the definition, and warn about it."""
NOISE = ("warning:", "hint:", "error:", "printed by a hook", "already, nothing to do", "creating", "waiting")


@pytest.fixture(scope="module")
def project(client: Any, busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    variables = {"WEB_PORT": str(find_free_port()), "BROWSER": "true"}
    name = f"t-func-pipes-{secrets.token_hex(4)}"
    project = Project(tmp_path_factory.mktemp("pipes"), name, client, variables, measured=True)
    project.write("tasks.py", TASKS)
    project.compose(STACK)
    try:
        up = project.invoke("up", "--detach")
        assert up.code == 0, up.err
        yield project
    finally:
        project.remove_everything()


def test_no_task_is_left_out() -> None:
    tried = {name.partition(" ")[0] for name in (*COMMANDS, *ANSWERS)}
    assert tried | ACTING | ELSEWHERE == {*catalogue.every()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_output_of_a_command_is_alone_on_stdout(project: Project, name: str) -> None:
    ended = project.invoke(*COMMANDS[name], typed="echo hi\n" if name == "shell" else None)
    assert (ended.code, ended.out) == (0, "hi\n"), ended.err
    assert "SET_NOWHERE is not set" in ended.err


def test_what_run_starts_first_is_told_on_stderr(project: Project) -> None:
    project.container("db").remove(force=True)
    ended = project.invoke("run", "web", "--", "echo", "hi")
    assert (ended.code, ended.out) == (0, "hi\n"), ended.err
    assert "healthy after" in ended.err
    assert "printed by a hook" in ended.err


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_alone_on_stdout(project: Project, name: str) -> None:
    ended = project.invoke(*ANSWERS[name])
    assert not [noise for noise in NOISE if noise in ended.out], ended.out
    if name in WARNING:
        assert "SET_NOWHERE is not set" in ended.err


@pytest.mark.parametrize("name", [name for name in ANSWERS if " " not in name])
def test_with_json_stdout_has_nothing_else(project: Project, name: str) -> None:
    words = [word.replace("first", "third").replace("second", "fourth") for word in ANSWERS[name]]
    ended = project.invoke(*words, "--json")
    if catalogue.every()[name].json == "events":
        assert all(json.loads(line)["type"] for line in ended.out.splitlines())
    else:
        assert json.loads(ended.out or '""') is not None
    assert BUSYBOX not in ended.err


def test_events_tell_of_the_networks_and_volumes_of_the_stack_alone(
    new_project: Callable[..., Project],
) -> None:
    stack = "services: {a: {image: IMAGE, init: true, command: [sleep, '600'], volumes: ['data:/data']}}"
    project = new_project(f"{stack}\nvolumes: {{data: {{}}}}")
    process = project.start("events", "--since", "5s", "--json")
    try:
        project.invoke("up", "--detach")
        project.invoke("down", "--volumes", "--yes")
        seen = set()
        for line in process.stdout or ():
            event = json.loads(line)
            seen.add((event["kind"], event["name"], event["action"]))
            if {("network", "destroy"), ("volume", "destroy")} <= {(kind, act) for kind, _, act in seen}:
                break
    finally:
        process.kill()
        process.wait()
    network, volume = f"{project.name}_default", f"{project.name}_data"
    assert {("network", network, "create"), ("volume", volume, "create")} <= seen
    assert {("network", network, "destroy"), ("volume", volume, "destroy")} <= seen
    assert all(name.startswith(project.name) for _, name, _ in seen)

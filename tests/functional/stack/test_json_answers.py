"""What `--json` prints on a real stack is what the schemas say, to the member and its type: of every task."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.conftest import Ended, Project, find_free_port
from tests.schemas import check_answer, check_event, tasks

STACK = """
    services:
      web:
        build: .
        init: true
        command: [sh, -c, "echo hello; date > /made; exec httpd -f -p 80 -h /tmp"]
        ports: ["127.0.0.1:${WEB_PORT}:80"]
        volumes: ["data:/data"]
        depends_on: [other]
        develop: {watch: [{path: ./src, action: sync, target: /src}]}
      other: {image: IMAGE, init: true, command: [sleep, "600"]}
      short: {image: IMAGE, command: "true", profiles: [more]}
    volumes: {data: {}}
"""
LIFE = (
    "build",
    "create",
    "up --detach",
    "scale other=1",
    "status",
    "ps --all",
    "volumes",
    "traces",
    "port web",
    "urls",
    "is-ready",
    "explain-failure",
    "status",
    "graph",
    "why src/a.txt",
    "copies.add job",
    "copies",
    "copies.end job",
    "stacks",
    "ls",
    "top web",
    "stats web --no-stream",
    "diff web",
    "images",
    "images.layers web",
    "images.inspect web",
    "inspect web",
    "config",
    "config --services",
    "config --explain WEB_PORT",
    "env",
    "env --write .env.made",
    "doctor",
    "version",
    "menu",
    "init --yes --services none",
    "agents.init --for agents --dry-run",
    "open web",
    "logs",
    "up --detach short",
    "wait short",
    "snapshot web --name first",
    "snapshots",
    "snapshots.export first file.tar",
    "snapshots.rm first --yes",
    "snapshots.import file.tar",
    "restore web --name first --yes",
    "pause other",
    "unpause other",
    "restart other",
    "stop web --explain",
    "start web",
    "kill other",
    "events --since 1h --until 0s",  # at once: an engine keeps its last 256, of all containers
    "rm other --yes",
    "commit web PROJECT-kept:1",
    "publish 127.0.0.1:1/nothing:1",
    "pull short",
    "push web",
    "logs nobody",
    "reset web --yes",
    "down",
    "images.rm web --yes",
    "images.prune --yes",
    "deploy.export folder --yes",
)
"""Every task that has `--json`, in an order in which each finds something to tell."""

ELSEWHERE = frozenset(
    (
        "deploy",
        "deploy.diff",
        "deploy.down",
        "deploy.history",
        "deploy.init",
        "deploy.logs",
        "deploy.rollback",
        "deploy.status",
        "setup",
        "watch",
    )
)
"""They need a cluster, change this machine, or last until Ctrl-C: their own tests look at what they print."""


@pytest.fixture(scope="module")
def told(client: Any, busybox: str, tmp_path_factory: Any) -> Iterator[dict[str, Ended]]:
    """What each task of one stack's life printed."""
    folder = tmp_path_factory.mktemp("json")
    project = Project(
        folder, f"t-func-json-{secrets.token_hex(4)}", client, {"WEB_PORT": str(find_free_port())}
    )
    project.variables["BROWSER"] = "true"
    project.write("tasks.py", "from invoke_devstack import stack\n\nnamespace = stack()\n")
    project.write("Dockerfile", f"FROM {busybox}\nRUN true\n")
    project.write("src/a.txt", "a\n")
    project.compose(STACK)
    try:
        words = {typed: typed.replace("PROJECT", project.name).split() for typed in LIFE}
        yield {typed: project.invoke(*words[typed], "--json", timeout=120) for typed in LIFE}
    finally:
        project.remove_everything()


def test_the_walk_passes_every_task() -> None:
    walked = {typed.split()[0] for typed in LIFE}
    assert walked | ELSEWHERE == {name for name, entry in tasks().items() if entry["prints"]}
    assert not walked & ELSEWHERE


@pytest.mark.timeout(900)
def test_every_task_prints_what_its_schema_says(told: dict[str, Ended]) -> None:
    for typed, ended in told.items():
        task = typed.split()[0]
        if tasks()[task]["prints"] == "answer":
            check_answer(task, ended.json(), ended.code)
        else:
            events = ended.events()
            assert events, (typed, ended)
            for event in events:
                check_event(event)
        assert str(ended.code) in tasks()[task]["exit_codes"] or task == "wait", (typed, ended)


def test_every_answer_is_an_answer(told: dict[str, Ended]) -> None:
    for typed, ended in told.items():
        if tasks()[typed.split()[0]]["prints"] == "answer":
            assert ended.code == 0 or typed == "doctor", (typed, ended)
            assert ended.json() or typed in ("images.prune --yes", "traces"), (typed, ended)


def test_the_stream_of_a_life_has_every_usual_event(told: dict[str, Ended]) -> None:
    seen = {
        json.loads(line)["type"]
        for typed, ended in told.items()
        if tasks()[typed.split()[0]]["prints"] == "events"
        for line in ended.out.splitlines()
    }
    usual = {"plan", "action.started", "action.finished", "service.waiting", "service.ready", "up.finished"}
    assert usual | {"log", "document", "service.stopped", "explain", "error", "down.finished"} <= seen
    assert {"engine.event", "table"} <= seen


def test_a_failure_is_an_error_with_the_exit_code(told: dict[str, Ended]) -> None:
    for typed, code, reason in (
        ("logs nobody", 2, "usage"),
        ("push web", 2, "usage"),
        ("pull short", 1, None),
    ):
        ended = told[typed]
        error = ended.events()[-1]
        assert (ended.code, error["exit_code"]) == (code, code), ended
        assert error["reason"] == reason or reason is None

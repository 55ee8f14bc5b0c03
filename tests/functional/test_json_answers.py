"""What `--json` prints on a real stack is what docs/json.md says, to the member and its type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.functional.conftest import ROOT, Ended, Project, find_free_port

PAGE = (ROOT / "docs" / "json.md").read_text("utf-8")
STACK = """
    services:
      web:
        image: IMAGE
        build: .
        init: true
        command: [sh, -c, "echo hello; date > /made; exec httpd -f -p 80 -h /tmp"]
        ports: ["127.0.0.1:${WEB_PORT}:80"]
        volumes: ["data:/data"]
        depends_on: [other]
      other: {image: IMAGE, init: true, command: [sleep, "600"]}
    volumes: {data: {}}
"""
ANSWERS = {
    "ps": ("ps", "--all"),
    "port": ("port", "web"),
    "urls": ("urls",),
    "is-ready": ("is-ready",),
    "graph": ("graph",),
    "stacks": ("stacks",),
    "top": ("top", "-s", "web"),
    "stats": ("stats", "-s", "web"),
    "diff": ("diff", "web"),
    "images": ("images",),
    "images.layers": ("images.layers", "web"),
    "images.inspect": ("images.inspect", "web"),
    "inspect": ("inspect", "web"),
    "snapshot": ("snapshot", "web", "--name", "first"),
    "snapshots": ("snapshots",),
    "snapshots.export": ("snapshots.export", "first", "file.tar"),
    "config": ("config",),
    "env": ("env",),
    "doctor": ("doctor",),
    "menu": ("menu",),
}
"""Task -> its words, in an order in which each finds something to tell."""

KINDS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "true or false": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "list of texts": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "list of numbers": lambda value: isinstance(value, list) and all(isinstance(item, int) for item in value),
    "list of objects": lambda value: (
        isinstance(value, list) and all(isinstance(item, dict) for item in value)
    ),
    "anything": lambda value: True,
}
OPEN = {"top"}  # has further columns


def table(heading: str) -> dict[str, list[str]]:
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = (line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `"))
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in cells}


def members(text: str) -> dict[str, str]:
    """`name` kind, … as name -> kind."""
    return dict(re.findall(r"`(\w+)` ([^,`]+)", text))


def check(found: Mapping[str, Any], wanted: Mapping[str, str], *, is_open: bool = False) -> None:
    assert {*wanted} <= {*found} if is_open else {*wanted} == {*found}
    for name, kind in wanted.items():
        kinds = [kind] if kind in KINDS else kind.split(" or ")
        assert any(KINDS[word](found[name]) for word in kinds), (name, kind, found[name])


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, client: Any, busybox: str, tmp_path_factory: Any) -> Iterator[Any]:
    """Every answer of one stack, and the events of its life."""
    folder = tmp_path_factory.mktemp("json")
    project = Project(folder, f"t-func-json-{find_free_port()}", client, {"WEB_PORT": str(find_free_port())})
    project.write("tasks.py", "from invoke_devstack import stack\n\nnamespace = stack()\n")
    project.write("Dockerfile", f"FROM {busybox}\nRUN true\n")
    project.compose(STACK.replace("image: IMAGE\n        build", "build"))
    try:
        life = [project.invoke("up", "--detach", "--build", "--json", timeout=120)]
        answers = {name: project.invoke(*words, "--json") for name, words in ANSWERS.items()}
        life += [
            project.invoke("logs", "--json"),
            project.invoke("restore", "web", "--name", "first", "--yes", "--json"),
            project.invoke("snapshots.rm", "first", "--yes", "--json"),
            project.invoke("stop", "-s", "web", "--explain", "--json"),
            project.invoke("logs", "-s", "nobody", "--json"),
            project.invoke("down", "--json"),
        ]
        yield answers, life
    finally:
        project.remove_everything()


def test_every_answer_has_the_members_that_the_page_says(told: tuple[dict[str, Ended], list[Ended]]) -> None:
    page = table("Answers")
    for name, ended in told[0].items():
        assert ended.code == 0 or name == "doctor", (name, ended.err)
        shape, described, _ = page[name]
        answer = json.loads(ended.out)
        assert isinstance(answer, {"array": list, "object": dict, "text": str}[shape]), name
        found = answer if shape == "array" else [answer]
        assert found, name
        for row in found if described else ():
            check(row, members(described), is_open=name in OPEN)


def test_every_event_has_the_members_that_the_page_says(told: tuple[dict[str, Ended], list[Ended]]) -> None:
    page = table("Events")
    seen = set()
    for ended in told[1]:
        for line in ended.out.splitlines():
            event = json.loads(line)
            assert event.pop("v") == 1
            kind = event.pop("type")
            seen.add(kind)
            check(event, members(page[kind][0]))
    assert {"plan", "action.started", "service.ready", "up.finished", "log", "document"} <= seen
    assert {"service.stopped", "explain", "error", "down.finished"} <= seen

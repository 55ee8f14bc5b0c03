"""`graph` in its three forms and `is-ready`, on a stack whose services are in all states."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, FloatRect, Locator

from tests.functional.conftest import Project

STACK = """
    services:
      db:
        image: IMAGE
        init: true
        command: [sleep, "600"]
        healthcheck: {test: [CMD, test, -e, /tmp/open], interval: 1s, retries: 200}
      migrate: {image: IMAGE, command: ["true"]}
      web:
        image: IMAGE
        command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
        restart: unless-stopped
        depends_on: {migrate: {condition: service_completed_successfully}}
"""


@pytest.fixture
def stack(new_project: Callable[..., Project]) -> Project:
    project = new_project(STACK)
    assert project.invoke("up", "--detach", "-s", "web").code == 0
    return project


def readiness(project: Project, *words: str) -> tuple[int, dict[str, tuple[str, bool]]]:
    ended = project.invoke("is-ready", "--json", *words)
    return ended.code, {row["service"]: (row["state"], row["ready"]) for row in ended.json()}


def test_a_one_shot_that_is_done_is_ready_and_what_is_not_there_is_not(stack: Project) -> None:
    code, found = readiness(stack)
    assert code == 1
    assert found == {"db": ("not there", False), "migrate": ("done", True), "web": ("running", True)}
    assert readiness(stack, "-s", "web,migrate")[0] == 0


def test_a_server_that_was_stopped_is_not_ready_although_it_ended_well(stack: Project) -> None:
    assert stack.invoke("stop", "-s", "web").code == 0
    assert stack.container("web").attrs["State"]["ExitCode"] == 0
    assert readiness(stack, "-s", "web") == (1, {"web": ("exited", False)})


def test_wait_comes_back_once_the_last_one_is_ready(stack: Project) -> None:
    started = stack.start("up", "--detach", "-s", "db")
    while not stack.client.containers.list(filters={"name": f"{stack.name}-db-1"}):
        time.sleep(0.1)
    assert stack.invoke("is-ready", "--wait", "--timeout", "1").code == 1
    opened = threading.Timer(1.0, lambda: stack.container("db").exec_run("touch /tmp/open"))
    opened.start()
    waited = stack.invoke("is-ready", "--wait")
    assert (waited.code, "healthy" in waited.out) == (0, True)
    started.communicate(timeout=60)


def box_of(item: Locator) -> FloatRect:
    box = item.bounding_box()
    assert box is not None
    return box


def test_the_graph_shows_states_and_a_browser_draws_it(
    stack: Project, browser: Browser, tmp_path: Path
) -> None:
    text = stack.invoke("graph").out
    assert "migrate  (done)\n" in text
    assert "web  (running)\n  waits for migrate done\n" in text
    assert "-->|done|" in stack.invoke("graph", "--format", "mermaid").out
    picture = tmp_path / "graph.svg"
    picture.write_text(stack.invoke("graph", "--format", "svg").out)
    ElementTree.parse(picture)
    page = browser.new_page()
    page.goto(picture.as_uri())
    boxes = {text.text_content(): box_of(text) for text in page.locator("text").all()}
    frames = [box_of(frame) for frame in page.locator("rect[rx]").all()]
    page.close()
    assert {"web", "db", "migrate", "running", "done"} <= {*boxes}
    for box in boxes.values():
        assert any(
            frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]
            for frame in frames
        )


def test_the_graph_is_drawn_without_an_engine_too(stack: Project) -> None:
    stack.variables["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    assert stack.invoke("graph").out == "db\nmigrate\nweb\n  waits for migrate done\n"


def test_a_form_that_there_is_not_is_refused(stack: Project) -> None:
    refused = stack.invoke("graph", "--format", "png")
    assert (refused.code, "text, mermaid, svg" in refused.err) == (2, True)

"""The commands of a day on a simulated Windows (tests/as_windows.py), with a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.functional.conftest import ROOT, Project, output_of

STACK = """
services:
  web:
    image: IMAGE
    command: ["sh", "-c", "echo begun; exec sleep 1000"]
    init: true
    develop:
      watch:
        - {action: sync, path: ./page, target: /page}
"""
PATIENCE = 150.0  # seconds


@pytest.fixture
def windows(new_project: Callable[..., Project]) -> Project:
    url = urlsplit(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    if url.scheme != "unix":
        pytest.skip("the engine is not behind a socket of this machine")
    variables = {"DEVSTACK_TEST_PIPE": url.path, "PYTHONPATH": str(ROOT), "DOCKER_HOST": ""}
    project = new_project(STACK, variables=variables)
    project.write("page/index.html", "first\n")
    return project


def words_of(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.as_windows", *words)


def run(project: Project, *words: str, typed: str | None = None) -> str:
    """What the command said, when it has ended with 0."""
    done = project.run(*words_of(*words), typed=typed, timeout=PATIENCE)
    assert done.code == 0, done.out + done.err
    assert "unexpected" not in done.err
    return done.out + done.err


def test_a_stack_is_started_used_and_removed(windows: Project) -> None:
    assert "is up: 1 service" in run(windows, "up", "--detach")
    assert "running" in run(windows, "ps")
    assert "begun" in run(windows, "logs")
    assert "npipe:////./pipe/docker_engine" in run(windows, "doctor")
    assert "is down" in run(windows, "down")
    assert windows.containers() == []


def test_input_reaches_a_command_and_ends(windows: Project) -> None:
    """`cat` ends only when the end of its input has come through the pipe."""
    run(windows, "up", "--detach")
    assert run(windows, "exec", "--no-tty", "web", "cat", typed="typed\n") == "typed\n"
    assert "typed\n" in run(windows, "run", "--no-tty", "web", "cat", typed="typed\n")


def test_files_are_copied_both_ways(windows: Project) -> None:
    run(windows, "up", "--detach")
    run(windows, "cp", "page/index.html", "web:/tmp/index.html")
    run(windows, "cp", "web:/tmp/index.html", "back.html")
    assert (windows.directory / "back.html").read_text() == "first\n"


def test_an_edit_is_synced_and_an_interrupt_ends_the_watch(windows: Project) -> None:
    run(windows, "up", "--detach")
    process = subprocess.Popen(
        words_of("watch"),
        cwd=windows.directory,
        env=windows.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        wait_for(process, "watching", said)
        windows.write("page/index.html", "second\n")
        wait_for(process, "synced 1 file", said)
        assert output_of(windows.container("web"), "cat", "/page/index.html") == b"second\n"
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=PATIENCE)[0].splitlines(keepends=True)
        assert process.returncode == 130, said
        assert "unexpected" not in "".join(said)
    finally:
        process.kill()


def wait_for(process: subprocess.Popen[str], text: str, said: list[str]) -> None:
    """Reads on until a line has the text; pytest's limit ends it."""
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if text in line:
            return
    raise AssertionError("".join(said))

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project, invoke_command, until

TALKERS = """
    services:
      one: {image: IMAGE, init: true, command: [sh, -c, "for i in 1 2 3; do echo one $$i; done; sleep 600"]}
      three: {image: IMAGE, init: true, command: [sh, -c, "echo three 1 >&2; sleep 600"]}
"""


@pytest.fixture
def talkers(new_project: Callable[..., Project]) -> Project:
    project = new_project(TALKERS)
    assert project.invoke("up").code == 0
    until(lambda: len(project.invoke("logs").out.splitlines()) >= 4, "the lines of both")
    return project


def test_logs_are_history_with_names_before_each_line(talkers: Project) -> None:
    ended = talkers.invoke("logs")
    assert ended.code == 0
    expected = ["one   | one 1", "one   | one 2", "one   | one 3", "three | three 1"]
    assert sorted(ended.out.splitlines()) == expected


def test_logs_of_one_service(talkers: Project) -> None:
    assert talkers.invoke("logs", "-s", "three").out.strip() == "three | three 1"


def test_tail_counts_for_each_service(talkers: Project) -> None:
    lines = talkers.invoke("logs", "--tail", "1").out.splitlines()
    assert sorted(lines) == ["one   | one 3", "three | three 1"]


def test_grep_keeps_what_matches(talkers: Project) -> None:
    lines = talkers.invoke("logs", "--grep", "[12]$").out.splitlines()
    assert sorted(lines) == ["one   | one 1", "one   | one 2", "three | three 1"]
    assert talkers.invoke("logs", "--grep", "[").code == 2


def test_timestamps_begin_each_line(talkers: Project) -> None:
    (line,) = talkers.invoke("logs", "--timestamps", "--tail", "1", "-s", "one").out.splitlines()
    moment, text = line.removeprefix("one   | ").split(" ", 1)
    assert moment.startswith("20")
    assert moment.endswith("Z")
    assert text == "one 3"


def test_json_is_an_object_a_line(talkers: Project) -> None:
    lines = [json.loads(line) for line in talkers.invoke("logs", "--json", "-s", "one").out.splitlines()]
    assert [(line["type"], line["service"], line["data"]) for line in lines] == [
        ("log", "one", f"one {number}") for number in (1, 2, 3)
    ]


def test_head_ends_logs_without_a_word(talkers: Project) -> None:
    command = f"'{invoke_command()}' logs | head -n 1; exit ${{PIPESTATUS[0]}}"
    ended = talkers.run("bash", "-c", command)
    assert len(ended.out.splitlines()) == 1
    assert ended.err == ""


def test_head_ends_an_attached_up_and_the_stack_with_it(new_project: Callable[..., Project]) -> None:
    project = new_project("""
        services:
          one: {image: IMAGE, init: true, command: [sh, -c, "while :; do echo tick; sleep 0.1; done"]}
    """)
    command = f"'{invoke_command()}' up --attach | head -n 3; exit ${{PIPESTATUS[0]}}"
    ended = project.run("bash", "-c", command)
    assert ended.code == 141
    assert project.container("one").status == "exited"


def test_follow_goes_on_until_it_is_interrupted(talkers: Project) -> None:
    following = talkers.start("logs", "--follow", "-s", "one")
    assert following.stdout is not None
    try:
        seen = [following.stdout.readline() for _ in range(3)]
        assert seen[-1] == "one   | one 3\n"
        talkers.container("one").restart(timeout=1)
        assert following.stdout.readline() == "one   | one 1\n"
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        following.kill()
        raise
    assert following.returncode == 130
    assert "Traceback" not in out + err

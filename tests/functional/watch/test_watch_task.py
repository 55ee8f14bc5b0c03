from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable

from tests.functional.conftest import Project

SYNCED = """
    services:
      web:
        image: IMAGE
        init: true
        command: [sleep, "600"]
        develop: {watch: [{action: sync, path: ./app, target: /app, ignore: ["*.log"]}]}
"""


def in_container(project: Project, path: str) -> str:
    _, output = project.container("web").exec_run(["cat", path])
    return str(output.decode())


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_watch_syncs_what_is_saved_and_says_so(new_project: Callable[..., Project]) -> None:
    project = new_project(SYNCED)
    project.write("app/page.txt", "one\n")
    assert project.invoke("up").code == 0
    watching = project.start("watch", "--json")
    assert watching.stdout is not None
    try:
        while json.loads(watching.stdout.readline())["type"] != "watch.started":
            pass
        project.write("app/page.log", "noise\n")
        project.write("app/page.txt", "two\n")
        assert wait_for(lambda: in_container(project, "/app/page.txt") == "two\n")
        said = ""
        while "watch.synced" not in said:  # it is told once it is done
            line = watching.stdout.readline()
            assert line, said
            said += line
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        watching.kill()
        raise
    events = [json.loads(line) for line in (said + out).splitlines()]
    assert {event["service"] for event in events if event["type"] == "watch.synced"} == {"web"}
    told = [file for event in events if event["type"] == "watch.changed" for file in event["files"]]
    assert {(file["path"], file["action"], file["why"]) for file in told} >= {
        ("app/page.txt", "sync", ""),
        ("app/page.log", "none", "`*.log` in `ignore`"),
    }
    assert {file["position"] for file in told} == {"compose.yaml:6"}
    assert watching.returncode == 130, err


def test_why_tells_what_a_change_would_do(new_project: Callable[..., Project]) -> None:
    project = new_project(SYNCED)
    project.write("app/page.txt", "one\n")
    (row,) = json.loads(project.invoke("why", "app/page.log", "--json").out)
    assert (row["service"], row["action"], row["why"]) == ("web", "none", "`*.log` in `ignore`")
    (row,) = json.loads(project.invoke("why", "elsewhere.txt", "--json").out)
    assert row["why"] == "no rule watches it"
    assert "compose.yaml:6" in project.invoke("why", "app/page.txt").out


def test_watch_needs_a_running_stack(new_project: Callable[..., Project]) -> None:
    project = new_project(SYNCED)
    project.write("app/page.txt", "one\n")
    ended = project.invoke("watch")
    assert ended.code in (1, 2)
    assert "error:" in ended.err
    assert "Traceback" not in ended.err

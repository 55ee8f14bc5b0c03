"""Processes of this machine are services in every task; containers and processes wait for each other."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from invoke_devstack.engine.processes.recorder import MARK
from tests.functional.conftest import Project, find_free_port, until

pytestmark = pytest.mark.timeout(600)  # some are twenty commands long

ROUNDS = int(os.environ.get("DEVSTACK_PROCESS_KILLS", "5"))
TASKS = """
from invoke_devstack import stack

namespace = dev = stack()


@dev.process(ready={"log": "^from tasks.py"}, depends_on=["worker"])
def second_worker():
    return ["sh", "-c", "echo from tasks.py; exec sleep 1000"]
"""
STACK = """
services:
  cache:
    image: IMAGE
    init: true
    command: [sh, -c, "touch /tmp/ok; exec sleep 1000"]
    stop_grace_period: 1s
    healthcheck: {{test: "test -f /tmp/ok", interval: 1s}}
  web:
    image: IMAGE
    init: true
    command: [sleep, "1000"]
    stop_grace_period: 1s
    x-devstack: {{depends_on: {{page: {{condition: service_healthy}}}}}}
x-devstack:
  processes:
    page:
      command: python3 -u -m http.server {port} --bind 127.0.0.1
      ready: {{port: {port}, path: /}}
      depends_on: {{cache: {{condition: service_healthy}}}}
    worker:
      command: [sh, -c, "echo as $ROLE; trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done"]
      environment: {{ROLE: worker}}
      ready: {{log: "as w.*er"}}
      stop_grace_period: 20s
"""


@pytest.fixture
def port() -> int:
    return find_free_port()


@pytest.fixture
def stack(new_project: Callable[..., Project], port: int) -> Iterator[Project]:
    runtime = Path(tempfile.mkdtemp(prefix="p-", dir="/tmp"))  # a name that leaves room for a socket's
    project = new_project(
        STACK.format(port=port).replace("$ROLE", "$$ROLE"),
        variables={"XDG_RUNTIME_DIR": str(runtime)},
        measured=True,
    )
    yield project
    ended = project.invoke("down")
    assert ended.code == 0, ended.err
    assert marked(project) == []
    assert (runtime / "invoke-devstack").is_dir()
    until(  # the supervisor's last steps come after `down`
        lambda: not list((runtime / "invoke-devstack").glob("*/*")), "the end of the supervisor's files"
    )
    shutil.rmtree(runtime)


def marked(project: Project) -> list[psutil.Process]:
    """All processes that were started for a process of a project with this runtime directory."""
    found = []
    for item in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            variables = item.environ()
            if MARK in variables and variables.get("XDG_RUNTIME_DIR") == project.variables["XDG_RUNTIME_DIR"]:
                found.append(item)
    return found


def states(project: Project) -> dict[str, str]:
    return {row["service"]: row["state"] for row in project.invoke("ps", "--all", "--json").json()}


def up(project: Project) -> list[dict[str, Any]]:
    ended = project.invoke("up", "--detach", "--json")
    assert ended.code == 0, ended.out
    return ended.events()


def test_processes_are_services_in_every_task(stack: Project, port: int) -> None:
    events = up(stack)
    starts = [event for event in events if event["type"] == "action.finished" and event["action"] == "start"]
    started = [event["service"] for event in starts]
    assert started.index("cache") < started.index("page") < started.index("web")
    assert states(stack) == dict.fromkeys(("cache", "page", "web", "worker"), "running")
    rows = {row["service"]: row for row in stack.invoke("ps", "--json").json()}
    assert [(item["host_ip"], item["host_port"]) for item in rows["page"]["ports"]] == [("127.0.0.1", port)]

    assert "worker | as worker" in stack.invoke("logs").out
    for words in (("top",), ("stats", "--no-stream")):
        assert {row["service"] for row in stack.invoke(*words, "--json").json()} >= {"page", "worker"}
    assert f"localhost:{port}" in stack.invoke("urls").out
    assert stack.invoke("is-ready").code == 0
    assert {row["service"] for row in stack.invoke("images", "--json").json()} == {"cache", "web"}
    assert stack.invoke("images.rm", "page", "--yes").code == 2
    assert stack.invoke("config", "--services").out.split() == ["cache", "web"]

    again = up(stack)
    assert again[-1]["changed"] is False

    before = {name: stack.container(name).id for name in ("cache", "web")}
    compose = stack.directory / "compose.yaml"
    compose.write_text(compose.read_text().replace("ROLE: worker", "ROLE: waiter"))
    changed = up(stack)
    actions = [event for event in changed if event["type"] == "action.started"]
    assert {event["service"] for event in actions} == {"worker"}
    assert any("ROLE" in event["cause"] for event in actions)
    assert {name: stack.container(name).id for name in ("cache", "web")} == before

    stopped = stack.invoke("stop", "-s", "worker", "--json").events("service.stopped")
    assert [(item["service"], item["exit_code"], item["killed"]) for item in stopped] == [
        ("worker", 0, False)
    ]
    assert states(stack)["worker"] == "exited"
    assert stack.invoke("start", "-s", "worker").code == 0
    assert stack.invoke("restart", "-s", "page").code == 0
    assert stack.invoke("kill", "-s", "page").code == 0
    waited = stack.invoke("wait", "-s", "page", "--json")
    assert [row["exit_code"] for row in waited.json()] == [137]
    assert stack.invoke("is-ready").code == 1
    assert stack.docker("compose", "ps", "--services").out.split() == ["cache", "web"]


def test_tasks_py_declares_a_process_too(stack: Project) -> None:
    stack.write("tasks.py", TASKS)
    up(stack)
    assert states(stack)["second-worker"] == "running"
    assert "from tasks.py" in stack.invoke("logs", "-s", "second-worker").out
    stack.write("tasks.py", TASKS.replace("depends_on", "depend_on"))
    ended = stack.invoke("up", "--detach")
    assert ended.code == 1
    assert "depend_on" in ended.err
    stack.write("tasks.py", TASKS)


def test_a_taken_port_is_told_with_its_holder(stack: Project, port: int) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        ended = stack.invoke("up", "--detach")
    assert ended.code == 1
    assert f"port {port}" in ended.err
    assert str(os.getpid()) in ended.err


def test_what_ends_at_once_fails_up_with_its_last_words(stack: Project) -> None:
    compose = stack.directory / "compose.yaml"
    compose.write_text(compose.read_text().replace("echo as $$ROLE;", "echo no such thing >&2; exit 4;"))
    ended = stack.invoke("up", "--detach")
    assert ended.code == 1
    assert "no such thing" in ended.err
    assert "code 4" in ended.err


def test_the_next_command_goes_on_whatever_is_killed(stack: Project) -> None:
    chance = random.Random(1)
    for number in range(ROUNDS):
        command = stack.start("up", "--detach", start_new_session=True)
        time.sleep(chance.uniform(0.2, 2.5))
        victims = [item for item in psutil.process_iter() if _is_ours(item, stack)]
        victim = command if number % 2 or not victims else chance.choice(victims)
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)
        command.communicate(timeout=60)
        up(stack)
        assert states(stack) == dict.fromkeys(("cache", "page", "web", "worker"), "running"), number
    assert len([item for item in marked(stack) if "http.server" in _words(item)]) == 1


def test_they_run_in_the_directory_of_the_project(stack: Project) -> None:
    up(stack)
    (page,) = (item for item in marked(stack) if "http.server" in _words(item))
    assert page.cwd() == str(stack.directory.resolve())


def test_every_shell_finds_them(stack: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With another XDG_RUNTIME_DIR, as of cron or `su`, and without one."""
    up(stack)
    before = marked(stack)
    first = stack.variables["XDG_RUNTIME_DIR"]
    for runtime in ("", str(tmp_path_factory.mktemp("r", numbered=False))):
        stack.variables["XDG_RUNTIME_DIR"] = runtime
        assert states(stack) == dict.fromkeys(("cache", "page", "web", "worker"), "running")
        assert up(stack)[-1]["changed"] is False
        assert "worker | as worker" in stack.invoke("logs").out
        stopped = stack.invoke("restart", "-s", "worker", "--json")
        assert stopped.code == 0, stopped.out
    assert stack.invoke("down").code == 0
    stack.variables["XDG_RUNTIME_DIR"] = first
    assert marked(stack) == []
    assert not [item for item in before if item.is_running()]  # another one may have its number


def _words(item: psutil.Process) -> str:
    """Its command line; "" where it has ended meanwhile, as the `sleep` of a worker does each second."""
    with contextlib.suppress(psutil.Error):
        return " ".join(item.cmdline())
    return ""


def _is_ours(item: psutil.Process, project: Project) -> bool:
    """Whether it is the supervisor or a recorder."""
    words = _words(item)
    return project.variables["XDG_RUNTIME_DIR"] in words and ("supervisord" in words or "recorder" in words)

"""A server ends with its client, and a call when it is cancelled: as Ctrl-C ends a command."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from invoke_devstack.engine.endpoints import find_endpoint
from tests.functional.agents.client import PATIENCE, Raw
from tests.functional.agents.conftest import stack
from tests.functional.conftest import TASKS, Project, invoke_command
from tests.proxy import EngineProxy, Verdict

_ROUNDS = 3


@pytest.fixture(scope="module")
def waiting(shop: Project) -> Project:
    """An `up` of it waits for a service that never becomes healthy."""
    shop.compose(stack("exec sleep 1000", test="false"))
    return shop


@pytest.fixture(autouse=True)
def _own_tasks_only(waiting: Project) -> None:
    waiting.write("tasks.py", TASKS)


def is_free(project: Project) -> bool:
    """Whether nobody has the project's lock."""
    return not [
        item for item in project.client.volumes.list() if item.name == f"devstack-lock-{project.name}"
    ]


@pytest.mark.parametrize(
    ("how", "code"), [("stdin", 0), ("SIGTERM", 143), ("SIGHUP", 129)], ids=["stdin", "SIGTERM", "SIGHUP"]
)
def test_a_client_that_dies_ends_the_server_and_what_it_does(waiting: Project, how: str, code: int) -> None:
    with Raw(waiting, "--allow-changes") as client:
        client.call(2, "up")
        client.read_until("await ")
        if how != "stdin":
            client.process.send_signal(getattr(signal, how))
            client.process.wait(PATIENCE)
        assert client.rest() == (code, "")
    assert is_free(waiting)


def test_a_cancelled_up_ends_and_the_server_goes_on(waiting: Project) -> None:
    with Raw(waiting, "--allow-changes") as client:
        client.call(2, "up")
        client.read_until("await ")
        client.cancel(2)
        client.call(3, "down")
        answer = client.read_until('"id": 3')
        assert not answer["result"]["isError"]
        assert waiting.containers() == []
        assert is_free(waiting)
        client.call(4, "wait_ready", timeout=1000)
        client.read_until('"progressToken": 4')
        client.cancel(4)
        client.call(5, "status")
        assert client.read_until('"id": 5')["result"]["structuredContent"]["ready"] is False
        assert client.rest() == (0, "")


def test_a_call_that_is_cancelled_before_it_has_begun_holds_up_nothing(waiting: Project) -> None:
    with Raw(waiting, "--allow-changes") as client:
        for number in range(2, 12):
            client.call(number, "up")
            client.cancel(number)
        client.call(20, "down")
        assert not client.read_until('"id": 20')["result"]["isError"]
        assert waiting.containers() == []
        assert is_free(waiting)
        assert client.rest() == (0, "")


def test_a_hook_whose_call_is_cancelled_ends_with_its_program(waiting: Project) -> None:
    waiting.write(
        "tasks.py",
        """
        from invoke_devstack import stack

        namespace = dev = stack()


        @dev.before("up", always=True)
        def wait(c):
            c.run("echo the hook waits >&2; exec sleep 987654")
        """,
    )
    with Raw(waiting, "--allow-changes") as client:
        client.call(2, "up")
        client.read_until("before up")
        wait_for(lambda: "sleep 987654" in programs_of(client.process.pid))
        client.cancel(2)
        client.call(3, "down")
        assert not client.read_until('"id": 3')["result"]["isError"]
        assert "sleep 987654" not in programs_of(client.process.pid)
        assert client.rest()[0] == 0


def programs_of(process: int) -> list[str]:
    found = []
    for program in psutil.Process(process).children(recursive=True):
        with suppress(psutil.Error):
            found.append(" ".join(program.cmdline()))
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_an_engine_that_goes_away_while_a_call_gives_its_lock_back_holds_up_nobody(
    waiting: Project, tmp_path: Path
) -> None:
    gone = threading.Event()

    def away(number: int, line: str) -> Verdict:
        if "devstack-lock" in line and line.startswith("DELETE"):
            gone.set()
        return Verdict.DROP if gone.is_set() else Verdict.PASS

    proxy = EngineProxy(tmp_path / "e.sock", find_endpoint().url, away)
    with Raw(waiting, "--allow-changes", DOCKER_HOST=proxy.url) as client:
        client.call(2, "up")
        client.read_until("await ")
        client.cancel(2)
        wait_for(gone.is_set)
        assert not is_free(waiting)
        proxy._decide = lambda number, line: Verdict.PASS
        wait_for(lambda: is_free(waiting))  # for everybody, although the server has nothing to do
        gone.clear()
        proxy._decide = away
        client.call(3, "down")
        client.read_until('"id": 3')
        assert gone.is_set()
        proxy._decide = lambda number, line: Verdict.PASS
        client.call(4, "down")  # does not wait for what the call before it has left
        client.read_until('"id": 4')
        wait_for(lambda: is_free(waiting))
        assert client.rest() == (0, "")
    proxy.close()


def test_what_is_no_message_is_ignored_and_hooks_print_nothing_into_the_protocol(waiting: Project) -> None:
    waiting.write(
        "tasks.py",
        """
        from invoke_devstack import stack

        namespace = dev = stack()


        @dev.before("down", always=True)
        def speak(c):
            print("out loud")
            c.run("echo from a program; cat")
        """,
    )
    with Raw(waiting, "--allow-changes") as client:
        assert client.process.stdin is not None
        client.process.stdin.write("nonsense\n{}\n[1, 2]\n\x00\n")
        client.send(id="x", method="no/such/method")
        assert client.read_until('"x"')["error"]["code"] == -32601
        client.call(2, "down")
        data = client.read_until('"id": 2')["result"]["structuredContent"]
        assert data["hooks_printed"] == ["stdout: from a program"]
        assert client.rest() == (0, "out loud\n")


@pytest.mark.timeout(600)
def test_it_starts_about_as_fast_as_an_empty_task_and_the_sdk_alone(waiting: Project) -> None:
    waiting.write("empty/tasks.py", "from invoke import task\n\n@task\ndef nothing(c):\n    pass\n")

    def first_answer() -> float:
        began = time.monotonic()
        with Raw(waiting) as client:
            seconds = time.monotonic() - began
            client.rest()
        return seconds

    def least() -> float:
        began = time.monotonic()
        imports = "import mcp.server.lowlevel.server, mcp.server.stdio"
        subprocess.run([sys.executable, "-c", imports], check=True)
        folder = str(waiting.directory / "empty")
        subprocess.run([invoke_command(), "-r", folder, "nothing"], check=True)
        return time.monotonic() - began

    assert statistics.median(first_answer() / least() for _ in range(_ROUNDS)) < 2.5  # 1.3 when idle

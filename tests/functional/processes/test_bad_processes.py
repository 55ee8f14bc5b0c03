"""Processes that cannot run, or not as they are: each is told in words, with what to do."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.functional.conftest import Ended, Project, find_free_port

LINE = "x" * 99
ONCE_UP = "until [ -e up ]; do sleep 0.1; done; sleep 0.5"
"""A process that leaves another one behind waits for it: a busy machine takes its time to start it."""


@pytest.fixture
def run(new_project: Callable[..., Project]) -> Iterator[Callable[[str], Ended]]:
    """Brings up a stack whose only service is the process `it`, with this block; down at the end."""
    runtime = Path(tempfile.mkdtemp(prefix="p-", dir="/tmp"))
    project = new_project(variables={"XDG_RUNTIME_DIR": str(runtime)})

    def up(block: str) -> Ended:
        project.compose(f"x-devstack: {{processes: {{it: {block}}}}}\n")
        return project.invoke("up", "--detach")

    up.project = project  # type: ignore[attr-defined]
    yield up
    project.compose("x-devstack: {processes: {it: {command: sleep 1}}}\n")  # the case may be no definition
    assert project.invoke("down").code == 0
    end = time.monotonic() + 60
    while left := [item.pid for item in _of(runtime)]:  # the supervisor's last steps come after `down`
        assert time.monotonic() < end, left
        time.sleep(0.05)
    shutil.rmtree(runtime)


def _of(runtime: Path) -> Iterator[psutil.Process]:
    for item in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if item.environ().get("XDG_RUNTIME_DIR") == str(runtime):
                yield item


def test_one_that_goes_into_the_background_is_never_ready(run: Callable[[str], Ended]) -> None:
    """It had put what would serve the port into another session."""
    serve = r"setsid python3 -c 'import time; open(\"up\", \"w\"); time.sleep(1000)'"
    ended = run(f'{{command: [sh, -c, "{serve} & {ONCE_UP}"], ready: {find_free_port()}}}')
    assert ended.code == 1
    assert "it exited with code 0 before it was ready" in ended.err
    assert "A process has to stay in the foreground" in ended.err
    assert "so python3 (pid" in ended.err


def test_one_that_goes_into_the_background_is_told_where_nothing_waits(run: Callable[[str], Ended]) -> None:
    serve = "setsid sh -c 'touch up; exec sleep 1000'"
    ended = run(f'{{command: [sh, -c, "{serve} & {ONCE_UP}"]}}')
    assert ended.code == 0
    project: Project = run.project  # type: ignore[attr-defined]
    assert project.invoke("wait", "-s", "it").code == 0
    assert "invoke-devstack: it exited, so sleep (pid" in project.invoke("logs").out


def test_all_that_is_missing_is_told_before_anything_starts(run: Callable[[str], Ended]) -> None:
    ended = run('{command: [sleep, "1"], working_dir: ./nowhere}, other: {command: no-such-program-here}')
    assert ended.code == 1
    assert "the process `it` cannot run in" in ended.err
    assert "there is no such folder" in ended.err
    assert "this machine does not have the command `no-such-program-here`" in ended.err
    assert "compose.yaml:" in ended.err
    assert "creating" not in ended.err


def test_an_empty_command(run: Callable[[str], Ended]) -> None:
    ended = run('{command: ""}')
    assert ended.code == 1
    assert "`x-devstack.processes.it.command`: must name a program" in ended.err


def test_one_that_needs_a_terminal(run: Callable[[str], Ended]) -> None:
    ended = run('{command: [sh, -c, "exec < /dev/tty"]}')
    assert ended.code == 1
    assert "`invoke up --detach --without it`" in ended.err


def test_one_that_ignores_its_stop_signal(run: Callable[[str], Ended]) -> None:
    ended = run(
        "{command: [sh, -c, \"trap '' TERM; echo deaf; while :; do sleep 0.05; done\"], ready: {log: deaf},"
        " stop_grace_period: 1s}"
    )
    assert ended.code == 0, ended.err
    stopped = run.project.invoke("stop")  # type: ignore[attr-defined]
    assert "killed after" in stopped.out
    assert "ignores SIGTERM" in stopped.out


def test_one_that_prints_more_than_anybody_reads(run: Callable[[str], Ended]) -> None:
    """20 MB in lines, then 1 MB without a newline."""
    program = f"yes {LINE} | head -n 200000; head -c 1000000 /dev/zero | tr '\\\\0' y; echo; exec sleep 1000"
    ended = run(f'{{command: [sh, -c, "{program}"], ready: {{log: "^y+$"}}}}')
    assert ended.code == 0, ended.err
    lines = run.project.invoke("logs", "--no-log-prefix").out.splitlines()  # type: ignore[attr-defined]
    assert lines.count(LINE) == 200_000
    assert [len(line) for line in lines if line != LINE] == [1_000_000]

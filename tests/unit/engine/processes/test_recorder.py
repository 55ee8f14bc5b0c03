"""The program that runs a process: what it writes down, and how the process ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from invoke_devstack.engine.processes import recorded_log, recorder
from invoke_devstack.engine.processes.log import ProcessLog
from invoke_devstack.engine.processes.process import KeptProcess, create, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")
STAMP = len("2026-11-26T19:00:00.123456789Z ")


class Run:
    """A recorder and its process."""

    def __init__(self, folder: Path, *command: str, **body: Any) -> None:
        (folder / "processes").mkdir(parents=True)
        self.kept = create(folder, "p-1", {"Cmd": list(command), "WorkingDir": str(folder), **body})
        write(self.kept.folder / "environment.json", dict(os.environ))
        words = [sys.executable, "-I", "-S", recorder.__file__, str(self.kept.folder)]
        self.recorder = subprocess.Popen(words, stderr=subprocess.PIPE)

    def wait(self) -> int:
        return self.recorder.wait(30)

    def lines(self) -> list[str]:
        """`o text` and `e text`."""
        text = (self.kept.folder / "log").read_text("utf-8")
        return [line[STAMP:] for line in text.splitlines()]

    def until(self, says: Callable[[], bool]) -> None:
        until = time.monotonic() + 30
        while not says():
            assert time.monotonic() < until
            time.sleep(0.01)

    def started(self) -> None:
        """Waits until the process has printed a line."""
        self.until(lambda: (self.kept.folder / "log").exists() and bool(self.lines()))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def start(*command: str, **body: Any) -> Run:
        made.append(Run(tmp_path / str(len(made)), *command, **body))
        return made[-1]

    yield start
    for item in made:
        item.recorder.kill()
        item.recorder.wait()
        assert item.recorder.stderr is not None
        item.recorder.stderr.close()


def marked(kept: KeptProcess) -> list[psutil.Process]:
    found = []
    for item in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if item.environ().get(recorder.MARK) == kept.id:
                found.append(item)
    return found


def test_output_and_code_are_written_down(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "echo out; sleep 0.05; echo err >&2; printf half; exit 3")
    assert ended.wait() == 3
    assert sorted(ended.lines()) == ["e err", "o half", "o out"]
    state = ended.kept.state()
    assert (state["status"], state["exit_code"]) == ("exited", 3)
    events = [
        json.loads(line) for line in (ended.kept.folder.parent.parent / "events").read_text().splitlines()
    ]
    assert [event["action"] for event in events] == ["start", "die"]
    assert events[1]["attributes"]["exitCode"] == "3"


@pytest.mark.parametrize(
    ("command", "code", "word"),
    [("no-such-program", 127, "No such file"), ("/etc", 126, "Permission denied")],
)
def test_what_cannot_be_started_says_why(run: Callable[..., Run], command: str, code: int, word: str) -> None:
    ended = run(command)
    assert ended.wait() == code
    assert word in ended.kept.state()["error"]
    assert word in ended.lines()[0]


def test_a_missing_directory_is_named(run: Callable[..., Run]) -> None:
    ended = run("true", WorkingDir="/no/such/place")
    assert ended.wait() == 127
    assert ended.kept.state()["error"] == "there is no directory /no/such/place"


def test_a_stop_is_graceful(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done")
    ended.started()
    ended.recorder.send_signal(signal.SIGTERM)
    assert ended.wait() == 7
    assert [line for line in ended.lines() if line.startswith("o")] == ["o up", "o bye"]


def test_what_ignores_the_stop_signal_is_killed_after_its_grace_period(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done", StopTimeout=0.3)
    ended.started()
    ended.recorder.send_signal(signal.SIGTERM)
    assert ended.wait() == 128 + signal.SIGKILL
    assert marked(ended.kept) == []


def test_nothing_that_it_started_outlives_it(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "setsid sleep 1000 & sleep 1000 & echo up")
    assert ended.wait() == 0
    assert marked(ended.kept) == []


def test_a_killed_recorder_takes_its_process_with_it(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "echo up; exec sleep 1000")
    ended.started()
    ended.recorder.kill()
    ended.wait()
    ended.until(lambda: not marked(ended.kept))
    assert ended.kept.state()["status"] == "exited"


def test_much_output_without_a_newline_is_cut_and_not_lost(run: Callable[..., Run]) -> None:
    size = 5_000_000
    ended = run(sys.executable, "-c", f"print('x' * {size}, end='')")
    assert ended.wait() == 0
    assert sum(len(line) - 2 for line in ended.lines()) == size


def test_a_full_log_loses_no_line(run: Callable[..., Run]) -> None:
    ended = run("seq", "1", "200000")
    assert ended.wait() == 0
    assert ended.lines() == [f"o {number}" for number in range(1, 200_001)]


def test_signals_are_as_usual_in_the_process(run: Callable[..., Run]) -> None:
    """A recorder that ignored SIGINT would have it ignored there too."""
    program = (
        "import time; print('up', flush=True)\ntry: time.sleep(1000)\nexcept KeyboardInterrupt: print('bye')"
    )
    ended = run(sys.executable, "-c", program, StopSignal="INT")
    ended.started()
    ended.recorder.send_signal(signal.SIGINT)
    ended.recorder.send_signal(signal.SIGTERM)
    assert ended.wait() == 0
    assert ended.lines() == ["o up", "o bye"]


def test_what_goes_on_printing_is_ended_with_it(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "setsid yes & exit 4")
    assert ended.wait() == 4
    assert marked(ended.kept) == []


def test_what_hides_its_variables_is_ended_with_it(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "(env -i setsid sleep 54321 &) ; echo up; sleep 0.2")
    assert ended.wait() == 0
    assert not [
        item for item in psutil.process_iter(["cmdline"]) if item.info["cmdline"] == ["sleep", "54321"]
    ]


def test_children_that_were_left_do_not_become_zombies(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "(sh -c 'exit 0' &); (sh -c 'exit 0' &); sleep 0.1; echo up; exec sleep 1000")
    ended.started()
    children = psutil.Process(ended.recorder.pid).children
    ended.until(lambda: len(children()) == 1)


def restarting(run: Callable[..., Run], command: str, name: str, times: int = 0) -> Run:
    policy = {"Name": name, "MaximumRetryCount": times}
    return run("sh", "-c", command, HostConfig={"RestartPolicy": policy})


@pytest.mark.parametrize(
    ("policy", "times", "code", "starts"), [("on-failure", 2, 3, 3), ("on-failure", 0, 0, 1), ("no", 0, 3, 1)]
)
def test_it_restarts_as_often_as_its_policy_says(
    run: Callable[..., Run], policy: str, times: int, code: int, starts: int
) -> None:
    ended = restarting(run, f"echo up; exit {code}", policy, times)
    assert ended.wait() == code
    assert ended.lines() == ["o up"] * starts
    assert (ended.kept.state()["status"], ended.kept.state()["starts"]) == ("exited", starts)


def test_a_stop_while_it_waits_to_restart(run: Callable[..., Run]) -> None:
    ended = restarting(run, "exit 3", "always")
    ended.until(
        lambda: ended.kept.state().get("starts", 0) > 3 and ended.kept.state()["status"] == "restarting"
    )
    ended.recorder.send_signal(signal.SIGTERM)
    assert ended.wait() == 3
    assert ended.kept.state()["status"] == "exited"


def test_nothing_restarts_without_a_recorder(run: Callable[..., Run]) -> None:
    ended = restarting(run, "exit 3", "always")
    ended.until(
        lambda: ended.kept.state().get("starts", 0) > 3 and ended.kept.state()["status"] == "restarting"
    )
    ended.recorder.kill()
    ended.wait()
    assert (ended.kept.state()["status"], ended.kept.state()["exit_code"]) == ("exited", 3)


def test_what_was_paused_is_not_paused_after_a_restart(run: Callable[..., Run]) -> None:
    ended = restarting(run, "echo up; exec sleep 1000", "always")
    ended.started()
    (ended.kept.folder / "paused").touch()
    os.kill(ended.kept.state()["pid"], signal.SIGKILL)
    ended.until(lambda: ended.kept.state().get("starts") == 2)
    assert ended.kept.state()["status"] == "running"


def test_a_text_that_no_program_can_take(run: Callable[..., Run]) -> None:
    ended = run("echo", "a\0b")
    assert ended.wait() == 126
    assert "null byte" in ended.kept.state()["error"]


def test_a_long_log_goes_on_in_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_log, "SEGMENT", 1000)
    log = recorded_log.Log(tmp_path / "log")
    followed = ProcessLog(tmp_path / "log", lambda: True, follow=True)
    lines = (line for _, block in followed for line in block.decode().splitlines())
    for number in range(1000):
        log.record("o", f"line {number}\n".encode())
        assert next(lines) == f"line {number}"
    followed.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 8
    assert max(sizes) < 1100
    left = [line for _, block in ProcessLog(tmp_path / "log") for line in block.decode().splitlines()]
    assert left == [f"line {number}" for number in range(1000 - len(left), 1000)]
    assert len(left) > 100
    for tail in (0, 1, 30, 99):
        last = ProcessLog(tmp_path / "log", tail=tail)
        assert [line for _, block in last for line in block.decode().splitlines()] == left[len(left) - tail :]


def test_a_full_disk_loses_whole_lines(tmp_path: Path) -> None:
    log = recorded_log.Log(tmp_path / "log")
    log.record("o", b"before\n")
    size = (tmp_path / "log").stat().st_size
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, limit[1]))
        log.record("o", b"lost " * 20 + b"\n")
        log.record("o", b"lost " * 20 + b"\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    log.record("o", b"after\n")
    assert [line[STAMP:] for line in (tmp_path / "log").read_text().splitlines()] == ["o before", "o after"]


def test_what_a_process_left_running_is_named(run: Callable[..., Run]) -> None:
    """One that puts itself into the background seems to exit at once."""
    ended = run("sh", "-c", "setsid sleep 1000 & sleep 1")
    assert ended.wait() == 0
    (line,) = ended.lines()
    assert re.fullmatch(r"e invoke-devstack: it exited, so sleep \(pid \d+\) was ended too", line)
    assert ended.kept.inspection()["State"]["LeftRunning"].startswith("sleep (pid ")


def test_what_a_stop_ends_is_not_named(run: Callable[..., Run]) -> None:
    ended = run("sh", "-c", "setsid sleep 1000 & echo up; exec sleep 1000")
    ended.started()
    ended.recorder.send_signal(signal.SIGTERM)
    ended.wait()
    assert ended.lines() == ["o up"]
    assert ended.kept.inspection()["State"]["LeftRunning"] == ""

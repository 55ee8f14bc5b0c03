"""Lines of processes and containers in one stream: each once, in the order in which they were printed.

DEVSTACK_LOG_LINES is how many in total; `invoke test.lines` prints a million.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functional.conftest import Project, until

LINES = int(os.environ.get("DEVSTACK_LOG_LINES", "40000"))
EACH = LINES // 4
LIMIT = 120 + LINES / 2000  # seconds, on a busy machine
NAMES = ("box", "crate", "first", "second")
STACK = """
services:
  box: &box
    image: IMAGE
    init: true
    command: [sh, -c, "seq 1 EACH; exec sleep 10000"]
    stop_grace_period: 1s
  crate: *box
x-devstack:
  processes:
    first: &process
      command: [sh, -c, "seq 1 EACH; exec sleep 10000"]
    second: *process
"""
LINE = re.compile(r"^(\w+) +\| (\d+)$")
STAMPED = re.compile(r"^(\w+) +\| (\S+Z) (\d+)$")


@pytest.fixture
def stack(new_project: Callable[..., Project]) -> Iterator[Project]:
    runtime = Path(tempfile.mkdtemp(prefix="p-", dir="/tmp"))
    project = new_project(STACK.replace("EACH", str(EACH)), variables={"XDG_RUNTIME_DIR": str(runtime)})
    yield project
    assert project.invoke("down").code == 0
    until(  # the supervisor's last steps come after `down`
        lambda: not list(runtime.glob("invoke-devstack/*/*")), "the end of the supervisor's files"
    )
    shutil.rmtree(runtime)


def numbers(path: Path) -> dict[str, list[int]]:
    """What each service printed, in the order of the stream."""
    found: dict[str, list[int]] = {name: [] for name in NAMES}
    with path.open() as file:
        for line in file:
            if match := LINE.match(line):
                found[match[1]].append(int(match[2]))
    return found


def until_all_came(output: Path, command: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LIMIT
    wanted = 9 * LINES  # before that, counting is not worth it
    while output.stat().st_size < wanted or any(len(found) < EACH for found in numbers(output).values()):
        assert command.poll() is None, output.read_text()[-2000:]
        assert time.monotonic() < end, {name: len(found) for name, found in numbers(output).items()}
        time.sleep(0.5)


@pytest.mark.timeout(int(3 * LIMIT))
def test_each_line_once_and_in_order(stack: Project, tmp_path: Path) -> None:
    wanted = list(range(1, EACH + 1))
    output, errors = tmp_path / "up", tmp_path / "errors"
    with output.open("wb") as out, errors.open("wb") as err:
        command = subprocess.Popen(
            (shutil.which("invoke", path=stack.environment["PATH"]) or "invoke", "up", "--attach"),
            cwd=stack.directory,
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        try:
            until_all_came(output, command)
        finally:
            command.send_signal(signal.SIGINT)
            command.wait(60)
    for name, found in numbers(output).items():
        assert found == wanted, f"{name} in the stream of `up`: {_difference(found, wanted)}"

    history = tmp_path / "history"
    with history.open("wb") as out:
        words = (shutil.which("invoke", path=stack.environment["PATH"]) or "invoke", "logs", "--timestamps")
        subprocess.run(words, cwd=stack.directory, env=stack.environment, stdout=out, check=True)
    shown: dict[str, list[int]] = {name: [] for name in NAMES}
    stamps: list[str] = []
    for match in map(STAMPED.match, history.read_text().splitlines()):
        if match:
            shown[match[1]].append(int(match[3]))
            stamps.append(match[2])
    for name, found in shown.items():
        assert found == wanted, f"{name} in `logs`: {_difference(found, wanted)}"
    assert len(stamps) == 4 * EACH
    assert all(one <= other for one, other in itertools.pairwise(stamps)), "not by time"


def _difference(found: list[int], wanted: list[int]) -> str:
    at = next((n for n, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]), None)
    return f"{len(found)} lines instead of {len(wanted)}, the first wrong one at {at}"

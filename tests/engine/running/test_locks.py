"""The lock of a project on a real engine: processes with different environments meet there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.planning import labels

PROJECT = f"t-lock-{os.getpid()}"
PROGRAM = """
import sys, time
from pathlib import Path
from invoke_devstack.definition.model import Definition
from invoke_devstack.engine.connect import connect
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session
session = Session(Definition(name=sys.argv[1], working_dir=Path("/")), connect(), lambda event: None)
with project_lock(session, timeout=float(sys.argv[3])):
    print("in", time.monotonic(), flush=True)
    time.sleep(float(sys.argv[2]))
    print("out", time.monotonic(), flush=True)
"""


@pytest.fixture
def no_lock_left(engine: Engine) -> Iterator[None]:
    yield
    left = engine.list_volumes({"label": [f"{labels.LOCK}={PROJECT}"]})
    for volume in left:
        engine.remove_volume(str(volume["Name"]))
    assert not left


def start(engine: Engine, runtime: Path, seconds: float, timeout: float) -> subprocess.Popen[str]:
    runtime.mkdir(exist_ok=True)
    environment = {**os.environ, "DOCKER_HOST": engine.endpoint.url, "XDG_RUNTIME_DIR": str(runtime)}
    words = [sys.executable, "-c", PROGRAM, PROJECT, str(seconds), str(timeout)]
    return subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


@pytest.mark.usefixtures("no_lock_left")
def test_logins_with_different_folders_share_one_lock(engine: Engine, tmp_path: Path) -> None:
    started = [start(engine, tmp_path / str(number), 0.3, 120) for number in range(4)]
    spans = sorted(
        tuple(float(line.split()[1]) for line in process.communicate()[0].splitlines()) for process in started
    )
    assert len(spans) == 4
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@pytest.mark.usefixtures("no_lock_left")
def test_many_take_the_lock_of_a_killed_command_one_after_the_other(engine: Engine, tmp_path: Path) -> None:
    first = start(engine, tmp_path, 60, 0)
    assert first.stdout
    assert first.stdout.readline().startswith("in")
    first.send_signal(signal.SIGKILL)
    first.wait()
    began = time.monotonic()
    started = [start(engine, tmp_path, 0.1, 120) for _ in range(5)]
    spans = sorted(
        tuple(float(line.split()[1]) for line in process.communicate()[0].splitlines()) for process in started
    )
    assert len(spans) == 5
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert time.monotonic() - began < 40  # less than the silence of a holder that nobody can look at

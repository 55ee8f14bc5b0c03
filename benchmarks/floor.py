"""The floor of a row: what no tool of ours can pass. It is the engine's own limit (`limit.py`), and an Invoke
task that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pairing import BenchmarkError, Measure

_TASKS = """\
from invoke import task


@task
def empty(c):
    pass


@task
def sdk(c):
    import docker
"""


@contextmanager
def invoke_task(name: str = "empty") -> Iterator[Measure]:
    """Seconds that `invoke` takes for a task that does nothing (`empty`), or only imports the Docker SDK
    (`sdk`)."""
    program = str(Path(sys.executable).with_name("invoke"))
    with TemporaryDirectory(prefix="bench-floor-") as folder:
        (Path(folder) / "tasks.py").write_text(_TASKS)

        def measure() -> float:
            began = time.perf_counter()
            done = subprocess.run([program, name], cwd=folder, capture_output=True, check=False)
            if done.returncode:
                raise BenchmarkError(f"an empty task ended with {done.returncode}")
            return time.perf_counter() - began

        yield measure

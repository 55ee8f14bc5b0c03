"""How long after a container is ready the process starts that waits for it.

`python -m benchmarks.starting --rounds 20` brings up a Redis and a process that waits for its healthcheck,
again and again. `up --json` tells when the Redis is ready, and this program notes when it reads that; the
process writes down its own first moment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.sides import LONGEST

_TASKS = "from invoke_devstack import stack\n\nnamespace = stack()\n"
_STACK = """
name: NAME
services:
  cache:
    image: redis:8
    healthcheck: {test: redis-cli ping, interval: 1s}
x-devstack:
  processes:
    worker:
      command: [sh, -c, "date +%s.%N > started; exec sleep 100000"]
      depends_on: {cache: {condition: service_healthy}}
"""


def measure(rounds: int) -> list[float]:
    """Seconds between the two moments, of each round."""
    name = f"devstack-bench-{uuid.uuid4().hex[:6]}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tasks.py").write_text(_TASKS)
        Path(folder, "compose.yaml").write_text(_STACK.replace("NAME", name))
        try:
            return [_one(Path(folder)) for _ in range(rounds)]
        finally:
            _invoke(Path(folder), "down", "--volumes", "--yes")


def _one(folder: Path) -> float:
    """Both are new."""
    _invoke(folder, "down")
    command = [str(Path(sys.executable).with_name("invoke")), "up", "--detach", "--json"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as up:
        assert up.stdout is not None
        ready = {event["service"]: moment for moment, event in _events(up.stdout)}
    if up.returncode:
        sys.exit(f"`up` ended with {up.returncode}")
    return _written(folder / "started") - ready["cache"]


def _written(path: Path) -> float:
    """What the process writes, which `up` does not wait for; the file is gone afterwards."""
    until = time.monotonic() + LONGEST
    while not (path.exists() and path.read_text().endswith("\n")):
        if time.monotonic() > until:
            sys.exit("the process did not start")
        time.sleep(0.01)
    moment = float(path.read_text())
    path.unlink()
    return moment


def _events(lines: Iterable[str]) -> Iterator[tuple[float, dict[str, Any]]]:
    """When each `service.ready` was read, in seconds since 1970, and the event."""
    for line in lines:
        moment, event = time.time(), json.loads(line)
        if event["type"] == "service.ready":
            yield moment, event


def _invoke(folder: Path, *words: str) -> None:
    command = [str(Path(sys.executable).with_name("invoke")), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST, check=False)
    if done.returncode:
        sys.exit(f"`{' '.join(words)}` ended with {done.returncode}: {done.stderr}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    times = sorted(1000 * seconds for seconds in measure(options.rounds))
    print(f"load {os.getloadavg()[0]:.1f}, {len(times)} rounds, ms after the container was ready:")
    print(f"median {median(times):.0f}, least {times[0]:.0f}, most {times[-1]:.0f}")
    print(json.dumps([round(time) for time in times]))


if __name__ == "__main__":
    main()

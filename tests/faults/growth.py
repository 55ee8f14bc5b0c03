"""50 times `up` and `down`: afterwards there is nothing more than after the first."""

from __future__ import annotations

import gc
import time

import psutil

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.endpoints import Endpoint
from tests.engine.stacks import Stack
from tests.faults.engine import BUSYBOX
from tests.faults.lab import Lab

_STACK = """
services:
  db:
    image: IMAGE
    init: true
    command: [sh, -c, "touch /tmp/ok; exec sleep 1000"]
    volumes: ["data:/data"]
    healthcheck: {test: "test -f /tmp/ok"}
  web: {build: ./web, init: true, ports: ["8000:80"], depends_on: {db: {condition: service_healthy}}}
volumes: {data: {}}
"""
_SPARE = {"threads": 2, "files": 4, "engine files": 12, "memory kB": 4096, "disk kB": 1024}


def up_and_down(lab: Lab) -> None:
    """In one process, so that its own threads, files and memory count too."""
    engine = connect(endpoint=Endpoint(lab.engine.url, "the faults"))
    stack = Stack(engine, lab.folder, "app", BUSYBOX)
    stack.write(_STACK)
    (lab.folder / "web").mkdir()
    (lab.folder / "web" / "Dockerfile").write_text(f'FROM {BUSYBOX}\nCMD ["httpd", "-f", "-p", "80"]\n')
    inventory, measured = {}, {}
    for number in range(lab.rounds):
        lab.tally.rounds += 1
        stack.up()
        stack.down()
        if number == min(1, lab.rounds - 1):  # the first fills caches of ours and of the engine
            time.sleep(1.0)
            inventory, measured = lab.engine.inventory(), _measure(lab)
    time.sleep(1.0)
    lab.tally.nothing_beyond(inventory, lab.engine.inventory())
    after = _measure(lab)
    for what, spare in _SPARE.items():
        more = after[what] - measured[what]
        lab.tally.check(more <= spare, f"{what} grew by {more}: {measured[what]} -> {after[what]}")
    lab.tally.notes.append(", ".join(f"{what} {measured[what]} -> {after[what]}" for what in _SPARE))
    engine.close()


def _measure(lab: Lab) -> dict[str, int]:
    gc.collect()
    own, engine = psutil.Process(), psutil.Process(lab.engine.pid)
    return {
        "threads": own.num_threads(),
        "files": own.num_fds(),
        "engine files": engine.num_fds(),
        "memory kB": own.memory_info().rss // 1024,
        "disk kB": lab.engine.used() // 1024,
    }

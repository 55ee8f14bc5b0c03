"""A newer save ends the wait for an older one."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from urllib.error import URLError
from urllib.request import urlopen

from tests.functional.conftest import Project

STACK = """
    services:
      web:
        build: app
        init: true
        command: sh /app/serve.sh
        ports: ["127.0.0.1:PORT:8000"]
        develop: {watch: [{action: sync+restart, path: app, target: /app}]}
"""
GOOD = "mkdir -p /www; echo {} > /www/index.html; exec httpd -f -p 8000 -h /www\n"
BAD = "echo bad; exec sleep 1000\n"
PATIENCE = 60.0


def served(port: int) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return str(answer.read().decode()).strip()
    except (URLError, OSError):
        return ""


def wait_until(found: Callable[[], bool], seconds: float = PATIENCE) -> None:
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_good_save_after_a_bad_one_is_served_long_before_the_wait_ends(
    new_project: Callable[..., Project], busybox: str, free_port: int
) -> None:
    project = new_project(STACK.replace("PORT", str(free_port)))
    project.write("app/Dockerfile", f"FROM {busybox}\nCOPY . /app\n")
    script = project.write("app/serve.sh", GOOD.format("one"))
    project.variables["INVOKE_DEVSTACK_GUESS"] = str(10 * PATIENCE)
    project.variables["INVOKE_DEVSTACK_WAIT_TIMEOUT"] = str(10 * PATIENCE)
    started = project.start("up", "--attach")
    try:
        wait_until(lambda: served(free_port) == "one")
        assert started.stderr is not None
        for line in started.stderr:
            if "watching" in line:
                break
        script.write_text(BAD)
        wait_until(lambda: b"bad" in project.container("web").logs())
        script.write_text(GOOD.format("two"))
        wait_until(lambda: served(free_port) == "two")
    finally:
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=60)

"""`open` knows what has a page; `top` shows the processes of the service, not those of the watch."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.functional.conftest import Project, find_free_port

STACK = """
    services:
      cache:
        image: redis:8
        ports: ["127.0.0.1:CACHE:6379"]
      web:
        image: IMAGE
        init: true
        command: sleep 600
        develop: {watch: [{action: sync, path: ./src, target: /srv}]}
"""


def test_a_database_has_no_page_and_the_sync_is_no_process_of_the_service(
    new_project: Callable[..., Project],
) -> None:
    project = new_project(STACK.replace("CACHE", str(find_free_port())))
    project.write("src/a", "1")
    assert project.invoke("up", "--detach").code == 0

    opened = project.invoke("open", "cache")
    assert (opened.code, opened.out) == (1, "")
    assert "`cache` has no page for a browser" in opened.err
    assert "`invoke connect cache`" in opened.err

    watching = project.start("watch")
    deadline = time.monotonic() + 60
    while b"devstack-sync" not in _processes(project) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert b"devstack-sync" in _processes(project)
    shown = project.invoke("top")
    watching.terminate()
    watching.wait(30)
    assert "sleep 600" in shown.out
    assert "devstack-sync" not in shown.out


def _processes(project: Project) -> bytes:
    return str(project.container("web").top()).encode()

"""The engine is killed after it has started a container, and before it has written that down: the process
runs on, and the engine takes it for stopped."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from pathlib import Path

import psutil

from tests.faults.lab import Lab
from tests.faults.project import Project, eventually

STACK = """
services:
  web:
    image: IMAGE
    # A process that shares its volume with another one says so.
    command: [sh, -c, "echo ${MARK:-0} > /data/page; exec httpd -f -p 80 -h /data"]
    init: true
    ports: ["127.0.0.1:8000:80"]
    volumes: ["data:/data"]
volumes: {data: {}}
"""
_PAGE = "http://127.0.0.1:8000/page"


def after_a_start(lab: Lab) -> None:
    """What the next command meets is, in turn, a container that never ran and one that had stopped, and the
    command keeps it, recreates it, or removes it."""
    before = lab.engine.inventory()
    project = lab.project(STACK)
    for number in lab.each_round():
        lab.tally.rounds += 1
        lab.tally.ended(project.invoke("create"))
        if number % 2:
            lab.tally.ended(project.invoke("start"))
            lab.tally.ended(project.invoke("stop"))
        _start_and_forget(lab, project)
        if number % 3 == 1:
            project.variables["MARK"] = str(number)
        if number % 3 == 2:
            lab.tally.ended(project.invoke("rm", "--yes"))
            lab.tally.check(not _servers(), f"{_servers()} still run after `rm`")
        lab.tally.ended(project.invoke("up"))
        lab.tally.check(len(_servers()) == 1, f"these run: {_servers()}")
        time.sleep(3)  # the engine notices late what it had forgotten
        page = _page()
        lab.tally.check(page == project.variables.get("MARK", "0"), f"the page says {page!r}")
        lab.tally.ended(project.invoke("down", "--volumes", "--yes"))
        lab.tally.check(not _servers(), f"{_servers()} still run after `down`")
        lab.tally.nothing_beyond(before, lab.engine.inventory())


def _start_and_forget(lab: Lab, project: Project) -> None:
    """Starts the container without the engine's own notes of it."""
    container = lab.engine.client.containers.get(f"{project.name}-web-1")
    notes = Path(lab.engine.data, "containers", container.id or "", "config.v2.json")
    text = notes.read_text("utf-8")
    container.start()
    lab.tally.check(eventually(lambda: _page() != "", 5), "the page does not answer at first")
    lab.engine.stop(signal.SIGKILL)
    notes.write_text(text, "utf-8")
    lab.engine.start()
    state = json.loads(text)["State"]
    lab.tally.check(not state["Running"], f"the engine had written down {state}")
    lab.tally.check(len(_servers()) == 1, f"these run when the engine is back: {_servers()}")


def _servers() -> list[int]:
    """The ids of the processes that serve the page."""
    return [item.pid for item in psutil.process_iter(["name", "cmdline"]) if _serves(item)]


def _serves(process: psutil.Process) -> bool:
    return "httpd" in (process.info["cmdline"] or [])[:1]


def _page() -> str:
    try:
        with urllib.request.urlopen(_PAGE, timeout=2) as answer:
            return str(answer.read(), "utf-8").strip()
    except OSError:
        return ""

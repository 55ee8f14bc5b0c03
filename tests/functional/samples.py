"""The repository's own example, in a copy on free ports."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

import docker
from playwright.sync_api import Page, expect

from tests.functional.conftest import ROOT, TASKS, Project, find_free_port

FIRST_UP = 280.0  # seconds: stand-in images and the build may be part of it
PORTS = ("WEB_PORT", "MYSQL_PORT", "REDIS_PORT")


def copy_of_example(folder: Path, client: docker.DockerClient, area: str, name: str = "") -> Project:
    """Not up yet. Whoever asks for it calls `remove_everything`. `name` is for pictures, which show it."""
    name = name or f"t-{area}-{secrets.token_hex(4)}"
    project = Project(folder / name, name, client, {port: str(find_free_port()) for port in PORTS})
    for part in ("services", "flask-sample"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, project.directory / part, ignore=ignored)
    project.write("tasks.py", TASKS)
    return project


def expect_everything_answers(page: Page, within: float = 60.0) -> None:
    """Asks for the page again, as its reader would: it says what was away at one moment. `within` is in
    seconds."""
    end = time.monotonic() + within
    while page.locator("#status").inner_text() != "Everything answers" and time.monotonic() < end:
        page.reload()
    expect(page.locator("#status")).to_have_text("Everything answers")

"""What somebody sees who installs the wheel on a machine of their own, from the first command to the last.

All that they read is written to build/strangers/, for a person to read too.
"""

from __future__ import annotations

import re
import subprocess
import time
import urllib.request
from pathlib import Path

import pexpect
import pytest

from tests.functional.conftest import ROOT
from tests.functional.package.page import BASH, PATIENCE, Shell, follow
from tests.strangers.conftest import Stranger
from tests.terminal import Terminal

PAGE = ROOT / "docs/getting-started.md"
MINUTES = 600.0  # seconds: what a first `up` takes at most, with the packages of an image from a slow mirror
FAULTS = re.compile(r"Traceback|\w+Warning:|No module named|not found|Permission denied")

pytestmark = pytest.mark.timeout(1200)


def keep(stranger: Stranger, name: str, text: str) -> None:
    """Writes down what was read, and finds what nobody should have to read."""
    file = ROOT / "build/strangers" / stranger.machine.release / f"{name}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert not FAULTS.search(text), text


def page_of(stranger: Stranger) -> str:
    """What the application answers."""
    address = f"http://localhost:{stranger.project.variables['WEB_PORT']}"
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def test_the_first_ten_minutes_are_as_the_page_says(stranger: Stranger) -> None:
    machine, project = stranger.machine, stranger.project
    here = {
        "'invoke-devstack[dashboard]'": f"--quiet '{stranger.wheel}[dashboard]'",
        "localhost:8000": f"localhost:{project.variables['WEB_PORT']}",
    }
    variables = {"COMPOSE_PROJECT_NAME": project.name, **project.variables}
    shell = Shell(machine.folder, words=machine.words(*BASH, folder=machine.folder, variables=variables))

    def write(name: str, text: str) -> None:
        machine.give(project.write(name, text))

    try:
        ran = follow(PAGE, shell, write, here)
    finally:
        keep(stranger, "getting-started", "".join(shell.transcript))
    assert len(ran) > 12
    assert project.containers() == []


def test_an_attached_up_shows_an_edit_and_ends_with_a_key(stranger: Stranger) -> None:
    words = stranger.words("invoke", "up", terminal=True)
    with Terminal(words, Path("/"), timeout=MINUTES, rows_columns=(40, 120)) as terminal:
        terminal.expect(r"is up: 2 services")
        seen = terminal.plain
        file = stranger.project.directory / "app.py"
        edited = re.sub(r"Hello|Welcome", "Goodbye", file.read_text())
        stranger.machine.give(stranger.project.write("app.py", edited))
        terminal.expect(r"synced 1 file", timeout=PATIENCE)
        seen += terminal.plain
        terminal.expect(r"Debugger is active|Restarting with", timeout=PATIENCE)
        wait_for_page(stranger, "Goodbye")
        terminal.send("q")
        terminal.expect(pexpect.EOF, timeout=PATIENCE)
        seen += terminal.plain
    keep(stranger, "up", seen)
    done = subprocess.run(
        stranger.words("invoke", "down", "--volumes", "--yes"), capture_output=True, text=True, check=False
    )
    keep(stranger, "down", done.stdout + done.stderr)
    assert done.returncode == 0
    assert stranger.project.containers() == []
    assert stranger.project.volumes() == []


def wait_for_page(stranger: Stranger, text: str) -> None:
    seen, end = "", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            seen = page_of(stranger)
            if text in seen:
                return
        except OSError:  # the server starts again
            seen = "nothing"
        time.sleep(0.2)
    raise AssertionError(f"{text} was not on the page: {seen}")


def test_a_user_without_rights_gets_the_command_that_helps(stranger: Stranger) -> None:
    done = subprocess.run(
        stranger.words("invoke", "up", outsider=True), capture_output=True, text=True, check=False
    )
    keep(stranger, "without-rights", done.stdout + done.stderr)
    assert done.returncode != 0
    assert "usermod -aG docker" in done.stderr

"""A process starts: by its recorder that waits for it, with the Python of today, and once."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from invoke_devstack.engine.processes import folders, process
from invoke_devstack.engine.processes.process import KeptProcess
from invoke_devstack.engine.processes.supervisor import Supervisor
from invoke_devstack.planning.labels import PROJECT
from tests.unit.engine.processes.place import Place, marked, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")


def test_one_that_was_only_created_starts(place: Place) -> None:
    """Its command was killed before it told the supervisor."""
    folder = folders.folder_of(place.directory, "p")
    folders.make_private(folder / "processes")
    process.create(folder, "p-1", {"Cmd": ["sleep", "1000"], "Labels": {PROJECT: "p"}})
    (kept,) = place.keeper.all()
    place.keeper.start(kept)
    assert kept.state()["status"] == "running"


def test_it_is_started_with_the_python_of_today(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(sys, "executable", "/no/such/python")
        kept = place.create("sleep", "1000")
    place.keeper.start(kept)
    assert kept.state()["status"] == "running"


def test_a_python_in_a_folder_with_any_name(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "it's #1 ;100%(x)s"
    folder.mkdir()
    (folder / "python").symlink_to(os.path.realpath(sys.executable))
    place.started("sh", "-c", "echo up; exec sleep 1000")  # the supervisor has been started
    second = place.keeper.create("p", "p-2", {"Cmd": ["sleep", "1000"], "Labels": {PROJECT: "p"}})
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    place.keeper.start(second)
    assert second.state()["status"] == "running"


def waiting_recorder(place: Place, kept: KeptProcess) -> psutil.Process:
    """That of a process which was created."""
    until(lambda: (kept.folder / "go").exists() and kept.has_recorder() and place.recorders())
    (recorder,) = place.recorders()
    return recorder


def test_a_start_needs_no_request_and_no_program_but_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a process starts in milliseconds once what it waits for is ready."""
    kept = place.create("sh", "-c", "echo up; exec sleep 1000")
    recorder = waiting_recorder(place, kept)
    with monkeypatch.context() as alone:
        alone.setattr(Supervisor, "_connect", lambda self: pytest.fail("it asked the supervisor"))
        place.keeper.start(kept)
    assert kept.state()["status"] == "running"
    assert psutil.Process(kept.state()["pid"]).ppid() == recorder.pid


def test_what_was_renamed_meanwhile_tells_its_new_name(place: Place) -> None:
    """As when it takes the place of another one."""
    kept = place.create("sh", "-c", "echo up; exec sleep 1000")
    waiting_recorder(place, kept)
    kept.rename("p-1-renamed")
    place.keeper.start(kept)
    told = kept.folder.parents[1] / "events"  # a moment after the state
    until(lambda: '"start"' in told.read_text() and told.read_text().endswith("\n"))
    events = [json.loads(line) for line in told.read_text().splitlines()]
    assert [item["attributes"]["name"] for item in events if item["action"] == "start"] == ["p-1-renamed"]


@pytest.mark.parametrize("killed", ["recorder", "supervisor"])
def test_a_start_when_who_waits_for_it_was_killed(place: Place, killed: str) -> None:
    kept = place.create("sh", "-c", "echo up; exec sleep 1000")
    victim = waiting_recorder(place, kept) if killed == "recorder" else place.supervisors()[0]
    victim.kill()
    victim.wait(30)
    place.keeper.start(kept)
    assert kept.state()["status"] == "running"
    assert len(marked(kept)) == 1
    assert kept.state()["starts"] == 1


@pytest.mark.parametrize("attempt", range(5))
def test_a_start_at_once_is_one_start(place: Place, attempt: int) -> None:
    """Its recorder may not be there yet."""
    kept = place.create("sh", "-c", "echo up; exec sleep 1000")
    time.sleep(0.01 * attempt)
    place.keeper.start(kept)
    until(lambda: (kept.folder / "log").read_bytes())
    assert (kept.folder / "log").read_bytes().count(b" o up\n") == 1
    assert kept.state()["starts"] == 1


def test_nothing_waits_for_a_start_that_is_not_wanted_any_more(place: Place) -> None:
    kept = place.create("sleep", "1000")
    recorder = waiting_recorder(place, kept)
    assert kept.state()["status"] == "created"
    place.keeper.remove(kept, force=False)
    assert not recorder.is_running()
    until(lambda: not place.supervisors())

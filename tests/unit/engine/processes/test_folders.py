"""The processes of a project are found again from a shell with another runtime directory."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.processes import events, folders, process
from invoke_devstack.engine.processes.events import ProcessEvents
from invoke_devstack.engine.processes.keeper import Keeper
from invoke_devstack.planning.labels import PROJECT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")
ENGINE = "unix:///run/docker.sock"
Shell = Callable[[str], Path]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Enters a shell with the runtime directory of that name, "" for none, and returns the directory of its
    processes."""
    base = Path(tempfile.mkdtemp(prefix="x-", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(base))

    def enter(name: str) -> Path:
        if name:
            (base / name).mkdir(exist_ok=True)
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(base / name))
        else:
            monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        return folders.directory_of(ENGINE)

    yield enter
    shutil.rmtree(base)


def created(directory: Path, project: str = "p") -> Path:
    """The folder of a new process, that nobody starts."""
    folder = folders.folder_of(directory, project)
    folders.make_private(folder / "processes")
    return process.create(folder, f"{project}-1", {"Cmd": ["true"], "Labels": {PROJECT: project}}).folder


@pytest.mark.parametrize(("first", "then"), [("a", ""), ("", "a"), ("a", "b")])
def test_they_are_found_from_another_shell(shell: Shell, first: str, then: str) -> None:
    folder = created(shell(first))
    directory = shell(then)
    assert directory != folder.parents[2]
    assert [item.folder for item in Keeper(directory).all()] == [folder]


@pytest.mark.parametrize(("first", "then"), [("a", ""), ("", "a"), ("a", "b")])
def test_a_project_stays_in_one_folder(shell: Shell, first: str, then: str) -> None:
    """It has one supervisor, one lock, and the paths of its secrets stay as they are."""
    folder = created(shell(first))
    directory = shell(then)
    assert created(directory).parent == folder.parent
    assert created(directory, "another").parents[2] == directory
    assert len(Keeper(shell(first)).all()) == 3


def test_their_events_are_heard_in_another_shell(shell: Shell) -> None:
    project = created(shell("a")).parents[1]
    events.append(project, "before", "id", {"name": "p-1"})
    stream = ProcessEvents(shell("b"), {})
    events.append(project, "start", "id", {"name": "p-1"})
    assert next(iter(stream)).action == "start"
    stream.close()


def test_what_is_gone_is_forgotten(shell: Shell, fixed_place: Path) -> None:
    for name in ("a", "b"):
        folder = created(shell(name))
        shutil.rmtree(folder.parents[4])
    directory = shell("c")
    assert Keeper(directory).all() == []
    created(directory)
    assert len([*fixed_place.rglob("elsewhere/*")]) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_place_that_somebody_else_made_is_not_believed(shell: Shell, fixed_place: Path) -> None:
    folder = created(shell("a"))
    directory = shell("b")
    os.chown(folder.parents[3], 12345, 12345)
    assert Keeper(directory).all() == []
    os.chown(folder.parents[3], 0, 0)
    assert len(Keeper(directory).all()) == 1
    (fixed,) = fixed_place.iterdir()
    os.chown(fixed, 12345, 12345)
    assert Keeper(directory).all() == []
    assert created(directory).parents[2] == directory, "it works without"

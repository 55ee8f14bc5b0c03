"""Events of processes: none is lost when a project goes, and comes again."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from invoke_devstack.engine.processes import events
from invoke_devstack.engine.processes.events import ProcessEvents
from invoke_devstack.engine.protocol import EngineEvent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")


def tell(project: Path, action: str) -> None:
    project.mkdir(exist_ok=True)
    events.append(project, action, "id", {"name": "p-1"})


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[tuple[Path, Iterator[EngineEvent]]]:
    tell(tmp_path / "p", "before")
    stream = ProcessEvents(tmp_path, {})
    yield tmp_path / "p", iter(stream)
    stream.close()


def test_the_last_events_of_a_project_that_is_removed(followed: tuple[Path, Iterator[EngineEvent]]) -> None:
    project, stream = followed
    tell(project, "die")
    tell(project, "destroy")
    shutil.rmtree(project)
    assert [next(stream).action, next(stream).action] == ["die", "destroy"]


def test_a_project_that_is_there_again(followed: tuple[Path, Iterator[EngineEvent]]) -> None:
    project, stream = followed
    for number in range(3):
        tell(project, f"start {number}")
        assert next(stream).action == f"start {number}"
        shutil.rmtree(project)


def test_a_torn_line_is_passed_over(followed: tuple[Path, Iterator[EngineEvent]]) -> None:
    project, stream = followed
    with (project / "events").open("a") as file:
        file.write('{"action": "st\n')
    tell(project, "start")
    assert next(stream).action == "start"


def test_the_first_project_is_heard_of_at_once_and_an_empty_place_is_not_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runtime" / "engine").mkdir(parents=True)
    os.utime(tmp_path / "runtime" / "engine", (1.0, 1.0))
    looks: list[float] = []
    look = ProcessEvents._look_around

    def counted(self: ProcessEvents) -> list[BinaryIO]:
        looks.append(time.monotonic())
        return look(self)

    monkeypatch.setattr(ProcessEvents, "_look_around", counted)
    stream = ProcessEvents(tmp_path / "runtime" / "engine", {})
    told: list[float] = []

    def begin() -> None:
        told.append(time.monotonic())
        tell(tmp_path / "runtime" / "engine" / "p", "start")

    later = threading.Timer(1.5, begin)
    later.start()
    assert next(iter(stream)).action == "start"
    later.join()
    assert time.monotonic() - told[0] < 5
    assert len([moment for moment in looks if moment < told[0]]) <= 4  # the first, and one each second
    stream.close()


def test_a_directory_that_comes_later_is_seen(tmp_path: Path) -> None:
    stream = ProcessEvents(tmp_path / "engine", {})

    def begin() -> None:
        (tmp_path / "engine").mkdir()
        tell(tmp_path / "engine" / "p", "start")

    later = threading.Timer(0.3, begin)
    later.start()
    assert next(iter(stream)).action == "start"
    stream.close()

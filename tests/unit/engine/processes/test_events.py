"""Events of processes: none is lost when a project goes, and comes again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

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

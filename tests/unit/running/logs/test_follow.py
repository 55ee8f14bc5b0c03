"""A follower goes from connecting to following, waits while the engine is away, and ends with the project."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import EngineError, EngineUnavailableError
from invoke_devstack.events import Event, Notice
from invoke_devstack.running import container_events
from invoke_devstack.running.logs import follow
from invoke_devstack.running.logs.follow import Follower
from invoke_devstack.running.logs.sources import Source
from invoke_devstack.running.session import Session
from tests.fakes import Behaviour, FakeEngine
from tests.unit.running.logs.test_lines import line


class _Following:
    """A follower in a thread, and what it passed on."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self.lines: list[tuple[str, bytes]] = []
        self.errors: list[EngineError] = []
        session = Session(Definition(name="p", working_dir=Path("/p")), engine, self.events.append)
        self.follower = Follower(session, (), self._take)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _take(self, source: Source, stream: str, block: bytes) -> None:
        self.lines.append((source.name, block))

    def _run(self) -> None:
        try:
            self.follower.run({})
        except EngineError as error:
            self.errors.append(error)

    def start(self, name: str) -> str:
        marks = {f"com.docker.compose.{key}": value for key, value in LABELS.items()}
        self.engine.behaviour[name] = Behaviour(logs=[("stdout", line(5, name.encode()))])
        container = self.engine.create_container(name, {"Image": "img", "Labels": marks})
        self.engine.start(container)
        return container

    def wait_for(self, *names: str) -> None:
        until = time.monotonic() + 30
        while {name for name, _ in self.lines} != set(names):
            assert time.monotonic() < until, self.lines
            time.sleep(0.01)


LABELS = {"project": "p", "service": "web", "oneoff": "False"}


@pytest.fixture
def following(monkeypatch: pytest.MonkeyPatch) -> _Following:
    monkeypatch.setattr(follow, "_GONE_FOR_GOOD", 0.0)
    monkeypatch.setattr(follow, "_RETRY", 0.01)
    monkeypatch.setattr(container_events, "_RETRY", 0.01)
    engine = FakeEngine()
    engine.add_image("img")
    return _Following(engine)


def test_containers_that_exist_and_that_start_are_read_once_until_all_are_removed(
    following: _Following,
) -> None:
    first = following.start("p-web-1")
    following.thread.start()
    following.wait_for("p-web-1")
    second = following.start("p-web-2")
    following.wait_for("p-web-1", "p-web-2")
    for container in (first, second):
        following.engine.remove_container(container, force=True)
    following.thread.join(30)
    assert not following.thread.is_alive()
    assert len(following.lines) == 2


def test_what_starts_while_the_engine_is_away_is_read_when_it_is_back(following: _Following) -> None:
    following.start("p-web-1")
    following.thread.start()
    following.wait_for("p-web-1")
    listeners = list(following.engine._listeners)
    following.engine._listeners.clear()
    following.start("p-web-2")
    for listener in listeners:
        listener.close()
    following.wait_for("p-web-1", "p-web-2")
    following.follower.stop()
    following.thread.join(30)
    told = [event.text for event in following.events if isinstance(event, Notice)]
    assert [text.partition("; ")[2] or text for text in told] == [
        "waiting for the engine",
        "The engine is back.",
    ]


def test_an_engine_that_refuses_its_events_ends_it(
    following: _Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> object:
        raise EngineError("no events for you")

    monkeypatch.setattr(following.engine, "events", refuse)
    following.thread.start()
    following.thread.join(30)
    assert [error.message for error in following.errors] == ["no events for you"]


def test_it_can_be_stopped_while_the_engine_does_not_answer(
    following: _Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> object:
        raise EngineUnavailableError("away")

    monkeypatch.setattr(following.engine, "events", refuse)
    following.thread.start()
    following.follower.stop()
    following.thread.join(30)
    assert not following.thread.is_alive()

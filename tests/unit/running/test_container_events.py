"""One stream of events, which survives a restart of the engine."""

from __future__ import annotations

from queue import SimpleQueue

import pytest

from invoke_devstack.errors import DevstackError, EngineUnavailableError
from invoke_devstack.running import container_events
from invoke_devstack.running.container_events import CONNECTED, LOST, ContainerEvent, ContainerEvents
from tests.fakes import FakeEngine

Events = SimpleQueue[ContainerEvent]


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.add_image("img")
    return engine


def _start(engine: FakeEngine, name: str, oneoff: str = "False") -> str:
    marks = {
        "com.docker.compose.project": "p",
        "com.docker.compose.service": "web",
        "com.docker.compose.oneoff": oneoff,
    }
    container = engine.create_container(name, {"Image": "img", "Labels": marks})
    engine.start(container)
    return container


def _listen(engine: FakeEngine, *, remember: bool = False) -> ContainerEvents:
    events = ContainerEvents(engine, "p", remember=remember)
    events.open()
    events.wait_until_connected()
    return events


def test_an_event_names_container_service_and_exit_code(engine: FakeEngine) -> None:
    events, told = _listen(engine), Events()
    with events.listening(told.put):
        container = _start(engine, "p-web-1")
        engine.end(container, 3)
        started, died = told.get(timeout=30), told.get(timeout=30)
    events.close()
    assert (started.action, started.container, started.name, started.service) == (
        "start",
        container,
        "p-web-1",
        "web",
    )
    assert (died.action, died.exit_code) == ("die", 3)


def test_a_one_off_container_is_of_no_service(engine: FakeEngine) -> None:
    events, told = _listen(engine), Events()
    with events.listening(told.put):
        _start(engine, "p-web-run-1", oneoff="True")
        assert told.get(timeout=30).service == ""
    events.close()


def test_who_listens_late_gets_the_earlier_events_of_the_container(engine: FakeEngine) -> None:
    events, all_told, told = _listen(engine, remember=True), Events(), Events()
    with events.listening(all_told.put):
        first, second = _start(engine, "p-web-1"), _start(engine, "p-web-2")
        assert {all_told.get(timeout=30).container for _ in range(2)} == {first, second}
        with events.listening(told.put, second):
            assert told.get(timeout=30).container == second
            assert told.empty()
    events.close()


def test_a_lost_engine_is_reported_once_and_connected_to_again(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_events, "_RETRY", 0.01)
    events, told = _listen(engine), Events()
    with events.listening(told.put):
        opens, refused = engine.events, iter(range(3))

        def refuse(*args: object, **options: object) -> object:
            if next(refused, None) is not None:
                raise EngineUnavailableError("away")
            return opens(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "events", refuse)
        engine.close()
        lost, back = told.get(timeout=30), told.get(timeout=30)
        container = _start(engine, "p-web-1")
        assert told.get(timeout=30).container == container
    events.close()
    assert isinstance(lost.error, EngineUnavailableError)
    assert (lost.action, back.action) == (LOST, CONNECTED)


def test_an_engine_that_was_away_from_the_start_is_an_error(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> object:
        raise EngineUnavailableError("away")

    monkeypatch.setattr(engine, "events", refuse)
    events = ContainerEvents(engine, "p")
    events.open()
    with pytest.raises(DevstackError, match="away"):
        events.wait_until_connected()
    events.close()

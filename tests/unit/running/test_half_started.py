"""A container that the engine was starting when it was killed: its task is left, and no start works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from invoke_devstack.engine.failures import refusal
from invoke_devstack.errors import EngineUnavailableError, HalfStartedError
from invoke_devstack.events import Event, Notice
from invoke_devstack.planning.labels import REPLACE
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.up import bring_up
from tests.fakes import FakeEngine
from tests.unit.planning.building import stack

TWO = stack({"db": {"image": "image"}, "web": {"image": "image"}})


class Killed(FakeEngine):
    """Is killed in the middle of every start while `dying`; such a container starts never again."""

    def __init__(self) -> None:
        super().__init__()
        self.add_image("image")
        self.dying = True
        self.stuck: set[str] = set()
        self.replaces = ""

    def start(self, container: str) -> None:
        found = self.named(container).id
        if self.dying:
            self.stuck.add(found)
            raise EngineUnavailableError("the engine went away", reason="gone")
        if found in self.stuck:
            raise refusal(409, f"task {found}: already exists")
        super().start(container)

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        shown = dict(super().inspect_container(container))
        return {**shown, "Config": {"Labels": {REPLACE: self.replaces}}} if self.replaces else shown


@pytest.fixture
def engine() -> Killed:
    """Both containers of TWO are made, and cannot be started."""
    engine = Killed()
    with pytest.raises(EngineUnavailableError):
        bring_up(Session(TWO, engine, lambda event: None), UpOptions())
    engine.dying = False
    assert engine.stuck
    return engine


def test_up_makes_what_never_ran_anew(engine: Killed) -> None:
    events: list[Event] = []
    bring_up(Session(TWO, engine, events.append), UpOptions())
    assert {item.name: item.state for item in engine.containers.values()} == {
        "p-db-1": "running",
        "p-web-1": "running",
    }
    assert not engine.stuck & engine.containers.keys()
    told = [event.text for event in events if isinstance(event, Notice)]
    assert any("cannot start" in text and "made anew" in text for text in told), told


def _refused(engine: Killed) -> HalfStartedError:
    before = set(engine.containers)
    with pytest.raises(HalfStartedError) as caught:
        bring_up(Session(TWO, engine, lambda event: None), UpOptions())
    assert before <= engine.containers.keys()
    return caught.value


def test_what_has_run_before_is_left_to_the_user(engine: Killed) -> None:
    for name in engine.stuck:
        engine._update(name, "die", state="exited", exit_code=0)
    assert "--force-recreate" in _refused(engine).hint


def test_so_is_what_took_over_volumes_without_a_name(engine: Killed) -> None:
    engine.replaces = "p-db-1"
    assert "--force-recreate" in _refused(engine).hint

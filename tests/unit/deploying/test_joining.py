"""What `deploy.init` says of the swarm that it makes."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

from invoke_devstack.deploying.joining import make_swarm
from invoke_devstack.events import Event


def engine(url: str, **state: Any) -> MagicMock:
    made = MagicMock()
    made.endpoint.url = url
    made.swarm.state.return_value = state
    return made


def told(manager: MagicMock, *workers: tuple[str, MagicMock]) -> list[str]:
    events: list[Event] = []
    make_swarm(manager, workers, address="", confirm=lambda question: None, emit=events.append)
    return [str(vars(event)["text"]) for event in events]


def test_a_new_swarm_is_told_with_the_way_back() -> None:
    assert told(engine("unix:///a b.sock")) == [
        "The engine at unix:///a b.sock is the manager of a new swarm.",
        "To undo that: docker --host 'unix:///a b.sock' swarm leave --force",
    ]


def test_an_engine_that_joins_is_told_with_its_own_way_back() -> None:
    manager = engine("unix:///m.sock", ControlAvailable=True, LocalNodeState="active", NodeAddr="10.0.0.1")
    assert told(manager, ("other", engine("ssh://other", LocalNodeState="inactive"))) == [
        "other has joined the swarm.",
        "To undo that: docker --host ssh://other swarm leave --force",
    ]


def test_a_manager_that_is_one_already_is_told_so() -> None:
    manager = engine("unix:///m.sock", ControlAvailable=True, LocalNodeState="active")
    assert told(manager) == ["The engine at unix:///m.sock is the manager of a swarm already."]
    manager.swarm.begin.assert_not_called()

"""Whether a container that nothing can be asked of is ready now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from invoke_devstack.running.readiness.ready_now import service_ready
from tests.fakes import FakeEngine
from tests.unit.planning.building import running, stack


class Inspecting(FakeEngine):
    """Its containers were created and started so many seconds ago."""

    def __init__(self, age: float, policy: str) -> None:
        super().__init__()
        began = (datetime.now(UTC) - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
        self.found: dict[str, Any] = {
            "Created": began,
            "State": {"Status": "running", "Running": True, "StartedAt": began},
            "HostConfig": {"RestartPolicy": {"Name": policy}},
            "Config": {},
            "RestartCount": 0,
        }

    def inspect_container(self, container: str) -> dict[str, Any]:
        return self.found


@pytest.mark.parametrize(
    ("age", "policy", "ready"),
    [
        (0.05, "always", False),
        (0.5, "always", False),
        (1.5, "always", True),
        (0.5, "no", True),
        (-9, "no", True),
    ],
)
def test_who_has_only_just_started_is_not_proven(age: float, policy: str, ready: bool) -> None:
    definition = stack({"web": {"restart": policy}})
    engine = Inspecting(age, policy)
    found = service_ready(engine, definition, "web", running(definition), patience=1, guess=1)
    assert (found.ready, found.why) == (ready, "" if ready else "it started just now, and may crash")


@pytest.mark.parametrize(("count", "said"), [(1, "restarted 1 time"), (2, "restarted 2 times")])
def test_restarts_are_counted(count: int, said: str) -> None:
    definition = stack({"web": {"restart": "always"}})
    engine = Inspecting(2, "always")
    engine.found["RestartCount"] = count
    assert service_ready(engine, definition, "web", running(definition), patience=1, guess=1).why == said

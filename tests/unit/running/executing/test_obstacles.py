"""What stands in the way of an action: a name or port that is taken, a network in use, what is gone."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from invoke_devstack.errors import ConflictError, EngineError, PortTakenError
from invoke_devstack.planning.plan import (
    Action,
    RemoveContainer,
    RemoveNetwork,
    RestartContainer,
    StartContainer,
    StopContainer,
)
from tests.fakes import Behaviour
from tests.unit.running.executing.conftest import CAUSE, LABELS, Bench, create


def test_a_half_made_container_of_ours_makes_room(bench: Bench) -> None:
    first = bench.engine.create_container("p-web-1", {"Image": "image", "Labels": LABELS})
    bench.run(create())
    assert bench.engine.named("p-web-1").id != first


def test_a_name_that_another_project_has_is_refused_with_its_owner(bench: Bench) -> None:
    theirs = LABELS | {"com.docker.compose.project": "other"}
    bench.engine.create_container("p-web-1", {"Image": "image", "Labels": theirs})
    with pytest.raises(ConflictError, match="of project other"):
        bench.run(create())


@pytest.mark.parametrize("action", [StartContainer, RestartContainer])
def test_who_uses_a_port_is_told_whichever_command_starts_the_container(
    bench: Bench, action: type[StartContainer | RestartContainer]
) -> None:
    bench.run(create())
    taken = PortTakenError("port 4 is already in use", host_ip="", port=4)
    bench.engine.behaviour["p-web-1"] = Behaviour(on_start=taken)
    with pytest.raises(PortTakenError, match=r"^web cannot publish port 4: it is already in use"):
        bench.run(action(target="p-web-1", cause=CAUSE, service="web", **NAMES[action]))


NAMES: Mapping[type[Action], Mapping[str, Any]] = {StartContainer: {}, RestartContainer: {"name": "p-web-1"}}


def test_what_is_gone_already_is_as_good_as_removed(bench: Bench) -> None:
    bench.run(
        StopContainer(target="p-gone-1", name="p-gone-1", cause=CAUSE),
        RemoveContainer(target="p-gone-1", name="p-gone-1", cause=CAUSE),
    )


def test_a_network_that_is_used_for_a_moment_longer_is_removed_after_it(bench: Bench) -> None:
    bench.engine.create_network("p_default", {})
    bench.engine.failures["remove network", "p_default"] = EngineError("has active endpoints", status=403)
    threading.Timer(0.2, bench.engine.failures.clear).start()
    bench.run(RemoveNetwork(target="p_default", cause=CAUSE))
    assert bench.engine.networks == {}

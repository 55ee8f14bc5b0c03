"""The way back from a deploy, where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from invoke_devstack.definition.model import Definition
from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.deploying.returning import Return
from invoke_devstack.deploying.revisions import Outcome, Revision
from invoke_devstack.errors import EngineUnavailableError
from invoke_devstack.running.session import Session
from tests.fakes import FakeEngine


def test_a_manager_that_goes_away_leaves_the_deploy_and_says_how_to_go_on() -> None:
    said: list[object] = []
    definition = Definition(name="shop", working_dir=Path())
    session = Session(definition=definition, engine=FakeEngine(), emit=said.append)
    cluster = Cluster(cast(Any, None), "shop")
    going_back = Return(cluster, session, None, Revision(1, Outcome.PENDING, {}, {}), timeout=1.0)
    error = going_back.after(EngineUnavailableError("the engine closed the connection"))
    assert error.message == "the engine closed the connection; shop is left half-way"
    assert "`invoke deploy`" in error.hint
    assert said == []

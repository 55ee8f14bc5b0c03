"""A stand-in made for real: from the mirror of this machine's apt to an image on the engine."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import EngineUnavailableError, SetupError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionProgress, ActionStarted, Event
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.setup.machine import look_at_machine
from invoke_devstack.setup.standins import Recipe, make_standins
from invoke_devstack.setup.standins.maker import prepare_tools
from invoke_devstack.setup.standins.recipes import REDIS

# Making a stand-in takes half a minute, several on a busy machine.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def engine() -> Iterator[DockerEngine]:
    try:
        connected = connect()
        prepare_tools(look_at_machine(), ["redis:8"])
    except (EngineUnavailableError, SetupError) as error:
        pytest.skip(f"stand-ins cannot be made here: {error.message}")
    yield connected
    connected.close()


def test_a_stand_in_is_made_named_and_labelled_while_its_steps_are_told(engine: DockerEngine) -> None:
    reference = f"devstack-test/standin-{secrets.token_hex(4)}:8"
    told: list[Event] = []
    try:
        make_standins(
            look_at_machine(), engine, {reference: REDIS}, told.append, cause="the registry is out of reach"
        )
        image = engine.find_image(reference)
        assert image is not None
        assert image.labels[STAND_IN] == reference
        assert image.volumes == ("/data",)
        assert image.exposed_ports == ("6379/tcp",)
        assert image.command == ("redis-server",)
    finally:
        if engine.find_image(reference) is not None:
            engine.remove_image(reference, force=True)
    assert isinstance(told[0], ActionStarted)
    assert told[0].cause == "the registry is out of reach"
    assert any(isinstance(event, ActionProgress) and "downloading" in event.text for event in told)
    assert isinstance(told[-1], ActionFinished)


def test_a_stand_in_that_cannot_be_made_shows_why(engine: DockerEngine) -> None:
    broken = Recipe("redis:8", suite="trixie", packages=("no-such-package-anywhere",), changes=())
    told: list[Event] = []
    with pytest.raises(SetupError) as raised:
        make_standins(look_at_machine(), engine, {"redis:8x": broken}, told.append, cause="a test")
    assert any("no-such-package-anywhere" in line for line in raised.value.details)
    assert isinstance(told[-1], ActionFailed)
    assert engine.find_image("redis:8x") is None

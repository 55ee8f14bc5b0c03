"""A stand-in made for real: from the mirror of this machine's apt to an image on the engine."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import EngineUnavailableError, SetupError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionProgress, ActionStarted, Event
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.setup.machine import this_machine
from invoke_devstack.setup.standins import Recipe, make_standins
from invoke_devstack.setup.standins.maker import prepare_tools
from invoke_devstack.setup.standins.recipes import REDIS
from invoke_devstack.setup.standins.rootfs import Mirror, make_rootfs

# Making a stand-in takes half a minute, several on a busy machine.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def engine() -> Iterator[DockerEngine]:
    try:
        connected = connect()
        prepare_tools(this_machine(), ["redis:8"])
    except (EngineUnavailableError, SetupError) as error:
        pytest.skip(f"stand-ins cannot be made here: {error.message}")
    yield connected
    connected.close()


def test_a_stand_in_is_made_named_and_labelled_while_its_steps_are_told(engine: DockerEngine) -> None:
    reference = f"devstack-test/standin-{secrets.token_hex(4)}:8"
    told: list[Event] = []
    try:
        make_standins(
            this_machine(), engine, {reference: REDIS}, told.append, cause="the registry is out of reach"
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
        make_standins(this_machine(), engine, {"redis:8x": broken}, told.append, cause="a test")
    assert any("no-such-package-anywhere" in line for line in raised.value.details)
    assert isinstance(told[-1], ActionFailed)
    assert engine.find_image("redis:8x") is None


def test_packages_that_debian_has_not_signed_are_refused(engine: DockerEngine, tmp_path: Path) -> None:
    """A mirror that has everything but the signature."""
    suite = tmp_path / "mirror/dists" / REDIS.suite
    packages = suite / "main/binary-amd64/Packages"
    packages.parent.mkdir(parents=True)
    packages.write_text("")
    digest = hashlib.sha256(b"").hexdigest()
    (suite / "Release").write_text(
        f"Suite: {REDIS.suite}\nCodename: {REDIS.suite}\nComponents: main\nArchitectures: amd64\n"
        f"SHA256:\n {digest} 0 main/binary-amd64/Packages\n"
    )
    folder = tmp_path / "made"
    folder.mkdir()
    with pytest.raises(SetupError) as caught:
        make_rootfs(this_machine(), REDIS, Mirror(f"file://{tmp_path}/mirror"), (), folder, print)
    assert "is not signed" in str(caught.value.details)
    assert (folder / "rootfs.tar").stat().st_size == 0

"""Images pulled where a registry answers, and what is told of stand-ins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import DevstackError, ImageUnavailableError, SetupError
from invoke_devstack.events import ActionStarted, Event, Notice
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.settings import Settings
from invoke_devstack.setup.images import ImagesReport, bring_images
from invoke_devstack.setup.machine import Machine, System
from tests.fakes import FakeEngine

ELSEWHERE = Machine(System("fedora", "Fedora Linux 42"), (), terminal=False)
TWO_IMAGES = "services: {cache: {image: 'redis:8'}, db: {image: 'postgres:17'}}"


class Setup:
    """A definition in a folder, a fake engine, and what was told."""

    def __init__(self, folder: Path, compose: str) -> None:
        (folder / "compose.yaml").write_text(compose)
        self.folder = folder
        self.engine = FakeEngine()
        self.told: list[Event] = []

    def run(self, mirror: str) -> ImagesReport:
        return bring_images(
            ELSEWHERE, self.engine, load(self.folder), Settings(registry_mirror=mirror), self.told.append
        )

    def notices(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice)]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path, TWO_IMAGES)


def test_what_is_missing_is_pulled_and_what_is_there_is_left_alone(setup: Setup, registry: str) -> None:
    setup.engine.add_image("redis:8")
    report = setup.run(registry)
    assert report == ImagesReport(pulled=("postgres:17",), kept=("redis:8",))
    assert setup.engine.calls == [("pull", "postgres:17")]


def test_each_pull_says_what_it_is_for(setup: Setup, registry: str) -> None:
    setup.run(registry)
    causes = {event.target: event.cause for event in setup.told if isinstance(event, ActionStarted)}
    assert causes == {"redis:8": "cache needs it", "postgres:17": "db needs it"}


def test_a_second_run_does_nothing(setup: Setup, registry: str) -> None:
    setup.run(registry)
    setup.told.clear()
    setup.engine.calls.clear()
    assert setup.run(registry).pulled == ()
    assert setup.engine.calls == []
    assert setup.told == []


def test_an_image_without_stand_in_and_registry_is_named_with_its_service(
    setup: Setup, registry: str
) -> None:
    unreachable = ImageUnavailableError(
        "postgres:17 cannot be pulled: Docker Hub is out of reach", reason="registry"
    )
    setup.engine.failures["pull", "postgres:17"] = unreachable
    with pytest.raises(SetupError) as raised:
        setup.run(registry)
    assert "there is no stand-in for it (db needs it)" in raised.value.message
    assert "docker load" in raised.value.hint


def test_a_misspelt_image_is_not_hidden_by_a_stand_in(setup: Setup, registry: str) -> None:
    missing = ImageUnavailableError("Docker Hub has no such image or tag", reason="missing")
    setup.engine.failures["pull", "redis:8"] = missing
    with pytest.raises(ImageUnavailableError) as raised:
        setup.run(registry)
    assert raised.value is missing


def test_a_rate_limit_turns_to_the_stand_in(setup: Setup, registry: str) -> None:
    setup.engine.failures["pull", "redis:8"] = ImageUnavailableError("no more images", reason="rate-limit")
    with pytest.raises(DevstackError, match="stand-ins for redis:8 can only be built on Debian"):
        setup.run(registry)
    assert ("pull", "postgres:17") in setup.engine.calls


def test_when_the_registry_answers_again_stand_ins_are_named_as_replaceable(
    setup: Setup, registry: str
) -> None:
    setup.engine.add_image("redis:8", labels={STAND_IN: "redis:8"})
    setup.engine.add_image("postgres:17")
    report = setup.run(registry)
    assert report.standins == ("redis:8",)
    (notice,) = setup.notices()
    assert notice.startswith(
        "The registry answers again. Replace the stand-ins redis:8 with the real images:"
    )
    assert notice.endswith(": invoke pull && invoke up")


class Proxied(FakeEngine):
    """It has a way to registries that this machine has not."""

    def system_info(self) -> Mapping[str, Any]:
        return {"HttpsProxy": "http://proxy.test:3128"}


def test_an_engine_with_a_way_of_its_own_pulls_what_this_machine_cannot_reach(tmp_path: Path) -> None:
    setup = Setup(tmp_path, "services: {cache: {image: 'redis:8'}}")
    setup.engine = Proxied()
    assert setup.run("registry.invalid").pulled == ("redis:8",)

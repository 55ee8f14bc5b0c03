"""Every key that files may have is carried out, or named as ignored: none is dropped in silence.

A key is carried out if the plan of `up` differs with it, or if something else carries it out: `ELSEWHERE`
says what. An engine that is too old for a key may refuse it instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.attributes.file import FILE
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels
from invoke_devstack.planning.host_files import HostFile
from invoke_devstack.planning.observed import EngineInfo, ObservedNetwork, ObservedVolume
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import ENGINE, NEWER_ENGINE, engine_with
from tests.unit.planning.keys import SAMPLES, declared

HOST_FILES = {name: HostFile(content=b"f", uid=5, gid=5, mode=0o600) for name in ("/f", "/g")}


def planned(folder: Path, file: Mapping[str, Any], engine: EngineInfo) -> str:
    """The plan as text, without the hashes of what it was made from; or the error."""
    (folder / "compose.yaml").write_text(json.dumps(file))
    try:
        definition = load(folder, environment={"E": "1"}, project_name="p")
        observed = engine_with(
            definition,
            engine=engine,
            networks={name: ObservedNetwork(name, name) for name in ("m",)},
            volumes={"m": ObservedVolume("m")},
        )
        plan = plan_up(definition, observed, PlanningOptions(host_files=HOST_FILES, build=True))
    except DevstackError as error:
        return f"{type(error).__name__}: {error.message}"
    text = repr([(type(action).__name__, sorted(vars(action).items())) for action in plan])
    hashed = rf"'({re.escape(labels.CONFIG_HASH)}|{re.escape(labels.INPUTS)})': '[^']*'"
    return re.sub(hashed, "", text) + repr(plan.notices)


IN_READING = "while the files are read"
IN_WATCH = "by the watch"
BY_DOWN = "when the container stops"
FOR_PEOPLE = "is a note for people"
WITH_PARENT = "is named as ignored with the key above it"
ELSEWHERE = {
    "version": "is obsolete",
    "name": IN_READING,
    **dict.fromkeys(("volumes", "secrets", "configs", "models"), "counts once a service uses it"),
    "include": IN_READING,
    "include[].*": IN_READING,
    "services.*.extends": IN_READING,
    "services.*.extends.*": IN_READING,
    "services.*.env_file": IN_READING,
    "services.*.env_file[].*": IN_READING,
    "services.*.label_file": IN_READING,
    "services.*.attach": "by an `up` that stays",
    "services.*.develop": IN_WATCH,
    "services.*.develop.*": IN_WATCH,
    "services.*.pre_stop": BY_DOWN,
    "services.*.pre_stop[].*": BY_DOWN,
    "services.*.healthcheck.start_interval": "by our own probes, where the engine is too old",
    "services.*.build.secrets[].source": "names what the other samples use",
    "services.*.configs[].source": "names what the other samples use",
    "services.*.secrets[].source": "names what the other samples use",
    "services.*.ports[].name": FOR_PEOPLE,
    "services.*.ports[].app_protocol": FOR_PEOPLE,
    "services.*.ports[].mode": "means the same in both modes on one engine",
    "services.*.volumes[].consistency": "means nothing to an engine any more",
    "services.*.volumes[].tmpfs": "belongs to another type of mount",
    "services.*.volumes[].image": "belongs to another type of mount",
    "secrets.*.name": "is the name in a swarm",
    "configs.*.name": "is the name in a swarm",
    "secrets.*.external.name": "is the name in a swarm",
    "configs.*.external.name": "is the name in a swarm",
    "services.*.deploy.resources.reservations.generic_resources[].*": WITH_PARENT,
    "services.*.deploy.placement.preferences[].*": WITH_PARENT,
    "services.*.provider.*": WITH_PARENT,
    "services.*.models.*.*": WITH_PARENT,
    "models.*.*": WITH_PARENT,
}
"""What carries a key out, if not a plan of `up`; or why there is nothing to carry out. `*` at the end is any
key there or below."""


def elsewhere(path: str) -> bool:
    return path in ELSEWHERE or any(
        name.endswith(".*") and path.startswith(name.removesuffix("*")) for name in ELSEWHERE
    )


EVERY = [(place, key) for place, (_, samples) in SAMPLES.items() for key in samples]


def test_every_declared_key_has_a_sample() -> None:
    assert {*declared(FILE)} == {*EVERY}


@pytest.mark.parametrize("engine", [ENGINE, NEWER_ENGINE], ids=["20.10", "28.5"])
@pytest.mark.parametrize(("place", "key"), EVERY)
def test_a_key_is_carried_out_or_named(tmp_path: Path, place: str, key: str, engine: EngineInfo) -> None:
    wrap, samples = SAMPLES[place]
    path = f"{place}.{key}" if place else key
    if elsewhere(path):
        return
    folder = tmp_path / "p"
    folder.mkdir()
    without, with_key = planned(folder, wrap({}), engine), planned(folder, wrap({key: samples[key]}), engine)
    refused = without.startswith("EngineError")  # the whole mount, whatever is in it
    assert refused or without != with_key, f"{path} is dropped in silence"


def test_what_is_ignored_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        """
services:
  a:
    image: x
    annotations: {n: "1"}
    deploy:
      placement: {constraints: [c]}
"""
    )
    definition = load(tmp_path, environment={}, project_name="p")
    plan = plan_up(definition, engine_with(definition, engine=ENGINE), PlanningOptions())
    assert plan.notices == (
        "ignored, since a single engine does not support it: services.a.deploy.placement (compose.yaml:7)",
        "ignored, since Docker Engine 20.10.24 does not support it: services.a.annotations (compose.yaml:5)",
    )

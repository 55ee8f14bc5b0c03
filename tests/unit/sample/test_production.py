"""The sample on a cluster: what `invoke deploy` reads in this repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.preflight.findings import Level
from invoke_devstack.planning.preflight.swarm import preflight
from invoke_devstack.planning.preflight.translate import in_deploy_form

_ROOT = Path(__file__).parents[3]
_GIVEN = {"REGISTRY": "registry:5000/sample", "MYSQL_PASSWORD": "p", "MYSQL_ROOT_PASSWORD": "r"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample without the `.env` that `invoke setup` writes for a developer."""
    copy = tmp_path_factory.mktemp("sample")
    for name in ("services", "flask-sample"):
        shutil.copytree(_ROOT / name, copy / name)
    shutil.copy(_ROOT / "compose.prod.yaml", copy)
    return copy


def sample(folder: Path, **given: str) -> Definition:
    return load(folder, environment=given, production=True)


def test_nothing_of_the_sample_is_impossible_on_a_swarm(folder: Path) -> None:
    definition = sample(folder, **_GIVEN)
    assert not [item for item in preflight(definition, (1, 41)) if item.level is Level.ERROR]
    services = in_deploy_form(definition).services
    assert services["notes"].deploy is not None
    assert services["notes"].deploy.mode == "replicated-job"
    assert services["web"].image == "registry:5000/sample/web:1"
    assert services["web"].scale_count() == 3


def test_the_databases_publish_no_port_and_the_page_does_not_debug(folder: Path) -> None:
    services = sample(folder, **_GIVEN).services
    assert not services["mysql"].ports
    assert not services["redis"].ports
    assert services["web"].environment["FLASK_DEBUG"] == "0"


@pytest.mark.parametrize("missing", _GIVEN)
def test_what_must_not_be_a_developers_own_is_asked_for(folder: Path, missing: str) -> None:
    with pytest.raises(DefinitionError, match=missing):
        sample(folder, **{name: value for name, value in _GIVEN.items() if name != missing})

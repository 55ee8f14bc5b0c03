"""Which files make up a project, its name, its profiles, and what takes part."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from invoke_devstack.definition import load, project_name
from invoke_devstack.errors import DefinitionError, UsageError
from tests.unit.definition.conftest import Project

ONE = "services: {web: {image: x}}\n"


@pytest.mark.parametrize("name", ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"])
def test_a_compose_file_is_found_from_a_directory_below_it(project: Project, name: str) -> None:
    project.write({name: ONE, "a/b/x": ""})
    definition = load(project.folder / "a/b", environment=project.environment)

    assert definition.files == (project.folder / name,)
    assert definition.working_dir == project.folder


def test_the_first_of_several_names_wins_and_brings_one_override(project: Project) -> None:
    project.write({"docker-compose.yml": ONE, "compose.yaml": ONE, "compose.override.yml": ONE})

    assert [file.name for file in project.load().files] == ["compose.yaml", "compose.override.yml"]


def test_without_a_compose_file_all_files_in_services_are_taken_together(project: Project) -> None:
    project.write(
        {
            "services/web.yaml": "services: {web: {build: ./app, depends_on: [db]}}",
            "services/db.yml": "services: {db: {image: y, volumes: ['data:/data']}}\nvolumes: {data: }",
            "services/notes.txt": "no definition",
            ".env": "A=1\n",
        }
    )
    definition = project.load()

    assert [file.name for file in definition.files] == ["db.yml", "web.yaml"]
    assert definition.name == "proj"
    assert definition.services["web"].build is not None
    assert definition.services["web"].build.context == str(project.folder / "app")
    assert definition.env_files == (project.folder / ".env",)


def test_nothing_found_says_what_to_write(project: Project) -> None:
    error = project.error()

    assert error.message == f"no Compose file in {project.folder} or any directory above it"
    assert "compose.yaml" in error.hint


def test_compose_file_names_the_files_and_their_separator(project: Project) -> None:
    project.write(
        {"a.yaml": ONE, "b.yaml": "services: {web: {init: true}}", ".env": "COMPOSE_FILE=a.yaml,b.yaml\n"}
    )
    project.environment["COMPOSE_PATH_SEPARATOR"] = ","

    assert project.load().services["web"].init is True


def test_a_file_of_compose_file_that_is_not_there_is_named_with_what_set_it(project: Project) -> None:
    project.write({".env": "COMPOSE_FILE=no.yaml\n"})
    error = project.error()

    assert "no.yaml" in error.message
    assert str(project.folder / ".env") in error.hint


def test_files_that_are_given_replace_those_that_would_be_found(project: Project) -> None:
    project.write({"compose.yaml": ONE, "sub/other.yaml": "services: {other: {image: x, build: .}}"})
    definition = project.load(files=[Path("sub/other.yaml")])

    assert list(definition.services) == ["other"]
    assert definition.working_dir == project.folder / "sub"


@pytest.mark.parametrize(
    ("text", "environment", "given", "name"),
    [
        (ONE, {}, None, "proj"),
        ("name: own\n" + ONE, {}, None, "own"),
        ("name: My App\n" + ONE, {}, None, "myapp"),
        ("name: 'a-${STAGE:-dev}' # why\n" + ONE, {"STAGE": "prod"}, None, "a-prod"),
        ("name: own\n" + ONE, {"COMPOSE_PROJECT_NAME": "env"}, None, "env"),
        ("name: own\n" + ONE, {"COMPOSE_PROJECT_NAME": "env"}, "given", "given"),
        ("{name: flow, services: {web: {image: x}}}", {}, None, "flow"),
        ("name: &n anchored\n" + ONE, {}, None, "anchored"),
        ("name: >-\n  folded\n" + ONE, {}, None, "folded"),
    ],
)
def test_the_name_is_found_alone_as_it_is_found_with_the_rest(
    project: Project, text: str, environment: dict[str, str], given: str | None, name: str
) -> None:
    project.environment |= environment
    project.write({"compose.yaml": text})

    assert project_name(project.folder, environment=project.environment, given=given) == name
    assert project.load(project_name=given).name == name


def test_a_name_that_engines_do_not_take_is_refused(project: Project) -> None:
    project.write({"compose.yaml": ONE})
    project.environment["COMPOSE_PROJECT_NAME"] = "Not Good"

    with pytest.raises(UsageError, match="invalid project name `Not Good`"):
        project.load()


def test_a_name_of_which_nothing_is_left_is_refused(project: Project) -> None:
    error = project.error("name: '!!'\n" + ONE)

    assert error.message == "the project has no name"
    assert error.position is not None
    assert error.position.line == 1


def test_the_project_s_name_can_be_used_in_values(project: Project) -> None:
    assert project.service("labels: {p: $COMPOSE_PROJECT_NAME}").labels == {"p": "proj"}


def test_the_name_alone_costs_neither_the_model_nor_a_parser(project: Project) -> None:
    project.write({"compose.yaml": ONE})
    script = (
        "import sys; from pathlib import Path; from invoke_devstack.definition import project_name;"
        "print(project_name(Path.cwd())); print([m for m in ('pydantic', 'yaml') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    ).stdout

    assert output.split("\n")[:2] == ["proj", "[]"]


PROFILES = """
services:
  web: {image: x}
  debug: {image: x, profiles: [debug], depends_on: [probe]}
  probe: {image: x, profiles: [debug, test]}
  lonely: {image: x, profiles: [lonely], depends_on: [probe]}
"""


@pytest.mark.parametrize(
    ("profiles", "variable", "names"),
    [
        ([], "", ["web"]),
        (["debug"], "", ["debug", "probe", "web"]),
        ([], "test, other", ["probe", "web"]),
        (["test"], "debug", ["probe", "web"]),
        (["*"], "", ["debug", "lonely", "probe", "web"]),
    ],
)
def test_services_take_part_by_their_profiles(
    project: Project, profiles: list[str], variable: str, names: list[str]
) -> None:
    project.environment["COMPOSE_PROFILES"] = variable
    definition = project.load(PROFILES, profiles=profiles)

    assert list(definition.services) == names
    assert sorted([*definition.services, *definition.disabled_services]) == [
        "debug",
        "lonely",
        "probe",
        "web",
    ]


def test_a_service_that_is_named_brings_its_profile_and_its_dependencies(project: Project) -> None:
    definition = project.load(PROFILES, services=["debug"])

    assert list(definition.services) == ["debug", "probe"]


def test_a_dependency_that_no_active_profile_has_is_refused_with_its_profiles(project: Project) -> None:
    error = project.error(PROFILES, services=["lonely"])

    assert error.message == "service `lonely` depends on `probe`, whose profiles are not active"
    assert "debug, test" in error.hint


def test_a_dependency_that_is_not_required_may_be_left_out(project: Project) -> None:
    definition = project.load(
        "services: {web: {image: x, depends_on: {no: {condition: service_started, required: false}}},"
        " no: {image: x, profiles: [p]}}"
    )

    assert list(definition.services) == ["web"]


def test_an_unknown_service_is_named_with_the_nearest(project: Project) -> None:
    project.write({"compose.yaml": "services: {worker: {image: x}}"})

    with pytest.raises(UsageError, match="unknown service `wroker`") as caught:
        project.load(services=["wroker"])

    assert caught.value.hint == "Did you mean `worker`?"


def test_resources_that_no_service_uses_are_left_out(project: Project) -> None:
    definition = project.load(
        "services: {web: {image: x, volumes: ['used:/d']}}\n"
        "volumes: {used: , unused: }\nnetworks: {unused: }\nsecrets: {unused: {file: ./s}}\n"
    )

    assert list(definition.volumes) == ["used"]
    assert list(definition.networks) == ["default"]
    assert definition.secrets == {}


def test_a_directory_that_cannot_be_read_as_a_file_is_an_error(project: Project) -> None:
    (project.folder / "compose.yaml").mkdir()

    with pytest.raises(DefinitionError, match="cannot read"):
        project.load()

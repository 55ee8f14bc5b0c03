"""Variables that are set nowhere: where they are used, and errors that they cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from tests.unit.definition.conftest import Project


def _unset(project: Project, text: str) -> dict[str, list[int | None]]:
    unset = project.load(text).unset
    return {name: [position.line for position in places] for name, places in unset.items()}


def test_each_unset_variable_is_known_with_all_its_places(project: Project) -> None:
    text = """
services:
  web:
    image: redis:8
    environment:
      KEY: ${KEY}
      URL: http://$HOST/${KEY}
"""
    assert _unset(project, text) == {"KEY": [6, 7], "HOST": [7]}


def test_operators_say_what_an_unset_variable_means(project: Project) -> None:
    assert _unset(project, "services: {a: {image: x, command: ['${A:-}', '${B-}', '${C:+x}', '$$D']}}") == {}


def test_as_for_compose_a_variable_in_a_default_counts(project: Project) -> None:
    project.environment["A"] = "set"
    assert _unset(project, "services: {a: {image: x, command: '${A:-$B}'}}") == {"B": [1]}


def test_variables_of_included_and_extended_files_and_of_other_profiles_count(project: Project) -> None:
    project.write(
        {
            "more.yaml": "services: {b: {image: 'x$B'}}",
            "base.yaml": "services: {c: {image: 'x$C'}}",
        }
    )
    text = """
include: [more.yaml]
services:
  a: {extends: {file: base.yaml, service: c}}
  d: {image: "x$D", profiles: [other]}
x-e: $E
"""
    assert sorted(_unset(project, text)) == ["B", "C", "D", "E"]


def test_an_empty_value_in_the_environment_is_set(project: Project) -> None:
    project.environment["A"] = ""
    assert _unset(project, "services: {a: {image: 'x$A'}}") == {}


@pytest.mark.parametrize(
    "attributes",
    [
        "ports: ['${X}:${X}']",
        "ports: ['${X}']",
        "ports: [{target: '${X}'}]",
        "extra_hosts: ['${X}:1.2.3.4']",
        "volumes: ['${X}:/data']",
        "volumes: ['${X}']",
        "mem_limit: '${X}m'",
        "cpus: '${X}'",
        "depends_on: ['${X}']",
        "networks: ['${X}']",
        "network_mode: 'service:${X}'",
        "links: ['${X}']",
        "volumes_from: ['${X}']",
        "env_file: '${X}'",
        "env_file: '${X}.env'",
        "label_file: '${X}'",
        "secrets: ['${X}']",
        "container_name: '${X}'",
        "pull_policy: '${X}'",
        "stop_grace_period: '${X}s'",
        "healthcheck: {test: a, retries: '${X}'}",
        "scale: '${X}'",
        "extends: {service: '${X}'}",
        "extends: {service: a, file: '${X}'}",
        "develop: {watch: [{path: '${X}', action: sync, target: /a}]}",
    ],
)
def test_an_error_that_an_empty_value_causes_names_the_variable(project: Project, attributes: str) -> None:
    error = project.error(f"services: {{web: {{image: x, {attributes}}}}}")
    assert error.hint == "X is not set. Set it, for example in `.env`, or give a default: ${X:-…}"


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {image: '${X}'}}",
        "name: ${X}\nservices: {web: {image: x}}",
        "include: ['${X}']\nservices: {web: {image: x}}",
        "services: {web: {image: x, secrets: [s]}}\nsecrets: {s: {environment: '${X}'}}",
        "services: {web: {image: x}}\nnetworks: {default: {external: '${X}'}}",
    ],
)
def test_so_does_an_error_outside_of_a_service(project: Project, text: str) -> None:
    assert project.error(text).hint.startswith("X is not set.")


def test_two_variables_of_one_value_are_both_named(project: Project) -> None:
    error = project.error("services: {web: {image: x, ports: ['${A}:${B}']}}")
    assert error.hint == "A, B are not set. Set them, for example in `.env`, or give defaults: ${A:-…}"


def test_an_unset_variable_elsewhere_does_not_explain_an_error(project: Project) -> None:
    error = project.error("services: {web: {environment: {A: '${X}'}}}")
    assert error.hint.startswith("Add `image`")


def test_a_service_at_the_top_level_belongs_below_services(project: Project) -> None:
    error = project.error("web:\n  image: redis:8\n")
    assert error.message == "unknown key `web` at the top level of the file"
    assert error.hint == "Put `web` below `services:`."


def test_env_files_use_variables_too(tmp_path: Path) -> None:
    files = {
        "compose.yaml": (
            "name: p\ninclude: [inc/c.yaml]\nservices: {a: {image: a, env_file: a.env, user: '$SET'}}\n"
        ),
        "inc/c.yaml": "services: {b: {image: b}}\n",
        "inc/.env": "I=$INCLUDED\n",
        ".env": "SET=1\n\nOK=$SET ${D:-d} '$no'\nA=${PLAIN}\nB='$quoted'\n",
        "a.env": "# first\nC=$FILE\nSAME=$C\n",
    }
    (tmp_path / "inc").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    unset = load(tmp_path, environment={}).unset
    found = {
        name: [f"{place.file.relative_to(tmp_path)}:{place.line}" for place in places]
        for name, places in unset.items()
    }
    assert found == {
        "no": [".env:3"],
        "PLAIN": [".env:4"],
        "INCLUDED": ["inc/.env:1"],
        "FILE": ["a.env:2"],
    }


def test_what_follows_a_dollar_in_a_password_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {image: a}}\n", encoding="utf-8")
    (tmp_path / ".env").write_text('DB_PASSWORD="ab$cd"\nAPI_TOKEN=x$yz\n', encoding="utf-8")
    unset = load(tmp_path, environment={}).unset
    assert list(unset) == ["a variable in DB_PASSWORD", "a variable in API_TOKEN"]

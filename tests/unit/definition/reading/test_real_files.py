"""What real Compose files do and generated ones do not; each as Compose 2.40 reads it."""

from __future__ import annotations

import pytest

from tests.unit.definition.conftest import Project


@pytest.mark.parametrize(
    ("profiles", "asked", "enabled"),
    [
        ('["", "search"]', None, True),
        ('["", "search"]', "", True),
        ('[""]', None, True),
        ('["", "search"]', ",other", True),
        ('["", "search"]', "other", False),
        ('["", "search"]', "search", True),
        ('["", "search"]', "*", True),
        ('["search"]', None, False),
        ('["search"]', "", False),
    ],
)
def test_the_empty_profile_is_active_when_none_is_asked_for(
    project: Project, profiles: str, asked: str | None, enabled: bool
) -> None:
    if asked is not None:
        project.environment["COMPOSE_PROFILES"] = asked
    definition = project.load(f"services: {{web: {{image: x}}, store: {{image: y, profiles: {profiles}}}}}")
    assert ("store" in definition.services) is enabled
    assert "" not in definition.profiles


def test_a_given_profile_leaves_the_empty_one_inactive(project: Project) -> None:
    definition = project.load("services: {store: {image: y, profiles: ['']}}", profiles=("search",))
    assert "store" not in definition.services


@pytest.mark.parametrize("body", ["", " {}", " null"])
def test_a_service_without_a_body_in_another_file_may_be_extended(project: Project, body: str) -> None:
    project.write({"base.yaml": f"services:\n  app:{body}\n"})
    service = project.service("extends: {file: base.yaml, service: app}")
    assert service.image == "x"


def test_entries_that_another_files_service_repeats_are_taken_once(project: Project) -> None:
    base = "services: {app: {extends: root}, root: {networks: [a, a], cap_add: [X, X], dns: [d, d]}}\n"
    project.write({"base.yaml": base})
    text = "services: {web: {image: x, extends: {file: base.yaml, service: app}}}\nnetworks: {a: {}}"
    service = project.load(text).services["web"]
    assert (list(service.networks), service.cap_add, service.dns) == (["a"], ("X",), ("d",))


def test_those_that_merging_keeps_twice_are_refused_as_in_one_file(project: Project) -> None:
    project.write({"base.yaml": "services: {app: {security_opt: [a, a]}}\n"})
    error = project.error("services: {web: {image: x, extends: {file: base.yaml, service: app}}}")
    assert "security_opt[1]` is a duplicate" in error.message


def test_a_service_without_a_body_in_the_same_file_is_refused(project: Project) -> None:
    error = project.error("services:\n  web: {extends: app, image: x}\n  app:\n")
    assert "services.app" in error.message


def test_a_merge_key_takes_an_alias_of_a_list(project: Project) -> None:
    text = """
x-a: &a {restart: always}
x-common: &common [*a, {init: true, restart: "no"}]
services:
  web: {<<: *common, image: x}
"""
    web = project.load(text).services["web"]
    assert (web.restart, web.init) == ("always", True)


def test_the_env_file_of_the_folder_in_which_the_command_is_typed_wins(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write({".env": "A=root\nB=root\n", "backend/.env": "A=backend\n"})
    monkeypatch.chdir(project.folder / "backend")
    assert project.service("labels: {a: $A, b: $B}").labels == {"a": "backend", "b": "root"}
    monkeypatch.chdir(project.folder.parent)
    assert project.service("labels: {a: $A}").labels == {"a": "root"}


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/example/stack.git#main:infra",
        "oci://docker.io/example/stack:1",
        "git@host:a/b.git",
    ],
)
def test_an_include_of_another_machine_is_named_as_it_was_written(project: Project, address: str) -> None:
    error = project.error(f"include: ['{address}']\nservices: {{web: {{image: x}}}}\n")
    assert address in error.message
    assert "not supported" in error.message


def test_an_address_in_a_list_of_included_files_is_named_as_it_was_written(project: Project) -> None:
    error = project.error("include: [{path: ['oci://host/x:1', b.yaml]}]\nservices: {web: {image: x}}\n")
    assert error.message == "files on other machines are not supported: oci://host/x:1"


@pytest.mark.parametrize(
    "address",
    [
        "oci://registry.example/stack:1",
        "https://host/x.git#main:infra",
        "git@host:a/b.git",
        "github.com/x/y.git",
    ],
)
def test_an_extended_file_of_another_machine_is_named_as_it_was_written(
    project: Project, address: str
) -> None:
    error = project.error(f"services: {{web: {{extends: {{file: '{address}', service: a}}}}}}\n")
    assert error.message == f"files on other machines are not supported: {address}"
    assert error.position is not None

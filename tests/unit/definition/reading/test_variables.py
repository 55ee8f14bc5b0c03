"""Interpolation (Compose Specification, "Interpolation") and `.env` files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from invoke_devstack.definition.syntax.dotenv import parse_env
from invoke_devstack.definition.syntax.template import RequiredVariableError, TemplateError, substitute
from invoke_devstack.errors import DefinitionError
from tests.unit.definition.conftest import Project

VALUES = {"V": "value", "EMPTY": "", "N": "3"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$V", "value"),
        ("${V}", "value"),
        ("${v}$n", ""),
        ("a$$b", "a$b"),
        ("$$V", "$V"),
        ("$", "$"),
        ("$1", "$1"),
        ("${UNSET:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${UNSET-d}", "d"),
        ("${V:-d}", "value"),
        ("${V:+r}", "r"),
        ("${EMPTY:+r}", ""),
        ("${EMPTY+r}", "r"),
        ("${UNSET+r}", ""),
        ("${V:?e}", "value"),
        ("${EMPTY?e}", ""),
        ("${UNSET:-${V}}", "value"),
        ("${UNSET:-${EMPTY:-${N}}}", "3"),
        ("${UNSET:-a b:c/d}", "a b:c/d"),
        ("${UNSET:-{}}", "{}"),
        ("${UNSET:-$$V}", "$V"),
        ("${V} and ${N:-x} }", "value and 3 }"),
        ("${UNSET-}x", "x"),
        ("${UNSET:--}", "-"),
    ],
)
def test_a_variable_is_replaced(text: str, result: str) -> None:
    assert substitute(text, VALUES.get) == result


@pytest.mark.parametrize("text", ["${}", "${1}", "${V", "${V:}", "${V!x}", "a ${-x}", "${V:-a\nb}"])
def test_a_brace_that_holds_no_variable_is_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        substitute(text, VALUES.get)


@pytest.mark.parametrize(
    "text", ["${UNSET:?say why}", "${UNSET?say why}", "${EMPTY:?say why}", "${UNSET:?${V}}"]
)
def test_a_required_variable_that_is_not_set_is_named_with_its_reason(text: str) -> None:
    with pytest.raises(RequiredVariableError) as caught:
        substitute(text, VALUES.get)

    assert caught.value.name in ("UNSET", "EMPTY")
    assert "say why" in str(caught.value) or "value" in str(caught.value)


def test_a_required_variable_that_is_not_set_names_file_line_key_and_the_way_out(project: Project) -> None:
    error = project.error("services:\n  web:\n    image: ${IMAGE:?name the image}\n")

    assert error.message == ("`services.web.image`: required variable IMAGE has no value: name the image")
    assert str(error.position) == f"{project.folder / 'compose.yaml'}:3:12: services.web.image"
    assert "IMAGE=" in error.hint


def test_a_number_is_made_of_a_variable_where_one_is_wanted(project: Project) -> None:
    project.environment |= {"N": "3", "ON": "yes"}
    service = project.service("scale: $N, init: $ON, cpus: '${N}.5'")

    assert (service.scale, service.init, service.cpus) == (3, True, 3.5)


def test_a_variable_that_makes_no_number_is_named(project: Project) -> None:
    error = project.error("services: {web: {image: x, scale: '${REPLICAS}'}}")

    assert "`services.web.scale`: invalid integer ``" in error.message
    assert "REPLICAS" in error.hint


def test_the_environment_wins_over_the_env_file(project: Project) -> None:
    project.write({".env": "A=file\nB=file\n"})
    project.environment["A"] = "process"

    assert project.service("labels: {a: $A, b: $B}").labels == {"a": "process", "b": "file"}


def test_env_files_that_are_named_replace_the_one_that_is_found(project: Project) -> None:
    project.write({".env": "A=found\n", "one.env": "A=one\nB=one\n", "two.env": "B=two\n"})
    service = project.service("labels: {a: $A, b: $B}", env_files=[Path("one.env"), Path("two.env")])
    project.environment["COMPOSE_ENV_FILES"] = "two.env"

    assert service.labels == {"a": "one", "b": "two"}
    assert project.service("labels: {a: $A, b: $B}").labels == {"a": "", "b": "two"}


def test_the_env_file_can_be_switched_off(project: Project) -> None:
    project.write({".env": "A=file\n"})
    project.environment["COMPOSE_DISABLE_ENV_FILE"] = "true"

    assert project.service("labels: {a: '$A'}").labels == {"a": ""}


def test_the_user_s_ids_are_there_to_use(project: Project) -> None:
    asked = 'user: "${DEVSTACK_UID:?}:${DEVSTACK_GID:?}"'
    assert project.service(asked).user == f"{os.getuid()}:{os.getgid()}"


def test_uid_is_set_only_if_it_is_exported_as_for_compose(project: Project) -> None:
    assert project.service('user: "${UID:-1000}:${GID:-1000}"').user == "1000:1000"
    project.environment |= {"UID": "7"}
    assert project.service('user: "${UID:-1000}"').user == "7"


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ("A=1\nB = 2\n", {"A": "1", "B": "2"}),
        ("export A=1", {"A": "1"}),
        ("A=1\nexport \n", {"A": "1"}),
        ("A: yaml", {"A": "yaml"}),
        ("A=x # comment\n# B=1\n\nC=#no", {"A": "x", "C": "#no"}),
        ("A='single $V\nline'", {"A": "single $V\nline"}),
        ('A="double $V\\nline"', {"A": "double value\nline"}),
        ('A="q\\"q"', {"A": 'q"q'}),
        ("A='it\\'s'", {"A": "it's"}),
        ("A=${UNSET:-x}\nB=${A}y", {"A": "x", "B": "xy"}),
        ("V=own\nA=$V", {"V": "own", "A": "value"}),
        ("V\nUNKNOWN\n", {"V": "value"}),
        ("A=\\$V", {"A": "\\value"}),
        ('A="\\$V"', {"A": "$V"}),
        ("A=$$V", {"A": "$V"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=\n", {"A": ""}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
    ],
)
def test_an_env_file_is_read_as_compose_reads_it(
    content: str, values: dict[str, str], tmp_path: Path
) -> None:
    assert parse_env(content.removeprefix("\ufeff"), tmp_path, VALUES.get) == values


@pytest.mark.parametrize(
    ("content", "line"),
    [("A=1\nB!=2\n", 2), ("A B=1", 1), ("A=1\n\nB='open\n", 3), ("A=1\nB=${UNSET:?why}", 2)],
)
def test_what_is_wrong_in_an_env_file_is_said_with_its_line(content: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_env(content, tmp_path / ".env", VALUES.get)

    assert caught.value.position is not None
    assert caught.value.position.line == line


def test_an_env_file_of_a_service_fills_its_environment(project: Project) -> None:
    project.write({"a.env": "A=a\nB=a\nC=${FROM}\n", "raw.env": "RAW='$FROM'\nFROM\n"})
    project.environment["FROM"] = "process"
    service = project.service(
        "environment: {B: own},"
        " env_file: [a.env, {path: raw.env, format: raw}, {path: no.env, required: false}]"
    )

    assert service.environment == {"A": "a", "B": "own", "C": "process", "RAW": "'$FROM'", "FROM": "process"}
    assert service.inline_environment == {"B": "own"}


def test_an_env_file_that_is_not_there_is_named_with_the_line_that_wants_it(project: Project) -> None:
    error = project.error("services:\n  web:\n    image: x\n    env_file: no.env\n")

    assert error.message == f"service `web`: no such env file: {project.folder / 'no.env'}"
    assert error.position is not None
    assert error.position.line == 4


def test_a_variable_without_a_value_comes_from_the_environment(project: Project) -> None:
    project.environment["A"] = "process"

    assert project.service("environment: [A, B, C=]").environment == {"A": "process", "B": None, "C": ""}

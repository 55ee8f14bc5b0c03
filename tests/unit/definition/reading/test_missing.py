"""What the files need and nobody gave is collected: variables that must be set, env files, label files."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import DefinitionError


def refusal(folder: Path, text: str, **variables: str) -> DefinitionError:
    (folder / "compose.yaml").write_text(text)
    with pytest.raises(DefinitionError) as refused:
        load(folder, environment=variables)
    return refused.value


def test_one_is_told_as_it_is(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'services: {web: {image: "redis:${TAG:?no tag}"}}')
    assert error.message == "`services.web.image`: required variable TAG has no value: no tag"
    assert error.position is not None
    assert (error.position.line, error.details) == (1, ())
    assert error.hint.endswith("TAG=…")


FILE = """
services:
  web:
    image: "redis:${TAG:?}"
    environment: {A: "${A:?}${B:?}", C: "${C:-${D:?}}", E: "${TAG:?}"}
    env_file: [one.env, {path: two.env, required: false}]
  db:
    image: redis
    label_file: labels.env
"""


def test_several_are_one_error_with_a_line_for_each_variable_and_file(tmp_path: Path) -> None:
    error = refusal(tmp_path, FILE)
    assert error.message == "6 things are missing or wrong in the Compose files"
    named = [
        next(word for word in ("TAG ", "A ", "B ", "D ", "one.env", "labels.env") if word in line)
        for line in error.details
    ]
    assert named == ["TAG ", "A ", "B ", "D ", "labels.env", "one.env"]
    assert all(line.startswith(f"{tmp_path}/compose.yaml:") for line in error.details)


def test_what_is_set_is_not_missing(tmp_path: Path) -> None:
    error = refusal(tmp_path, FILE, TAG="8", A="a", B="b", D="d")
    assert len(error.details) == 2
    for name in ("one.env", "labels.env"):
        (tmp_path / name).write_text("X=1\n")
    assert load(tmp_path, environment={"TAG": "8", "A": "a", "B": "b", "D": "d"}).missing == ()


def test_an_error_that_follows_from_an_empty_value_is_not_told(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'services: {web: {image: redis, ports: ["${PORT:?}:80:x"]}}')
    assert "PORT has no value" in error.message


def test_another_error_is_told_with_what_is_missing(tmp_path: Path) -> None:
    text = 'services:\n  web:\n    image: "redis:${TAG:?}"\n  db:\n    image: redis\n    prots: []\n'
    error = refusal(tmp_path, text)
    assert [("TAG" in line, "prots" in line) for line in error.details] == [(True, False), (False, True)]


def test_gathered_it_is_in_the_definition_and_its_values_are_empty(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE)
    made = load(tmp_path, environment={}, gathering=True)
    assert len(made.missing) == 6
    assert made.services["web"].environment["A"] == ""

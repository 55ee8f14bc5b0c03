"""Which images a definition asks for."""

from __future__ import annotations

from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.setup.needed_images import defaults, needed_images, substitute


def references(folder: Path, compose: str, dockerfile: str = "") -> list[str]:
    (folder / "compose.yaml").write_text(compose)
    if dockerfile:
        (folder / "Dockerfile").write_text(dockerfile)
    return [image.reference for image in needed_images(load(folder))]


def test_images_of_services_and_bases_of_builds_are_needed_once(tmp_path: Path) -> None:
    compose = "services: {a: {image: 'redis:8'}, b: {image: 'redis:8'}, web: {build: .}}"
    dockerfile = "FROM python:3.13-slim AS base\nFROM node:22 AS assets\nFROM base\n"
    assert references(tmp_path, compose, dockerfile) == ["redis:8", "python:3.13-slim", "node:22"]


def test_the_name_of_a_built_image_is_not_needed(tmp_path: Path) -> None:
    compose = "services: {web: {build: ., image: 'shop/web'}}"
    assert references(tmp_path, compose, "FROM scratch\n") == []


def test_an_image_that_may_not_be_pulled_is_not_needed(tmp_path: Path) -> None:
    assert references(tmp_path, "services: {a: {image: mine, pull_policy: never}}") == []


def test_arguments_before_from_fill_in_the_base(tmp_path: Path) -> None:
    compose = "services: {web: {build: {context: ., args: {VERSION: '3.13'}}}}"
    dockerfile = "ARG VERSION=3.12\nARG KIND=slim\nFROM python:${VERSION}-${KIND}\nARG VERSION\n"
    assert references(tmp_path, compose, dockerfile) == ["python:3.13-slim"]


def test_a_dockerfile_that_is_not_there_is_left_to_the_build(tmp_path: Path) -> None:
    assert references(tmp_path, "services: {web: {build: {context: ., dockerfile: Nope}}}") == []


def test_defaults_end_at_the_first_from() -> None:
    assert defaults("ARG A=1\nARG B='x'\nFROM a\nARG C=3\n") == {"A": "1", "B": "x"}


def test_a_default_in_the_variable_counts_where_it_is_empty() -> None:
    assert substitute("${A:-8}-${B:+yes}", {"B": "1"}) == "8-yes"

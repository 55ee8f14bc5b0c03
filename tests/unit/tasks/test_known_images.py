from __future__ import annotations

import pytest

from invoke_devstack.tasks.known_images import KINDS, connection_string, kind_of


@pytest.mark.parametrize(
    "image", ["mysql", "mysql:9", "docker.io/library/mysql:9@sha256:00", "registry.example.com:5000/mysql"]
)
def test_an_image_is_known_by_its_name(image: str) -> None:
    assert kind_of(image) is KINDS["mysql"]


@pytest.mark.parametrize("image", ["mysql-exporter", "my/app:mysql", ""])
def test_another_image_is_not(image: str) -> None:
    assert kind_of(image) is None


def test_parts_of_a_connection_string_are_encoded() -> None:
    variables = {"MYSQL_USER": "u@", "MYSQL_PASSWORD": "p:/", "MYSQL_DATABASE": "d"}
    told = connection_string(KINDS["mysql"], variables, "localhost", 3306)
    assert told == "mysql://u%40:p%3A%2F@localhost:3306/d"


def test_what_is_not_set_is_as_the_image_has_it() -> None:
    assert connection_string(KINDS["redis"], {}, "localhost", 6379) == "redis://localhost:6379"
    assert connection_string(KINDS["postgres"], {"POSTGRES_PASSWORD": "x"}, "h", 1) == (
        "postgresql://postgres:x@h:1/postgres"
    )

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from invoke_devstack.planning.connections import connection_string, login_of
from invoke_devstack.planning.known_images import KNOWN_IMAGES, known_image


@pytest.mark.parametrize(
    "image", ["mysql", "mysql:9", "docker.io/library/mysql:9@sha256:00", "registry.example.com:5000/mysql"]
)
def test_an_image_is_known_by_its_name(image: str) -> None:
    assert known_image(image) is KNOWN_IMAGES["mysql"]


@pytest.mark.parametrize("image", ["mysql-exporter", "my/app:mysql", ""])
def test_another_image_is_not(image: str) -> None:
    assert known_image(image) is None


def test_parts_of_a_connection_string_are_encoded() -> None:
    variables = {"MYSQL_USER": "u@", "MYSQL_PASSWORD": "p:/", "MYSQL_DATABASE": "d"}
    told = connection_string(
        KNOWN_IMAGES["mysql"], login_of(KNOWN_IMAGES["mysql"], variables), "localhost", 3306
    )
    assert told == "mysql://u%40:p%3A%2F@localhost:3306/d"


def told(name: str, variables: Mapping[str, str], command: Sequence[str] = ()) -> str:
    kind = KNOWN_IMAGES[name]
    return connection_string(kind, login_of(kind, variables, command), "h", 1)


@pytest.mark.parametrize(
    ("name", "variables", "expected"),
    [
        ("redis", {}, "redis://h:1"),
        ("postgres", {"POSTGRES_PASSWORD": "x"}, "postgresql://postgres:x@h:1/postgres"),
        ("postgres", {"POSTGRES_USER": "u", "POSTGRES_PASSWORD": "x"}, "postgresql://u:x@h:1/u"),
        ("mysql", {"MYSQL_ROOT_PASSWORD": "r", "MYSQL_DATABASE": "d"}, "mysql://root:r@h:1/d"),
        (
            "rabbitmq",
            {"RABBITMQ_DEFAULT_PASS": "x", "RABBITMQ_DEFAULT_VHOST": "/v"},
            "amqp://guest:x@h:1/%2Fv",
        ),
        (
            "mongo",
            {"MONGO_INITDB_ROOT_USERNAME": "u", "MONGO_INITDB_ROOT_PASSWORD": "x"},
            "mongodb://u:x@h:1/?authSource=admin",
        ),
    ],
)
def test_what_is_not_set_is_as_the_image_has_it(
    name: str, variables: Mapping[str, str], expected: str
) -> None:
    assert told(name, variables) == expected


@pytest.mark.parametrize(
    "command",
    [
        ("redis-server", "--requirepass", "s3cret"),
        ("sh", "-c", 'exec redis-server --requirepass "$REDIS_PASSWORD"'),
        ("sh", "-c", "exec redis-server --requirepass ${REDIS_PASSWORD} --appendonly yes"),
    ],
)
def test_redis_is_told_its_password_by_its_command(command: Sequence[str]) -> None:
    assert told("redis", {"REDIS_PASSWORD": "s3cret"}, command) == "redis://:s3cret@h:1"

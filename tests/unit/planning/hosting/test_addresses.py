"""Addresses of services in variables become addresses on this machine."""

from __future__ import annotations

import json

import pytest

from invoke_devstack.planning.hosting.addresses import Known, Local, Rewriter

NAMES = {
    "redis": Known("redis", (6379,)),
    "cache": Known("redis", (6379,)),
    "mysql": Known("mysql", (3306,)),
    "db": Known("db", (5432,)),
    "web": Known("web", (5000,)),
    "odd": Known("odd"),
}
PLACES = {
    ("redis", 6379): Local("127.0.0.1", 16379),
    ("mysql", 3306): Local("127.0.0.1", 3306),
    ("db", 5432): Local("127.0.0.1", 15432),
    ("web", 80): Local("127.0.0.1", 8080),
    ("web", 5000): Local("127.0.0.1", 8080),
}


def rewriter() -> Rewriter:
    return Rewriter(NAMES, lambda service, port: PLACES.get((service, port)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("redis:6379", "127.0.0.1:16379"),
        ("REDIS:6379", "127.0.0.1:16379"),
        ("cache:6379,redis:6379", "127.0.0.1:16379,127.0.0.1:16379"),
        ("redis://redis:6379/0", "redis://127.0.0.1:16379/0"),
        ("redis://redis/0", "redis://127.0.0.1:16379/0"),
        ("redis://:p%40ss@cache:6379", "redis://:p%40ss@127.0.0.1:16379"),
        ("mysql://mysql:3306@mysql:3306/mysql", "mysql://mysql:3306@127.0.0.1:3306/mysql"),
        ("mysql+pymysql://u:redis:6379@db/x", "mysql+pymysql://u:redis:6379@127.0.0.1:15432/x"),
        ("jdbc:postgresql://db:5432/app?user=db", "jdbc:postgresql://127.0.0.1:15432/app?user=db"),
        ("user:pw@tcp(mysql:3306)/app", "user:pw@tcp(127.0.0.1:3306)/app"),
        ("mongodb://u:p@db:5432,redis:6379/x", "mongodb://u:p@127.0.0.1:15432,127.0.0.1:16379/x"),
        ("http://web/path?next=http://web:5000/", "http://127.0.0.1:8080/path?next=http://127.0.0.1:8080/"),
        ("host=redis:6379 and mysql:3306", "host=127.0.0.1:16379 and 127.0.0.1:3306"),
    ],
)
def test_an_address_is_rewritten(value: str, expected: str) -> None:
    assert rewriter().variables({"X": value}) == {"X": expected}


@pytest.mark.parametrize(
    "value",
    [
        "redis",  # a word, not an address
        "redis:8",  # an image's tag
        "my-redis:6379",
        "redis.example.com:6379",
        "redis:6379.5",
        "http://redis.example.com:6379/",
        "other:6379",
        "redis:9999",  # nothing reaches it
        "{not json redis",
        "",
    ],
)
def test_what_is_no_address_of_the_stack_stays(value: str) -> None:
    it = rewriter()
    assert it.variables({"NAME": value}) == {"NAME": value}
    assert it.rewrites == []


def test_a_host_and_its_port_are_rewritten_together() -> None:
    before = {"DB_HOST": "db", "DB_PORT": "5432", "DB_CONNECTION": "mysql", "PGHOST": "db", "PGPORT": "5432"}
    assert rewriter().variables(before) == {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": "15432",
        "DB_CONNECTION": "mysql",
        "PGHOST": "127.0.0.1",
        "PGPORT": "15432",
    }


def test_the_port_is_added_where_only_the_host_is_given_and_the_port_is_another_one() -> None:
    it = rewriter()
    after = it.variables({"REDIS_HOST": "redis", "MYSQL_HOST": "mysql"})
    assert after == {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "16379", "MYSQL_HOST": "127.0.0.1"}
    assert [item.variable for item in it.rewrites if item.added] == ["REDIS_PORT"]


def test_a_host_without_a_known_port_stays() -> None:
    assert rewriter().variables({"ODD_HOST": "odd"}) == {"ODD_HOST": "odd"}


def test_json_keeps_its_types() -> None:
    value = {
        "cache": {"host": "redis", "port": 6379},
        "urls": ["mysql://u:p@mysql/x"],
        "dbHost": "db",
        "n": 1,
    }
    it = rewriter()
    after = json.loads(it.variables({"CONFIG": json.dumps(value)})["CONFIG"])
    assert after == {
        "cache": {"host": "127.0.0.1", "port": 16379},
        "urls": ["mysql://u:p@127.0.0.1:3306/x"],
        "dbHost": "127.0.0.1",
        "n": 1,
    }
    assert {item.before for item in it.rewrites} == {"redis:6379", "mysql:3306", "db:5432"}


def test_json_without_an_address_keeps_its_spelling() -> None:
    assert rewriter().variables({"CONFIG": '{"a":1,\n "b":"é"}'}) == {"CONFIG": '{"a":1,\n "b":"é"}'}


def test_each_rewrite_says_what_became_of_which_address() -> None:
    it = rewriter()
    it.variables({"REDIS_URL": "redis://:secret@cache:6379"})
    (only,) = it.rewrites
    assert (only.variable, only.before, only.after) == ("REDIS_URL", "cache:6379", "127.0.0.1:16379")


def test_no_names_mean_no_rewrites() -> None:
    assert Rewriter({}, lambda *_: None).variables({"A": "redis:6379"}) == {"A": "redis:6379"}

"""Connections of services, and the variables that `x-devstack.connect` gives to a dependent."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.connections import injected, inside, service_login
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import engine_after, engine_with, stack

MYSQL = {
    "image": "mysql:9",
    "environment": {"MYSQL_USER": "app", "MYSQL_PASSWORD": "p/w", "MYSQL_DATABASE": "shop"},
}


def connected(connect: Any = None, **web: Any) -> Definition:
    extension = {"x-devstack": {"connect": ["redis", "my-sql"] if connect is None else connect}}
    return stack({"web": {"extensions": extension, **web}, "redis": {"image": "redis:8"}, "my-sql": MYSQL})


def test_a_dependent_gets_the_urls_and_parts_of_what_it_connects_to() -> None:
    definition = connected()
    assert injected(definition, definition.services["web"]) == {
        "REDIS_URL": "redis://redis:6379",
        "REDIS_HOST": "redis",
        "REDIS_PORT": "6379",
        "MY_SQL_URL": "mysql://app:p%2Fw@my-sql:3306/shop",
        "MY_SQL_HOST": "my-sql",
        "MY_SQL_PORT": "3306",
        "MY_SQL_USER": "app",
        "MY_SQL_PASSWORD": "p/w",
        "MY_SQL_DATABASE": "shop",
    }


def test_what_a_service_sets_itself_wins() -> None:
    definition = connected(["redis"], environment={"REDIS_HOST": "elsewhere", "REDIS_URL": None})
    assert injected(definition, definition.services["web"]) == {"REDIS_PORT": "6379"}


@pytest.mark.parametrize("connect", ["redis", {"redis": True}, [1], [["redis"]]])
def test_connect_must_be_a_list_of_services(connect: Any) -> None:
    definition = connected(connect)
    with pytest.raises(DefinitionError, match="must be a list of services"):
        injected(definition, definition.services["web"])


def test_a_name_that_is_no_service_is_refused_with_the_nearest() -> None:
    definition = connected(["radis"])
    with pytest.raises(DefinitionError) as error:
        plan_up(definition, engine_with(definition), PlanningOptions())
    assert error.value.hint == "Did you mean `redis`?"


def test_a_server_that_is_not_known_has_host_and_port_alone() -> None:
    definition = stack({"api": {"expose": ["8000"]}, "worker": {}})
    connection = inside(definition, definition.services["api"])
    assert connection is not None
    assert connection.variables() == {"API_HOST": "api", "API_PORT": "8000"}
    assert inside(definition, definition.services["worker"]) is None


def test_a_password_in_a_secret_is_read_only_by_who_asks_for_it() -> None:
    service = {
        "image": "postgres:17",
        "environment": {"POSTGRES_PASSWORD_FILE": "/run/secrets/pw"},
        "secrets": [{"source": "pw"}],
    }
    definition = stack({"db": service}, secrets={"pw": {"name": "pw", "file": "/project/pw.txt"}})
    db = definition.services["db"]
    assert service_login(definition, db).password == ""
    assert service_login(definition, db, {"/project/pw.txt": "hush\n"}.__getitem__).password == "hush"


def environment(definition: Definition) -> dict[str, str]:
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    body = next(item for item in plan if isinstance(item, CreateContainer) and item.service == "web").body
    return dict(entry.split("=", 1) for entry in body.get("Env", ()))


def test_the_container_has_the_variables_and_the_hash_does_not_know_them() -> None:
    with_, without = connected(["redis"]), connected([])
    assert environment(with_)["REDIS_URL"] == "redis://redis:6379"
    hashes = set()
    for definition in (with_, without):
        plan = plan_up(definition, engine_with(definition), PlanningOptions())
        made = next(item for item in plan if isinstance(item, CreateContainer) and item.service == "web")
        hashes.add(made.body["Labels"]["com.docker.compose.config-hash"])
    assert len(hashes) == 1


def changed(before: Definition, after: Definition, *, ours: bool = True) -> list[str]:
    first = plan_up(before, engine_with(before), PlanningOptions())
    observed = engine_after(first, engine_with(before))
    if not ours:
        from dataclasses import replace

        containers = tuple(
            replace(
                item,
                labels={key: value for key, value in item.labels.items() if "invoke-devstack" not in key},
            )
            for item in observed.containers
        )
        observed = replace(observed, containers=containers)
    plan = plan_up(after, observed, PlanningOptions())
    return [item.cause.text for item in plan if isinstance(item, CreateContainer) and item.service == "web"]


def test_it_is_recreated_when_a_connection_comes_changes_or_goes() -> None:
    assert changed(connected(["redis"]), connected(["redis"])) == []
    assert "REDIS_URL" in changed(connected([]), connected(["redis"]))[0]
    assert "REDIS_URL" in changed(connected(["redis"]), connected([]))[0]


def test_a_container_of_composes_without_the_variables_is_recreated() -> None:
    assert changed(connected(["redis"]), connected(["redis"]), ours=False) == [
        "created without the variables of `x-devstack.connect`"
    ]
    assert changed(connected([]), connected([]), ours=False) == []

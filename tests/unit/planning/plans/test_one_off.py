"""A one-off container of a service."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer, Plan
from invoke_devstack.planning.plans.one_off import OneoffOptions, plan_oneoff
from tests.unit.planning.building import container_id, engine_with, running, stack

SLUG = "0123456789abcdef" * 4
WEB = stack(
    {
        "db": {},
        "web": {
            "environment": {"A": "1", "B": "1"},
            "ports": [{"target": 80, "published": "8080"}],
            "restart": "always",
            "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
        },
        "side": {"network_mode": "service:db"},
    },
    volumes={"data": {"name": "p_data"}},
)


def made(service: str = "web", **options: Any) -> Plan:
    return plan_oneoff(WEB, running(WEB), service, OneoffOptions(slug=SLUG, **options), PlanningOptions())


def body(service: str = "web", **options: Any) -> dict[str, Any]:
    (create,) = (action for action in made(service, **options) if isinstance(action, CreateContainer))
    return dict(create.body)


def test_it_is_made_beside_those_that_run() -> None:
    assert made().lines() == ("create p-web-run-0123456789ab  (run)",)


def test_what_it_needs_is_made_before() -> None:
    plan = plan_oneoff(WEB, engine_with(WEB, images={}), "web", OneoffOptions(slug=SLUG), PlanningOptions())
    assert plan["create p-web-run-0123456789ab"].needs == {
        "pull web:1",
        "create network p_default",
        "create volume p_data",
    }


def test_it_has_the_labels_of_a_one_off_and_no_number() -> None:
    own = body()["Labels"]
    assert (own[labels.ONEOFF], own[labels.SLUG]) == ("True", SLUG)
    assert labels.NUMBER not in own


def test_it_publishes_nothing_and_restarts_for_nobody() -> None:
    made_body = body()
    assert made_body["HostConfig"]["PortBindings"] == {}
    assert "RestartPolicy" not in made_body["HostConfig"]
    endpoint = made_body["NetworkingConfig"]["EndpointsConfig"]["p_default"]
    assert endpoint["Aliases"] == ["p-web-run-0123456789ab"]


def test_its_options_go_before_the_service() -> None:
    made_body = body(
        command=("sh", "-c", "x"),
        user="5",
        working_dir="/w",
        environment=("B=2", "C="),
        publish=("9090:90", "91"),
        volumes=("./src:/src:ro", "data:/more"),
        tty=True,
        stdin=True,
    )
    assert made_body["Cmd"] == ["sh", "-c", "x"]
    assert (made_body["User"], made_body["WorkingDir"]) == ("5", "/w")
    assert made_body["Env"] == ["A=1", "B=2", "C="]
    assert (made_body["Tty"], made_body["OpenStdin"], made_body["StdinOnce"]) == (True, True, True)
    host = made_body["HostConfig"]
    assert host["Binds"] == ["p_data:/data:rw", "/project/src:/src:ro", "p_data:/more:rw"]
    assert host["PortBindings"] == {
        "90/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9090"}],
        "91/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
    }


def test_it_lives_in_the_container_that_runs_where_its_service_does() -> None:
    assert body("side")["HostConfig"]["NetworkMode"] == f"container:{container_id('p-db-1')}"


@pytest.mark.parametrize(
    "options", [{"publish": ("x:80",)}, {"volumes": ("src",)}, {"volumes": ("a:/b:zz",)}]
)
def test_what_is_no_port_or_volume_is_told(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        made(**options)


def test_an_unknown_service_is_told() -> None:
    with pytest.raises(UsageError, match="unknown service `wbe`"):
        made("wbe")

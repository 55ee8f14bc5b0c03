"""The engine's lists as observed data."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.engine.containers.observing import (
    exit_code_in,
    health_in,
    read_container,
    read_image,
    read_info,
    read_networks,
    read_volumes,
    with_details,
    with_network_ids,
)
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.observed import ObservedMount, PublishedPort


def entry(**fields: Any) -> dict[str, Any]:
    return {
        "Id": "abc",
        "Names": ["/p-web-1"],
        "Image": "nginx:1",
        "ImageID": "sha256:1",
        "State": "running",
        "Status": "Up 2 minutes",
        "Created": 1_700_000_000,
        "Labels": {"com.docker.compose.service": "web", "com.docker.compose.container-number": "2"},
        **fields,
    }


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 5 seconds (healthy)", "healthy"),
        ("Up 5 seconds (unhealthy)", "unhealthy"),
        ("Up 1 second (health: starting)", "starting"),
        ("Up 1 second (starting)", "starting"),
        ("Up 2 minutes", ""),
        ("Up 2 minutes (Paused)", ""),
        ("Exited (0) 3 days ago", ""),
    ],
)
def test_health_is_read_from_the_status_for_people(status: str, health: str) -> None:
    assert health_in(status) == health


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Exited (0) 3 days ago", 0),
        ("Exited (137) Less than a second ago", 137),
        ("Exited (-1) 1 hour ago", -1),
        ("Restarting (1) 2 seconds ago", None),
        ("Up 3 hours", None),
        ("Created", None),
    ],
)
def test_the_exit_code_is_read_from_the_status_for_people(status: str, code: int | None) -> None:
    assert exit_code_in(status) == code


def test_a_containers_service_number_and_time_are_read() -> None:
    container = read_container(entry())
    assert (container.service, container.number, container.oneoff) == ("web", 2, False)
    assert container.created_at == "2023-11-14T22:13:20+00:00"


def test_a_link_gives_a_container_no_other_name() -> None:
    assert read_container(entry(Names=["/other/alias", "/p-web-1"])).name == "p-web-1"


def test_a_port_that_is_bound_twice_is_told_once_and_an_exposed_one_is_none() -> None:
    ports = [
        {"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 443, "Type": "tcp"},
    ]
    assert read_container(entry(Ports=ports)).ports == (PublishedPort("127.0.0.1", 8080, 80, "tcp"),)


def test_mounts_and_networks_are_read() -> None:
    container = read_container(
        entry(
            Mounts=[{"Type": "volume", "Name": "data", "Source": "/var/x", "Destination": "/data"}],
            NetworkSettings={"Networks": {"p_default": {"NetworkID": "n1"}}},
        )
    )
    assert container.mounts == (ObservedMount("volume", "/data", "/var/x", "data"),)
    assert container.networks == {"p_default": "n1"}


_GONE = {"NetworkID": "n1", "EndpointID": "", "IPAddress": "", "MacAddress": ""}


@pytest.mark.parametrize(
    ("state", "networks", "cut_off"),
    [
        ("running", {"p_default": _GONE}, True),
        ("running", {"p_default": _GONE, "p_other": _GONE}, True),
        ("running", {"p_default": _GONE, "p_other": {**_GONE, "IPAddress": "10.0.0.2"}}, False),
        ("running", {"host": {**_GONE, "EndpointID": "e1"}}, False),
        ("running", {"p_default": {**_GONE, "NetworkID": "p_default"}}, False),  # Podman
        ("running", {}, False),  # `network_mode: service:…`
        ("exited", {"p_default": _GONE}, False),
    ],
)
def test_a_running_container_without_any_part_in_its_networks_is_cut_off(
    state: str, networks: dict[str, Any], cut_off: bool
) -> None:
    assert read_container(entry(State=state, NetworkSettings={"Networks": networks})).cut_off is cut_off


def test_fields_that_an_engine_leaves_out_do_not_matter() -> None:
    bare = read_container({"Id": "x", "Names": None, "Labels": None, "Ports": None, "Mounts": None})
    assert (bare.name, bare.number, bare.ports, bare.mounts) == ("", 1, (), ())


def test_a_one_off_container_is_known_by_its_label() -> None:
    assert read_container(entry(Labels={"com.docker.compose.oneoff": "True"})).oneoff


def test_inspection_adds_what_the_list_does_not_say() -> None:
    body = {
        "Created": "2026-01-01T00:00:00.5Z",
        "State": {"StartedAt": "2026-01-01T00:00:01Z", "ExitCode": 0},
        "Config": {"StopSignal": "SIGINT", "StopTimeout": 3, "Env": ["A=b=c"], "Cmd": ["run"]},
    }
    container = with_details(read_container(entry()), body)
    assert container.started_at == "2026-01-01T00:00:01Z"
    assert container.exit_code is None
    assert (container.stop_signal, container.stop_timeout) == ("SIGINT", 3)
    assert container.environment == {"A": "b=c"}
    never = with_details(read_container(entry()), {"State": {"StartedAt": "0001-01-01T00:00:00Z"}})
    assert never.started_at == ""


def test_of_two_networks_of_one_name_the_projects_own_is_seen() -> None:
    own = {"com.docker.compose.project": "p"}
    entries: list[dict[str, Any]] = [
        {"Id": "1", "Name": "p_default", "Labels": {}},
        {"Id": "2", "Name": "p_default", "Labels": own},
        {"Id": "3", "Name": "bridge", "Labels": None},
        {"Id": "4", "Name": "other", "Labels": {"com.docker.compose.project": "q"}},
    ]
    for ordered in (entries, entries[::-1]):
        found = read_networks(ordered, "p", frozenset({"p_default", "bridge"}))
        assert {name: item.id for name, item in found.items()} == {"p_default": "2", "bridge": "3"}


def test_volumes_are_those_of_the_project_and_those_named() -> None:
    body = {
        "Volumes": [
            {"Name": "p_data", "Driver": "local", "Labels": {"com.docker.compose.project": "p"}},
            {"Name": "shared", "Driver": "nfs", "Labels": None},
            {"Name": "other", "Driver": "local", "Labels": {}},
        ]
    }
    found = read_volumes(body, "p", frozenset({"shared"}))
    assert set(found) == {"p_data", "shared"}
    assert found["shared"].driver == "nfs"
    assert read_volumes({"Volumes": None}, "p", frozenset()) == {}


def test_an_image_without_configuration_is_read() -> None:
    assert read_image("x:1", {"Id": "sha256:1", "Config": None}).labels == {}


def test_podman_is_known_by_its_headers() -> None:
    assert read_info({"Libpod-Api-Version": "4.3.1"}, (1, 41), {"Version": "4.3.1"}).name == "Podman"
    assert read_info({"Server": "Docker/28.5"}, (1, 51), {"Arch": "arm64"}).architecture == "arm64"


def test_the_headers_of_a_ping_say_which_engine_it_is() -> None:
    headers = {"Server": "Docker/20.10.24+dfsg1 (linux)", "Ostype": "linux"}
    info = read_info(headers, (1, 41), {})
    assert (info.name, info.version, info.os) == ("Docker Engine", "20.10.24+dfsg1", "linux")


def test_a_network_that_podman_tells_by_its_name_has_its_id() -> None:
    networks = read_networks([{"Id": "f00", "Name": "p_default", "Labels": {PROJECT: "p"}}], "p", frozenset())
    told = {"p_default": {"NetworkID": "p_default"}, "other": {"NetworkID": "other"}}
    container = read_container(entry(NetworkSettings={"Networks": told}))
    assert with_network_ids(container, networks).networks == {"p_default": "f00", "other": "other"}


def test_a_network_that_has_an_id_is_left_as_it_is() -> None:
    container = read_container(entry(NetworkSettings={"Networks": {"p_default": {"NetworkID": "bad"}}}))
    assert with_network_ids(container, {}) is container


@pytest.mark.parametrize(
    ("told", "name"), [("15", "SIGTERM"), ("SIGQUIT", "SIGQUIT"), ("", ""), ("200", "200")]
)
def test_a_signal_that_podman_tells_by_its_number_has_its_name(told: str, name: str) -> None:
    assert with_details(read_container(entry()), {"Config": {"StopSignal": told}}).stop_signal == name


def test_the_state_is_what_the_inspection_tells() -> None:
    """After a full disk an engine's list may have a server as healthy that has exited."""
    listed = read_container({**entry(), "State": "running", "Status": "Up 2 minutes (healthy)"})
    exited = with_details(listed, {"State": {"Status": "exited", "ExitCode": 1}})
    assert (exited.state, exited.exit_code, exited.health) == ("exited", 1, "")
    other_word = with_details(listed, {"State": {"Status": "stopped"}})
    assert other_word.state == "running"


def test_what_the_engine_restarts_between_list_and_inspection_was_started_again() -> None:
    listed = read_container({**entry(), "State": "restarting", "Status": "Restarting (3) 1 second ago"})
    running = with_details(listed, {"State": {"Status": "running"}, "RestartCount": 4})
    assert (running.state, running.started_again) == ("running", True)

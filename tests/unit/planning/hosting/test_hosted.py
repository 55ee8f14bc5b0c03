"""What a process on this machine gets, and the containers that stand in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.definition.reading.block import read_process
from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.hosting.addresses import Local
from invoke_devstack.planning.hosting.forwarder import Relay, forwarders, opened_before
from invoke_devstack.planning.hosting.hosted import HostedService, Surroundings, host_service

FILE = """
name: shop
services:
  redis:
    image: redis:8
    networks: {default: {aliases: [cache]}}
  mysql:
    image: mysql:9
    ports: ["3307:3306"]
  proxy:
    image: nginx
    depends_on: {web: {condition: service_healthy}}
  web:
    image: a
    user: nobody
    environment:
      REDIS_HOST: cache
      DATABASE_URL: mysql://u:p@mysql:3306/shop
      TOKEN_FILE: /run/secrets/token
      UPLOADS: /srv/uploads/new
      SELF: http://web:5000/
      PORT: "5000"
    ports: ["8080:5000", "9000:9000"]
    secrets: [token, other]
    configs: [{source: app, target: /etc/app.ini}]
    volumes: ["./up:/srv/uploads", "data:/data", "./conf:/conf"]
    networks: {default: {aliases: [shop], ipv4_address: 10.1.2.3}}
    depends_on: [redis]
    x-devstack:
      host: {command: python serve.py, environment: {PORT: "8080", REDIS_PORT: "1"}, ports: ["9000"]}
secrets:
  token: {file: ./token}
  other: {environment: OTHER}
configs:
  app: {content: "redis = redis:6379"}
volumes:
  data:
"""


@pytest.fixture
def definition(tmp_path: Path) -> Definition:
    (tmp_path / "compose.yaml").write_text(FILE, encoding="utf-8")
    return load(tmp_path, environment={"OTHER": "value"})


def hosted(definition: Definition) -> HostedService:
    block = definition.services["web"].extensions["x-devstack"]["host"]
    process = read_process(definition, "web", block, ("services", "web", "x-devstack", "host"))
    around = Surroundings(
        processes={"web": process},
        published={("mysql", 3306): Local("127.0.0.1", 3307)},
        open_port=lambda service, port: port + 20000,
        folder="/private",
        read=lambda path: "",
    )
    return host_service(definition, "web", around)


def test_the_variables_are_those_of_the_container_with_places_of_this_machine(
    definition: Definition, tmp_path: Path
) -> None:
    assert hosted(definition).variables == {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": "1",  # as `x-devstack.host` says
        "DATABASE_URL": "mysql://u:p@127.0.0.1:3307/shop",
        "TOKEN_FILE": "/private/run/secrets/token",
        "UPLOADS": f"{tmp_path}/up/new",
        "SELF": "http://127.0.0.1:5000/",
        "PORT": "8080",
    }


def test_each_rewrite_has_its_reason(definition: Definition) -> None:
    reasons = {item.variable: item.reason for item in hosted(definition).rewrites}
    assert reasons == {
        "REDIS_HOST": "`redis` publishes no port 6379, so one is opened for this",
        "DATABASE_URL": "it is published",
        "TOKEN_FILE": "the secret `token`",
        "UPLOADS": "it is mounted from there",
        "SELF": "`web` runs on this machine",
    }


def test_secrets_and_configs_are_files_in_the_private_folder(definition: Definition, tmp_path: Path) -> None:
    files = {file.path: file.content or file.source for file in hosted(definition).files}
    assert files == {
        "/private/run/secrets/token": str(tmp_path / "token"),
        "/private/run/secrets/other": "value",
        "/private/etc/app.ini": "redis = redis:6379",
    }


def test_what_cannot_be_carried_over_is_named(definition: Definition, tmp_path: Path) -> None:
    assert hosted(definition).left_behind == (
        "the secret `other` is at /private/run/secrets/other, not at /run/secrets/other, "
        "and no variable says so",
        "the config `app` is at /private/etc/app.ini, not at /etc/app.ini, and no variable says so",
        "/data is the volume `data`, which this machine does not have",
        f"/conf is {tmp_path}/conf on this machine, and no variable says so",
        "the config `app` names redis:6379, which is 127.0.0.1:26379 on this machine",
        "`user`: only containers have that",
    )


def test_the_forwarder_has_the_names_and_the_ports_of_the_container(definition: Definition) -> None:
    relay = Relay("image", ("sh", "-c", "script", "relay"), ("/data",))
    found = forwarders(definition, "web", hosted(definition), relay)
    first, second = found["web-forwarder"], found["web-forwarder-host"]
    routes = ("5000=/dev/shm/host-5000", "9000=/dev/shm/host-9000", "26379=redis:6379", "9=127.0.0.1:9")
    assert first.command == routes
    assert [(port.host_ip, port.published, port.target) for port in first.ports] == [
        (None, "8080", 5000),  # the process takes 9000 itself
        ("127.0.0.1", "26379", 26379),
    ]
    joined = first.networks["default"]
    assert joined is not None
    assert (joined.aliases, joined.ipv4_address) == (("web", "shop"), None)
    assert second.command == ("/dev/shm/host-5000=127.0.0.1:5000", "/dev/shm/host-9000=127.0.0.1:9000")
    assert (second.network_mode, second.ipc) == ("host", "service:web-forwarder")
    assert (first.cap_drop, first.cap_add) == (("ALL",), ("NET_BIND_SERVICE",)), "Podman keeps low ports"
    assert (second.cap_drop, second.cap_add) == (("ALL",), ())
    assert opened_before(first.labels[labels.FORWARDER]) == {("redis", 6379): 26379}


def test_an_engine_in_a_virtual_machine_needs_no_other_end(definition: Definition) -> None:
    found = forwarders(definition, "web", hosted(definition), Relay("image", (), desktop=True))
    assert found.keys() == {"web-forwarder"}
    first = found["web-forwarder"]
    assert first.extra_hosts == ("host.docker.internal=host-gateway",)
    assert (first.command or ("",))[0] == "5000=host.docker.internal:5000"


def test_the_names_of_forwarders_may_not_be_taken(definition: Definition) -> None:
    taken = definition.services["redis"].copy_with({"name": "web-forwarder"})
    both = definition.copy_with({"services": {**definition.services, "web-forwarder": taken}})
    with pytest.raises(UsageError, match="web-forwarder"):
        forwarders(both, "web", hosted(definition), Relay("image", ()))

"""The copy of a stack for tests, as data: what it has of its own and what it shares."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.testing.copy import isolated
from invoke_devstack.testing.owners import LABEL, Owner

STACK = """
services:
  web:
    build: .
    container_name: only-one
    restart: always
    ports: ["127.0.0.1:8080:80", "9000-9001:9000-9001"]
    volumes: ["data:/data", "./code:/code"]
  tool: {image: "busybox:1", profiles: [tools]}
volumes:
  data: {name: everybodys}
  elsewhere: {external: true}
networks:
  default: {name: everybodys, external: true}
"""


def copied(folder: Path) -> Definition:
    (folder / "compose.yaml").write_text(STACK)
    loaded = load(folder, project_name="shop-test-1", environment={}, profiles=["tools"])
    return isolated(loaded, "shop", {LABEL: "me"})


def test_published_ports_become_any_free_ones_on_the_same_address(tmp_path: Path) -> None:
    ports = copied(tmp_path).services["web"].ports
    assert {port.published for port in ports} == {None}
    assert (ports[0].host_ip, ports[0].target) == ("127.0.0.1", 80)


def test_names_that_a_file_fixes_become_the_copys(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    assert copy.services["web"].container_name is None
    assert copy.volumes["data"].name == "shop-test-1_data"
    assert copy.networks["default"].name == "shop-test-1_default"
    assert not any(volume.external for volume in copy.volumes.values())
    assert not any(network.external for network in copy.networks.values())


def test_built_images_are_those_of_the_stack_itself(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    assert copy.services["web"].image == "shop-web"
    assert copy.services["tool"].image == "busybox:1"


def test_all_of_it_carries_its_owner_and_nothing_starts_again_by_itself(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    labels = [service.labels for service in copy.services.values()]
    labels += [volume.labels for volume in copy.volumes.values()]
    labels += [network.labels for network in copy.networks.values()]
    assert {each[LABEL] for each in labels} == {"me"}
    assert {service.restart for service in copy.services.values()} == {None}


def test_an_owner_is_read_as_it_was_written() -> None:
    owner = Owner.of_this_process()
    assert Owner.read(owner.labels()[LABEL]) == owner
    assert Owner.read("nonsense") is None


def test_an_owner_is_dead_when_its_process_ended_or_its_number_is_anothers() -> None:
    owner = Owner.of_this_process()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not owner.is_dead()
    assert replace(owner, started="1.00").is_dead()
    assert Owner(socket.gethostname(), ended.pid, "1.00").is_dead()


def test_a_process_of_another_machine_is_never_taken_for_dead() -> None:
    assert not Owner("elsewhere", os.getpid() + 1, "1.00").is_dead()

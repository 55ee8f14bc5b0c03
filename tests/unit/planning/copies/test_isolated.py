"""The copy of a stack for a job, as data: what it has of its own and what it shares."""

from __future__ import annotations

from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.planning.copies.copies import Copy
from invoke_devstack.planning.copies.isolated import isolated_for, shared_folders

STACK = """
services:
  web:
    build: {context: ., tags: [shop/web:extra]}
    image: shop/web:1
    container_name: only-one
    restart: always
    ports: ["127.0.0.1:8080:80", "9000-9001:9000-9001"]
    volumes: ["data:/data", "./code:/code", "./config:/config:ro"]
    networks: {inner: {ipv4_address: 10.77.0.5, aliases: [front]}}
  worker: {image: "shop/web:1", depends_on: [web]}
  plain: {build: .}
  db: {image: "mysql:8", profiles: [tools]}
volumes:
  data: {name: everybodys}
  elsewhere: {external: true}
networks:
  inner: {ipam: {config: [{subnet: 10.77.0.0/16}]}}
  default: {name: everybodys, external: true}
"""
COPY = Copy("x", "shop", "/shop", "2026-01-31T12:00:00+00:00", token="a1")


def copied(folder: Path) -> Definition:
    (folder / "compose.yaml").write_text(STACK)
    loaded = load(folder, project_name=COPY.project, environment={}, profiles=["tools"])
    return isolated_for(loaded, COPY)


def test_published_ports_become_free_ones_on_the_same_address(tmp_path: Path) -> None:
    ports = copied(tmp_path).services["web"].ports
    assert {port.published for port in ports} == {None}
    assert (ports[0].host_ip, ports[0].target) == ("127.0.0.1", 80)


def test_names_and_addresses_that_a_file_fixes_become_the_copys(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    assert copy.services["web"].container_name is None
    assert {volume.name for volume in copy.volumes.values()} <= {
        f"{COPY.project}_{key}" for key in copy.volumes
    }
    assert {item.name for item in copy.networks.values()} == {
        f"{COPY.project}_{key}" for key in copy.networks
    }
    assert not any(volume.external for volume in copy.volumes.values())
    assert not any(network.external for network in copy.networks.values())
    joined = copy.services["web"].networks["inner"]
    assert joined is not None
    assert (joined.ipv4_address, joined.aliases) == (None, ("front",))
    assert copy.networks["inner"].ipam.config == ()


def test_what_is_built_gets_tags_of_the_copy_also_where_another_service_uses_it(tmp_path: Path) -> None:
    services = copied(tmp_path).services
    names = {name: service.image_name(COPY.project) for name, service in services.items()}
    assert names == {
        "web": "shop-copy-x-web",
        "worker": "shop-copy-x-web",
        "plain": "shop-copy-x-plain",
        "db": "mysql:8",
    }
    assert services["web"].build is not None
    assert services["web"].build.tags == ()


def test_all_of_it_says_which_copy_it_belongs_to(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    labelled = [service.labels for service in copy.services.values()]
    labelled += [volume.labels for volume in copy.volumes.values()]
    labelled += [network.labels for network in copy.networks.values()]
    assert all(COPY.labels().items() <= own.items() for own in labelled)


def test_services_behave_as_in_the_stack(tmp_path: Path) -> None:
    assert copied(tmp_path).services["web"].restart == "always"


def test_folders_that_the_copy_can_write_to_are_named(tmp_path: Path) -> None:
    assert [*shared_folders(copied(tmp_path))] == [("web", str(tmp_path / "code"))]

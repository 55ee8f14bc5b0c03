"""`docker inspect` of a container that we made equals that of the one that Docker Compose makes.

The same files, the same project, one tool after the other. Left out of the comparison: ids, times,
paths and addresses that the engine gives anew each time, and the order of what is a set.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.plan import Plan
from invoke_devstack.running.down import take_down
from invoke_devstack.running.executor import execute
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.up import bring_up, plan
from invoke_devstack.settings import Settings

SLEEP = 'command: ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]'

STACKS = {
    "process": """
services:
  one:
    image: IMAGE
    SLEEP
    entrypoint: ["env"]
    environment: {A: "1", EMPTY: "", QUOTED: 'a "b" $$c'}
    user: "1000:1000"
    working_dir: /tmp
    hostname: somehost
    domainname: example.org
    labels: {team: dev, "com.example.x": "y"}
    stop_signal: SIGINT
    stop_grace_period: 1m5s
    tty: true
    stdin_open: true
    init: true
    read_only: true
    restart: on-failure:3
    healthcheck: {test: "true", interval: 1m30s, timeout: 10s, retries: 4, start_period: 2s}
  two:
    image: IMAGE
    SLEEP
    healthcheck: {disable: true}
    restart: always
    logging: {driver: json-file, options: {max-size: 10m}}
  three:
    image: IMAGE
    SLEEP
    restart: "no"
    healthcheck: {test: ["CMD", "true"], interval: 2s}
    scale: 2
""",
    "isolation": """
services:
  one:
    image: IMAGE
    SLEEP
    cap_add: [NET_ADMIN]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true", "seccomp=unconfined"]
    ipc: shareable
    pid: host
    uts: host
    group_add: ["20", "30"]
    sysctls: {net.core.somaxconn: 1024}
    ulimits: {nproc: 65535, nofile: {soft: 200, hard: 400}}
    oom_score_adj: 100
    cgroup: private
  two:
    image: IMAGE
    SLEEP
    ipc: service:one
    security_opt: ["systempaths=unconfined"]
    devices: ["/dev/null:/dev/nothing:r"]
    device_cgroup_rules: ["c 1:3 mr"]
""",
    "limits": """
services:
  one:
    image: IMAGE
    SLEEP
    mem_limit: 64m
    mem_reservation: 32m
    memswap_limit: 128m
    cpus: 0.5
    cpu_shares: 512
    cpuset: "0"
    pids_limit: 100
    shm_size: 8m
  two:
    image: IMAGE
    SLEEP
    deploy:
      resources:
        limits: {cpus: "0.25", memory: 40M, pids: 50}
        reservations: {memory: 20M}
      restart_policy: {condition: on-failure, max_attempts: 2}
""",
    "networks": """
services:
  one:
    image: IMAGE
    SLEEP
    networks:
      front: {aliases: [www, web], priority: 5}
      back: {ipv4_address: 10.222.OCTET.9}
    ports: ["0:80", "127.0.0.1::81/udp"]
    healthcheck: {test: ["CMD", "true"], interval: 1s}
    expose: ["9000"]
    dns: [1.1.1.1]
    dns_search: [example.org]
    dns_opt: ["ndots:1"]
    extra_hosts: ["a:1.2.3.4", "b=host-gateway"]
  two:
    image: IMAGE
    SLEEP
    networks: [back]
    mac_address: 02:42:ac:11:65:43
    links: ["one:uno"]
  three: {image: IMAGE, SLEEP, network_mode: none}
  four: {image: IMAGE, SLEEP, network_mode: "service:one"}
networks:
  front:
  back: {internal: true, ipam: {config: [{subnet: 10.222.OCTET.0/24}]}}
""",
    "files": """
services:
  one:
    image: IMAGE
    SLEEP
    volumes:
      - named:/named
      - named:/again:ro
      - /anonymous
      - ./folder:/folder:ro
      - {type: bind, source: ./folder, target: /private, bind: {propagation: rprivate}}
      - {type: bind, source: ./folder, target: /strict, bind: {create_host_path: false}}
      - {type: volume, source: other, target: /other, volume: {nocopy: true}}
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1048576, mode: 448}}
    tmpfs: ["/run:size=1m,mode=1777", /var/tmp]
    secrets:
      - file_secret
      - {source: env_secret, target: renamed, mode: 0400, uid: "5", gid: "6"}
    configs:
      - {source: file_config, target: /etc/conf}
      - {source: text, target: /etc/text}
  two:
    image: IMAGE
    SLEEP
    volumes: ["/own"]
  three:
    image: IMAGE
    SLEEP
    volumes_from: [two]
volumes:
  named: {labels: {a: b}}
  other:
secrets:
  file_secret: {file: ./folder/secret}
  env_secret: {environment: HOME}
configs:
  file_config: {file: ./folder/conf}
  text: {content: "some text"}
""",
    "order": """
services:
  db: {image: IMAGE, SLEEP, healthcheck: {test: ["CMD", "true"], interval: 1s}}
  init: {image: IMAGE, command: ["true"], depends_on: {db: {condition: service_healthy, restart: true}}}
  web:
    image: IMAGE
    SLEEP
    depends_on:
      db: {condition: service_healthy}
      init: {condition: service_completed_successfully}
""",
}


CREATED = {
    "privileges": """
services:
  one:
    image: IMAGE
    privileged: true
    userns_mode: host
    cgroup_parent: /some/parent
    runtime: runc
    platform: PLATFORM
    external_links: [someone]
    isolation: default
    oom_kill_disable: true
    annotations: {com.example.a: "1"}
    cpu_period: 50000
    cpu_quota: 25000
  two:
    image: IMAGE
    cap_drop: [NET_ADMIN, cap_chown]
    cap_add: [all]
    mem_limit: 64m
    mem_swappiness: 10
    gpus: all
    deploy:
      resources:
        reservations:
          devices: [{driver: nvidia, capabilities: [gpu], device_ids: ["0", "1"], options: {a: b}}]
""",
    "devices": """
services:
  one:
    image: IMAGE
    blkio_config:
      weight: 300
      weight_device: [{path: /dev/sda, weight: 400}]
      device_read_bps: [{path: /dev/sdb, rate: 12mb}]
      device_read_iops: [{path: /dev/sdb, rate: 120}]
      device_write_bps: [{path: /dev/sdb, rate: 1024k}]
      device_write_iops: [{path: /dev/sdb, rate: 30}]
    devices: ["/dev/null"]
    init: false
    command: []
    stop_grace_period: 500ms
    logging: {driver: none}
    pid: "service:two"
    uts: host
  two: {image: IMAGE, volumes: ["named:/x:nocopy"], network_mode: bridge}
volumes: {named: {driver: local, driver_opts: {type: tmpfs, device: tmpfs, o: size=1m}, labels: [a=b]}}
""",
}
"""What this machine may make, and cannot or need not start."""


@pytest.fixture
def project(engine: DockerEngine) -> Iterator[str]:
    name = f"t-inspect-{uuid.uuid4().hex[:8]}"
    yield name
    for container in engine.list_containers({"label": [f"{label.PROJECT}={name}"]}):
        engine.remove_container(container["Id"], force=True)
    for network in engine.list_networks({"label": [f"{label.PROJECT}={name}"]}):
        engine.remove_network(network["Id"])
    for volume in engine.list_volumes({"label": [f"{label.PROJECT}={name}"]}):
        engine.remove_volume(volume["Name"])


@pytest.mark.parametrize("stack", STACKS)
def test_containers_networks_and_volumes_are_as_compose_makes_them(
    stack: str, engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(STACKS[stack], engine, busybox, project, tmp_path)
    compose(session, "up", "--detach")
    theirs = seen(engine, project)
    compose(session, "down", "--volumes", "--timeout", "0")
    bring_up(session, UpOptions())
    ours = seen(engine, project)
    take_down(session, DownOptions(volumes=True, timeout=1))
    assert "\n".join(differences(ours, theirs)) == ""


@pytest.mark.parametrize("stack", CREATED)
def test_containers_that_are_only_made_are_as_compose_makes_them(
    stack: str, engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(CREATED[stack], engine, busybox, project, tmp_path)
    compose(session, "create")
    theirs = seen(engine, project)
    compose(session, "down", "--volumes", "--timeout", "0")
    whole = plan(session, UpOptions())
    execute(Plan(tuple(action for action in whole if action.kind.startswith("create"))), session)
    ours = seen(engine, project)
    take_down(session, DownOptions(volumes=True, timeout=1))
    assert "\n".join(differences(ours, theirs)) == ""


@pytest.mark.parametrize("stack", STACKS)
def test_what_compose_started_is_left_as_it_is(
    stack: str, engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(STACKS[stack], engine, busybox, project, tmp_path)
    compose(session, "up", "--detach")
    made = plan(session, UpOptions())
    compose(session, "down", "--volumes", "--timeout", "0")
    assert [line for line in made.lines() if not line.startswith("await")] == []


@pytest.mark.parametrize("stack", STACKS)
def test_compose_leaves_what_we_started_as_it_is(
    stack: str, engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(STACKS[stack], engine, busybox, project, tmp_path)
    bring_up(session, UpOptions())
    before = [
        container["Id"] for container in engine.list_containers({"label": [f"{label.PROJECT}={project}"]})
    ]
    compose(session, "up", "--detach")
    after = [
        container["Id"] for container in engine.list_containers({"label": [f"{label.PROJECT}={project}"]})
    ]
    assert sorted(before) == sorted(after)
    take_down(session, DownOptions(volumes=True, timeout=1))


def session_for(text: str, engine: DockerEngine, image: str, project: str, folder: Path) -> Session:
    """The stack written to `folder`; ports without an address are left to the engine, as with Compose."""
    (folder / "folder").mkdir()
    (folder / "folder" / "secret").write_text("s")
    (folder / "folder" / "conf").write_text("c")
    octet = str(int(project[-2:], 16))
    text = text.replace("IMAGE", f'"{image}"').replace("SLEEP", SLEEP).replace("OCTET", octet)
    text = text.replace("PLATFORM", f"linux/{engine.info().architecture}")
    (folder / "compose.yaml").write_text(text)
    definition = load(folder, project_name=project)
    return Session(definition, engine, lambda event: None, settings=Settings(bind="", wait_timeout=30))


def compose(session: Session, *words: str) -> None:
    assert isinstance(session.engine, DockerEngine)
    environment = {**os.environ, "DOCKER_HOST": session.engine.endpoint.url}
    done = subprocess.run(
        ["docker", "compose", "--project-name", session.project, *words],
        cwd=session.definition.working_dir,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def seen(engine: DockerEngine, project: str) -> dict[str, Any]:
    """All of the project, by name, without what is new each time."""
    wanted = {"label": [f"{label.PROJECT}={project}"]}
    containers = [engine.inspect_container(item["Id"]) for item in engine.list_containers(wanted)]
    ids = {item["Id"]: item["Name"].lstrip("/") for item in containers}
    result: dict[str, Any] = {}
    for item in containers:
        plain = json.dumps(item)
        for id_, name in ids.items():
            plain = plain.replace(id_, f"<{name}>").replace(id_[:12], f"<{name}>")
        result[item["Name"]] = comparable_container(json.loads(plain))
    for network in engine.list_networks(wanted):
        result[f"network {network['Name']}"] = comparable_network(network)
    for volume in engine.list_volumes(wanted):
        seen = without(volume, "CreatedAt") | {"Labels": not_ours(volume["Labels"])}
        result[f"volume {volume['Name']}"] = seen
    return result


def comparable_network(network: Mapping[str, Any]) -> dict[str, Any]:
    """An address range that nobody asked for is whichever was free."""
    pools = [
        re.sub(r"(?!10\.222\.)\d+\.\d+\.\d+\.\d+(/\d+)?", "ANY", json.dumps(pool))
        for pool in network["IPAM"]["Config"]
    ]
    return without(network, "Id", "Created", "Containers", "IPAM") | {
        "pools": pools,
        "driver": network["IPAM"]["Driver"],
    }


def comparable_container(item: dict[str, Any]) -> dict[str, Any]:
    config, host = item["Config"], item["HostConfig"]
    config["Labels"] = not_ours(config["Labels"])
    depends_on = config["Labels"][label.DEPENDS_ON]
    config["Labels"][label.DEPENDS_ON] = sorted(depends_on.split(","))
    if (
        host["NetworkMode"].startswith("container:")
        or host["PidMode"].startswith("container:")
        or host["IpcMode"].startswith("container:")
        or host["VolumesFrom"]
    ):
        # It is made of the other container's id.
        del config["Labels"][label.CONFIG_HASH]
    config["Env"] = sorted(config["Env"])
    for key in ("Binds", "Ulimits", "Mounts", "ExtraHosts", "Links"):
        host[key] = ordered(host.get(key))
    mounts = ordered([mount | {"Source": "", "Name": anonymous(mount)} for mount in item["Mounts"]])
    networks = {
        name: without(
            endpoint, "NetworkID", "EndpointID", "IPAddress", "Gateway", "MacAddress", "IPPrefixLen"
        )
        for name, endpoint in item["NetworkSettings"]["Networks"].items()
    }
    for endpoint in networks.values():
        for key in ("Aliases", "DNSNames"):
            endpoint[key] = sorted(set(endpoint.get(key) or ()))
    return {
        "Config": config,
        "HostConfig": host,
        "Mounts": mounts,
        "Networks": networks,
        "Ports": sorted(item["NetworkSettings"]["Ports"] or ()),
        "Path": [item["Path"], *item["Args"]],
        "RestartCount": item["RestartCount"],
    }


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """The places where the two are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            text
            for key in sorted(ours.keys() | theirs.keys())
            for text in differences(ours.get(key), theirs.get(key), f"{path}/{key}")
        ]
    return [] if ours == theirs else [f"{path}: ours {ours!r}, Compose's {theirs!r}"]


def anonymous(mount: Mapping[str, Any]) -> str:
    return re.sub(r"^[0-9a-f]{64}$", "anonymous", mount.get("Name", ""))


def ordered(items: list[Any] | None) -> list[Any] | None:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if items else items


def not_ours(labels: Mapping[str, str]) -> dict[str, str]:
    """What other tools are to see the same: our own labels are nothing to them."""
    return {key: value for key, value in labels.items() if not key.startswith("dev.invoke-devstack.")}


def without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}

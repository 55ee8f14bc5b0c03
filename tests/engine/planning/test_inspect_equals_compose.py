"""`docker inspect` of a container that we made equals that of the one that Docker Compose makes.

The same files, the same project, one tool after the other. Left out of the comparison: ids, times,
paths and addresses that the engine gives anew each time, and the order of what is a set.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.planning import labels
from invoke_devstack.planning.plan import Plan
from invoke_devstack.running.executing.executor import execute
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.stack.down import take_down
from invoke_devstack.running.stack.up import bring_up, plan
from tests.engine.planning.inspected import compose, differences, remove_project, seen, session_for

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
    remove_project(engine, name)


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
        container["Id"] for container in engine.list_containers({"label": [f"{labels.PROJECT}={project}"]})
    ]
    compose(session, "up", "--detach")
    after = [
        container["Id"] for container in engine.list_containers({"label": [f"{labels.PROJECT}={project}"]})
    ]
    assert sorted(before) == sorted(after)
    take_down(session, DownOptions(volumes=True, timeout=1))

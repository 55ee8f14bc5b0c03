"""The table of docs/guides/deploy.md: each of its keys alone in a file, given to both tools on a cluster."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.swarm.full import FULL
from tests.swarm.project import Project

pytestmark = [*FULL, pytest.mark.timeout(900)]

PAGE = Path(__file__).parents[2] / "docs/guides/deploy.md"
_ROW = re.compile(r"\| (`.+?) \| (.+?) \| (.+?) \|")

WEB = """
services:
  web:
    image: IMAGE
    command: ["sleep", "1000"]
    deploy: {endpoint_mode: dnsrr}
"""
OTHER = "  other: {image: IMAGE, command: [sleep, '1000']}\n"
SERVICE_KEYS = {
    "`cap_add`": "cap_add: [NET_ADMIN]",
    "`cgroup_parent`": "cgroup_parent: /x",
    "`container_name`": "container_name: xy",
    "`cpu_quota`": "cpu_quota: 50000",
    "`cpu_shares`": "cpu_shares: 512",
    "`cpus`": "cpus: 0.5",
    "`depends_on`, a list": "depends_on: [other]",
    "`depends_on`, a mapping": "depends_on: {other: {condition: service_started}}",
    "`devices`": "devices: [/dev/fuse]",
    "`dns_opt`": "dns_opt: [ndots:1]",
    "`domainname`": "domainname: example.com",
    "`env_file`": "env_file: x.env",
    "`expose`": "expose: ['80']",
    "`extends`": "extends: {service: other}",
    "`external_links`": "external_links: [x]",
    "`extra_hosts`": "extra_hosts: ['x:10.0.0.1']",
    "`group_add`": "group_add: ['1000']",
    "`healthcheck`": "healthcheck: {test: [CMD, 'true']}",
    "`init`": "init: true",
    "`ipc`": "ipc: host",
    "`links` with another name": "links: ['other:x']",
    "`mac_address`": "mac_address: 02:42:ac:11:65:43",
    "`mem_limit`": "mem_limit: 64m",
    "`network_mode: host`": "network_mode: host",
    "`oom_score_adj`": "oom_score_adj: 500",
    "`pid`": "pid: host",
    "`pids_limit`": "pids_limit: 50",
    "`ports` on 127.0.0.1": ("ports: [127.0.0.1:8123:80]"),
    "`post_start`": "post_start: [{command: ['true']}]",
    "`privileged`": "privileged: true",
    "`profiles`": "profiles: []",
    "`restart: on-failure:3`": "restart: on-failure:3",
    "`scale`": "scale: 1",
    "`security_opt`": "security_opt: [no-new-privileges]",
    "`shm_size`": "shm_size: 64m",
    "`tmpfs`": "tmpfs: [/x]",
    "`ulimits`": "ulimits: {nofile: 1024}",
    "`volumes`, a bind of `./src`": "volumes: ['./src:/x']",
    "`volumes_from`": "volumes_from: [other]",
}
"""Row of the table -> a line of the service `web`. Those that name `other` get it."""
FILES = {
    "`build`": WEB.replace("image: IMAGE", "image: IMAGE\n    build: ."),
    "`configs`": WEB + "    configs: [x]\nconfigs: {x: {file: ./x.env}}\n",
    "`deploy.mode: replicated-job`": WEB.replace("dnsrr", "dnsrr, mode: replicated-job").replace(
        "'1000'", "'0'"
    ),
    "`deploy.resources.limits.pids`": WEB.replace("dnsrr", "dnsrr, resources: {limits: {pids: 50}}"),
    "`networks.*.ipv4_address`": WEB
    + "    networks: {x: {ipv4_address: 10.77.0.9}}\n"
    + "networks: {x: {ipam: {config: [{subnet: 10.77.0.0/24}]}}}\n",
    "`secrets` from `environment`": WEB + "    secrets: [x]\nsecrets: {x: {environment: HOME}}\n",
}


def rows() -> list[tuple[str, str, str]]:
    text = PAGE.read_text("utf-8").partition("### Next to `docker stack deploy`")[2].partition("\n## ")[0]
    return [match.groups() for match in map(_ROW.fullmatch, text.splitlines()) if match]  # type: ignore[misc]


def file_of(key: str) -> str:
    if key in FILES:
        return FILES[key]
    line = SERVICE_KEYS[key]
    text = f"{WEB}    {line}\n" + (OTHER if "other" in line else "")
    if "network_mode" in line or "127.0.0.1" in line:
        return text.replace("    deploy: {endpoint_mode: dnsrr}\n", "")
    return text


def stack_deploy(project: Project, docker: str) -> tuple[str, dict[str, Any]]:
    """What `docker stack deploy` does with the project's file, and the spec of its service then: `refuses`,
    `says` that it does not do it, or `silent`."""
    text = (project.folder / "compose.yaml").read_text().partition("\n")[2]
    (project.folder / "stack.yaml").write_text(f"version: '3.13'\n{text}")
    words = [docker, "stack", "deploy", "--detach", "-c", "stack.yaml", project.name]
    done = subprocess.run(
        words, cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    spec = {} if done.returncode else project.specs()[f"{project.name}_web"]
    subprocess.run(
        [docker, "stack", "rm", project.name], env=project.environment, capture_output=True, check=False
    )
    if done.returncode:
        assert "Creating service" not in said, said
        return "refuses", spec
    return ("says" if re.search(r"Ignoring|ignored", said) or "0.0.0.0" in said else "silent"), spec


def deploy(project: Project) -> str:
    """What `invoke deploy` does with it: `error`, `warning`, `translated`, or `silent`."""
    done = project.invoke("deploy", "--dry-run", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        assert [event["reason"] for event in events if event["type"] == "error"] == ["preflight"], events
        return "error"
    levels = {event["level"] for event in events if event["type"] == "notice"}
    return "warning" if "warning" in levels else "translated" if levels else "silent"


def expected(theirs: str, ours: str) -> tuple[str, str]:
    """The two columns of a row, as the functions above return them."""
    left = {"refuses": "refuses", "as": "silent", "nothing": "silent"}.get(re.split(r"\W", theirs)[0], "says")
    if ours.startswith("error"):
        return left, "error"
    if "warning" in ours:
        return left, "warning"
    return left, "translated" if re.match(r"`deploy|a ", ours) else "silent"


def test_the_table_says_what_both_tools_do_with_each_key(project: Project) -> None:
    docker = shutil.which("docker")
    if docker is None or " 28." not in subprocess.run([docker, "-v"], capture_output=True, text=True).stdout:
        pytest.skip("the table is of the docker command 28")
    (project.folder / "x.env").write_text("A=1\n")
    (project.folder / "Dockerfile").write_text("FROM scratch\n")
    (project.folder / "src").mkdir()
    name = project.name
    table = rows()
    assert len(table) == 45
    wrong = []
    project.write(WEB)
    _, bare = stack_deploy(project, docker)
    for index, (key, theirs, ours) in enumerate(table):
        project.name = f"{name}{index}"  # what is removed goes a little later
        project.write(file_of(key))
        left, spec = stack_deploy(project, docker)
        found = (left, deploy(project))
        if found != expected(theirs, ours):
            wrong.append(f"{key}: {found}, and the page says: {theirs} | {ours}")
        if theirs == "as written" and without_names(spec, project.name) == without_names(bare, name):
            wrong.append(f"{key}: `docker stack deploy` does nothing with it")
    project.name = name
    assert not wrong, "\n".join(wrong)


def without_names(spec: dict[str, Any], stack: str) -> str:
    """A spec to compare with that of another stack."""
    task = {key: value for key, value in spec["TaskTemplate"].items() if key != "Networks"}
    return json.dumps({**spec, "TaskTemplate": task}, sort_keys=True).replace(stack, "")

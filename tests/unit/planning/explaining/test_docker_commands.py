"""Each action as the `docker` command that does the same."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest

from invoke_devstack.planning import plan as actions
from invoke_devstack.planning.causes import by_command
from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.explaining.script import script
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import Action, BuildRequest, Probe
from invoke_devstack.planning.plans.down import plan_down
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import NEWER_ENGINE, engine_with, running, stack, with_service

CAUSE = by_command("test")

SECRETIVE = stack(
    {
        "db": {"environment": {"DB_PASSWORD": "hunter2", "MODE": "dev"}},
        "web": {
            "build": {"context": "/src", "args": {"TOKEN": "t0ken"}},
            "environment": {"DB_PASSWORD": "hunter2", "API_KEY": "k3y"},
            "secrets": [{"source": "pin"}],
            "configs": [{"source": "conf", "target": "/etc/conf"}],
        },
        "side": {"network_mode": "service:web"},
        "tail": {"network_mode": "service:web", "environment": {"API_KEY": "another"}},
    },
    secrets={"pin": {"name": "pin", "environment": "PIN", "content": "4711"}},
    configs={"conf": {"name": "conf", "content": "it's plain"}},
)
SECRETS = ("hunter2", "t0ken", "k3y", "4711", "another")


def words_of(values: dict[str, Any], newer: bool = False) -> list[str]:
    """The words of the `docker create` of a service."""
    definition = stack({"web": values})
    observed = engine_with(definition, **({"engine": NEWER_ENGINE} if newer else {}))
    action = plan_up(definition, observed, PlanningOptions())["create p-web-1"]
    (command,) = (
        item.command for item in docker_commands(action) if item.command.startswith("docker create")
    )
    return shlex.split(command)


@pytest.mark.parametrize(
    ("values", "flag", "value"),
    [
        ({"hostname": "h"}, "--hostname", "h"),
        ({"user": "1:2"}, "--user", "1:2"),
        ({"stop_grace_period": 90}, "--stop-timeout", "90"),
        ({"entrypoint": ["a", "b"], "command": ["c"]}, "--entrypoint", "a"),
        ({"expose": ["9000"]}, "--expose", "9000"),
        ({"ports": [{"target": 80, "published": "8080"}]}, "--publish", "127.0.0.1:8080:80/tcp"),
        ({"ports": [{"target": 80, "host_ip": "::1"}]}, "--publish", "[::1]::80/tcp"),
        ({"healthcheck": {"test": ["CMD", "a b", "c"]}}, "--health-cmd", "'a b' c"),
        (
            {"healthcheck": {"test": ["CMD-SHELL", "a | b"], "interval": 1.5}},
            "--health-interval",
            "1500000000ns",
        ),
        ({"restart": "on-failure:3"}, "--restart", "on-failure:3"),
        ({"mem_limit": 1024}, "--memory", "1024"),
        ({"cpus": 0.5}, "--cpus", "0.5"),
        ({"ulimits": {"nofile": {"soft": 1, "hard": 2}}}, "--ulimit", "nofile=1:2"),
        ({"sysctls": {"a": "1"}}, "--sysctl", "a=1"),
        ({"cap_add": ["net_admin"]}, "--cap-add", "CAP_NET_ADMIN"),
        ({"extra_hosts": ["a=1.2.3.4"]}, "--add-host", "a:1.2.3.4"),
        ({"logging": {"driver": "json-file", "options": {"max-size": "1m"}}}, "--log-opt", "max-size=1m"),
        ({"security_opt": ["systempaths=unconfined"]}, "--security-opt", "systempaths=unconfined"),
        ({"tmpfs": ["/run:size=1m"]}, "--tmpfs", "/run:size=1m"),
        (
            {"volumes": [{"type": "bind", "source": "/a", "target": "/b", "read_only": True}]},
            "--volume",
            "/a:/b:ro",
        ),
        (
            {"volumes": [{"type": "tmpfs", "target": "/t", "tmpfs": {"size": 1024, "mode": 0o700}}]},
            "--mount",
            "type=tmpfs,target=/t,tmpfs-size=1024,tmpfs-mode=700",
        ),
        (
            {
                "volumes": [
                    {"type": "bind", "source": "/a,b", "target": "/c", "bind": {"create_host_path": False}}
                ]
            },
            "--mount",
            'type=bind,"source=/a,b",target=/c',
        ),
        ({"gpus": [{"count": -1}]}, "--gpus", "count=all,capabilities=gpu"),
        ({"networks": {"default": {"aliases": ["x"], "ipv4_address": "10.0.0.9"}}}, "--ip", "10.0.0.9"),
        (
            {"networks": {"default": {"driver_opts": {"a": "b"}}}},
            "--network",
            "name=p_default,driver-opt=a=b",
        ),
        ({"network_mode": "host"}, "--network", "host"),
        ({"platform": "linux/arm64"}, "--platform", "linux/arm64"),
        (
            {"devices": [{"source": "/dev/a", "target": "/dev/b", "permissions": "r"}]},
            "--device",
            "/dev/a:/dev/b:r",
        ),
        ({"blkio_config": {"weight": 300}}, "--blkio-weight", "300"),
        ({"shm_size": 64}, "--shm-size", "64"),
    ],
)
def test_what_a_service_says_is_a_flag(values: dict[str, Any], flag: str, value: str) -> None:
    words = words_of(values)
    assert value in [after for before, after in pairwise(words) if before == flag]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"tty": True}, "--tty"),
        ({"stdin_open": True}, "--interactive"),
        ({"init": True}, "--init"),
        ({"init": False}, "--init=false"),
        ({"read_only": True}, "--read-only"),
        ({"privileged": True}, "--privileged"),
        ({"healthcheck": {"disable": True}}, "--no-healthcheck"),
    ],
)
def test_what_a_service_switches_on_is_a_word(values: dict[str, Any], word: str) -> None:
    assert word in words_of(values)


def test_the_words_of_the_entrypoint_and_the_command_follow_the_image() -> None:
    assert words_of({"entrypoint": ["a", "b"], "command": ["c d"]})[-3:] == ["web:1", "b", "c d"]


def test_what_the_command_line_cannot_say_is_remarked() -> None:
    definition = stack({"web": {"healthcheck": {"test": ["CMD", "true"]}}})
    action = plan_up(definition, engine_with(definition), PlanningOptions())["create p-web-1"]
    assert docker_commands(action)[0].command.startswith("# the healthcheck runs without a shell")


def test_more_networks_are_joined_by_a_command_of_their_own() -> None:
    definition = stack(
        {"web": {"networks": {"a": None, "b": {"aliases": ["x"], "driver_opts": {"o": "p"}}}}},
        networks={"a": {"name": "p_a"}, "b": {"name": "p_b"}},
    )
    for engine in (engine_with(definition), engine_with(definition, engine=NEWER_ENGINE)):
        commands = [
            item.command
            for item in docker_commands(plan_up(definition, engine, PlanningOptions())["create p-web-1"])
        ]
        assert commands[1:] == [
            "docker network connect --alias p-web-1 --alias web --alias x --driver-opt o=p p_b p-web-1"
        ]


EXAMPLES: dict[str, dict[str, Any]] = {
    "BuildImage": {
        "build": BuildRequest(
            "/src", "t:1", secrets=(("a", "env:A"), ("b", "/b")), dockerfile_inline="FROM a"
        )
    },
    "CreateContainer": {"body": {"Image": "a", "HostConfig": {}, "Labels": {}}},
    "RenameContainer": {"new_name": "new"},
    "AwaitReady": {"condition": "service_healthy", "probe": Probe(ProbeKind.RUNNING), "timeout": 3.0},
    "RunHook": {"when": "before"},
    "RunCommand": {"container": "c", "command": ("true",)},
    "PublishDefinition": {"manifest": b"{}", "layers": ()},
    "StopContainer": {"name": "c"},
    "RemoveContainer": {"name": "c"},
    "RestartContainer": {"name": "c"},
}


KINDS = sorted(item.__name__ for item in Action.__subclasses__() if item.__module__ == actions.__name__)
"""Those of a single engine; a deploy has its own."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_action_has_a_command_and_a_sentence(kind: str) -> None:
    made = getattr(actions, kind)(target="target", cause=CAUSE, **EXAMPLES.get(kind, {}))
    assert fields(made)
    for step in docker_commands(made):
        assert step.command.startswith(("docker ", "# ", "n=0; until", "test ", "printf "))
        assert step.sentence.endswith(".")
        assert subprocess.run(["sh", "-n", "-c", step.command]).returncode == 0


def test_a_build_is_told_with_its_secrets_by_name_alone() -> None:
    build = actions.BuildImage(target="t:1", cause=CAUSE, **EXAMPLES["BuildImage"])
    assert "--secret id=a,env=A --secret id=b,src=/b /src" in docker_commands(build)[0].command
    assert docker_commands(build)[0].command.startswith(
        "printf %s 'FROM a' | docker build --tag t:1 --file -"
    )


def test_no_secret_is_shown() -> None:
    plan = plan_up(SECRETIVE, engine_with(SECRETIVE, images={}), PlanningOptions())
    shown = "\n".join(
        item.command + item.sentence for action in plan for item in docker_commands(action)
    ) + script(plan)
    assert [secret for secret in SECRETS if secret in shown] == []
    assert "MODE=dev" in shown
    assert "it'\"'\"'s plain" in shown


def test_no_secret_is_shown_when_one_changes() -> None:
    changed = with_service(SECRETIVE, "db", environment={"DB_PASSWORD": "other-one", "MODE": "dev"})
    observed = running(SECRETIVE)
    known = replace(observed.containers[0], environment={"DB_PASSWORD": "hunter2"}, command=())
    containers = tuple(known if item.name == known.name else item for item in observed.containers)
    lines = "\n".join(plan_up(changed, replace(observed, containers=containers), PlanningOptions()).lines())
    assert "DB_PASSWORD" in lines
    assert "hunter2" not in lines
    assert "other-one" not in lines


def test_a_script_asks_for_the_secrets_once_each() -> None:
    text = script(plan_up(SECRETIVE, engine_with(SECRETIVE, images={}), PlanningOptions()))
    asked = [line.split(":?")[0] for line in text.splitlines() if line.startswith(': "${')]
    names = ("API_KEY", "DB_PASSWORD", "RUN_SECRETS_PIN", "TAIL_API_KEY", "TOKEN")
    assert sorted(asked) == [f': "${{{name}' for name in names]
    assert subprocess.run(["sh", "-n"], input=text, text=True).returncode == 0


def test_a_script_ends_where_a_secret_is_missing() -> None:
    text = script(plan_up(SECRETIVE, engine_with(SECRETIVE, images={}), PlanningOptions()))
    done = subprocess.run(["sh"], input=text, text=True, capture_output=True, env={})
    assert done.returncode != 0
    assert "must be set" in done.stderr


def test_down_is_explained_too() -> None:
    definition = stack({"db": {"stop_grace_period": 30}})
    commands = [
        item.command
        for action in plan_down(definition, running(definition), volumes=True)
        for item in docker_commands(action)
    ]
    assert commands == [
        "docker stop -t 30 p-db-1",
        "docker network rm p_default",
        "docker rm --volumes p-db-1",
    ]

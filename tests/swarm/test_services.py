"""Versions that do not run, each in its own way. The stack goes back, and the error says why."""

from __future__ import annotations

import pytest

from tests.swarm.full import FULL
from tests.swarm.project import Project

pytestmark = FULL

STACK = """
services:
  web:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; touch /tmp/ok; echo begun; while :; do sleep 0.2; done"]
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ok"], interval: 1s, retries: 2}
    configs: [settings]
    deploy: {endpoint_mode: dnsrr, replicas: 2}
configs: {settings: {content: blue}}
"""
CRASHES = STACK.replace("echo begun;", "echo no settings; exit 3;")
HANGS = STACK.replace("touch /tmp/ok; echo begun;", "echo waits for the moon;").replace(
    "retries: 2", "retries: 1000"
)
FAILS_LATE = STACK.replace("echo begun;", "echo begun; (sleep 10; echo out of memory; rm /tmp/ok) &")


@pytest.mark.parametrize(
    ("broken", "flags", "error", "line", "hint"),
    [
        (CRASHES, (), "`web` failed on node", "no settings", "Run the same image here: `invoke up`"),
        (
            HANGS,
            ("--wait-timeout", "8"),
            "`web` made no progress for 8 s on node",
            "waits for the moon",
            "`--wait-timeout 600`",
        ),
        (FAILS_LATE, (), "`web` failed on node", "out of memory", "Run the same image here: `invoke up`"),
    ],
    ids=["crashes", "hangs-at-start", "fails-its-healthcheck-after-10-s"],
)
def test_a_version_that_does_not_run_is_rolled_back_and_the_error_says_why(
    project: Project, broken: str, flags: tuple[str, ...], error: str, line: str, hint: str
) -> None:
    project.write(STACK.replace("replicas: 2", "replicas: 2, update_config: {monitor: 1s}"))
    project.deploy()
    before, files = project.specs(), set(project.leftovers())
    project.write(broken.replace("content: blue", "content: red"))
    failed = project.invoke("deploy", "--yes", *flags)
    assert failed.returncode == 1
    for text in (error, line, hint, f"rolled back: all services of {project.name} are as before, verified"):
        assert text in failed.stderr
    assert project.specs() == before
    kept = {name for name in project.leftovers() if "devstack-revision" not in name}
    assert kept == {name for name in files if "devstack-revision" not in name}
    assert {row["state"] for row in project.answer("deploy.status")} == {"healthy"}


def test_a_first_deploy_that_does_not_run_leaves_nothing(project: Project) -> None:
    project.write(CRASHES)
    failed = project.invoke("deploy", "--yes")
    assert failed.returncode == 1
    assert f"rolled back: {project.name} is removed again, as before" in failed.stderr
    assert [name for name in project.leftovers() if "devstack-revision" not in name] == []

"""`invoke deploy` on a real cluster."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time

import pytest

from tests.swarm.full import IS_FULL, wait_for
from tests.swarm.project import INVOKE, Project

pytestmark = pytest.mark.timeout(400)

SHOP = """
services:
  db:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; touch /tmp/ok; while :; do sleep 0.2; done"]
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ok"], interval: 500ms}
    secrets: [password]
    deploy: {endpoint_mode: dnsrr, update_config: {monitor: 1s}}
  migrate:
    image: IMAGE
    command: ["sh", "-c", "echo migrated"]
    depends_on: {db: {condition: service_healthy}}
    deploy: {endpoint_mode: dnsrr}
  web:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; echo version ONE; while :; do sleep 0.2; done"]
    configs: [settings]
    depends_on: {migrate: {condition: service_completed_successfully}}
    deploy: {endpoint_mode: dnsrr, replicas: 2, update_config: {monitor: 1s, parallelism: 2}}
configs: {settings: {content: blue}}
secrets: {password: {file: password.txt}}
"""
BROKEN = SHOP.replace("echo version ONE;", "echo cannot start; exit 3;")


@pytest.fixture
def shop(project: Project) -> Project:
    (project.folder / "password.txt").write_text("open sesame")
    project.write(SHOP)
    return project


def test_a_stack_is_deployed_updated_taken_back_and_removed(shop: Project) -> None:
    dry = shop.invoke("deploy", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert f"create service {shop.name}_web  (no service yet)" in dry.stdout
    assert shop.leftovers() == []

    killed = shop.start("deploy", "--yes")
    wait_for(lambda: shop.api.services({"name": f"{shop.name}_db"}))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert "a deploy was killed half-way" in shop.invoke("deploy.status").stderr
    said = shop.deploy()
    assert "migrate  done" in said
    rows = {row["service"]: row for row in shop.answer("deploy.status")}
    assert {name: row["state"] for name, row in rows.items()} == {
        "db": "healthy",
        "migrate": "done",
        "web": "healthy",
    }
    assert rows["web"]["replicas"] == "2/2"

    tasks, specs = shop.running(), shop.specs()
    assert "nothing to do" in shop.deploy()
    assert (shop.running(), shop.specs()) == (tasks, specs)

    shop.write(SHOP.replace("blue", "red"))
    shop.deploy()
    assert len(shop.running() - tasks) == 2

    before, tasks = shop.specs(), shop.running()
    shop.write(BROKEN)
    failed = shop.invoke("deploy", "--yes")
    assert failed.returncode == 1
    assert "`web` failed on node" in failed.stderr
    assert "cannot start" in failed.stderr
    assert "rolled back" in failed.stderr
    assert shop.specs() == before

    assert shop.invoke("deploy.rollback", "--yes").returncode == 0
    configs = [
        item["ConfigName"]
        for item in shop.specs()[f"{shop.name}_web"]["TaskTemplate"]["ContainerSpec"]["Configs"]
    ]
    assert configs == [
        item["ConfigName"] for item in specs[f"{shop.name}_web"]["TaskTemplate"]["ContainerSpec"]["Configs"]
    ]
    assert [row["outcome"] for row in shop.answer("deploy.history")] == [
        "done",
        "rolled back",
        "done",
        "done",
    ]

    gone = shop.invoke("deploy.down", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert shop.leftovers() == []


def test_a_stack_of_docker_is_taken_over_as_it_is(shop: Project) -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("no docker command here")
    text = SHOP.replace("{migrate: {condition: service_completed_successfully}}", "[db]")
    text = text.replace("{db: {condition: service_healthy}}", "[db]").replace("  migrate:", "  other:")
    text = text.replace('"echo migrated"', '"trap exit TERM; while :; do sleep 0.2; done"')
    text = text.replace("content: blue", "file: settings.txt")  # which `docker stack` knows
    (shop.folder / "settings.txt").write_text("blue")
    shop.write(text)
    (shop.folder / "stack.yaml").write_text(
        "version: '3.8'\n" + (shop.folder / "compose.yaml").read_text().partition("\n")[2]
    )
    words = [docker, "stack", "deploy", "-c", "stack.yaml", shop.name]
    subprocess.run(words, cwd=shop.folder, env=shop.environment, check=True, capture_output=True, timeout=120)
    until = time.monotonic() + 60
    while len(shop.running()) < 4 and time.monotonic() < until:
        time.sleep(0.2)
    tasks = shop.running()
    assert len(tasks) == 4
    shop.deploy()
    assert shop.running() == tasks
    listed = subprocess.run(
        [docker, "stack", "ls"], env=shop.environment, check=True, capture_output=True, text=True
    )
    assert shop.name in listed.stdout
    again = subprocess.run(
        words, cwd=shop.folder, env=shop.environment, check=True, capture_output=True, timeout=120
    )
    assert again.returncode == 0


@pytest.mark.skipif(not IS_FULL, reason="`invoke test.swarm` runs it")
def test_a_first_deploy_that_is_killed_is_finished_by_the_next_one(shop: Project) -> None:
    for seconds in (1.0, 2.5, 4.0):
        process = shop.start("deploy", "--yes")
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    shop.deploy()
    states = {row["service"]: row["state"] for row in shop.answer("deploy.status")}
    assert states == {"db": "healthy", "migrate": "done", "web": "healthy"}
    assert [row["outcome"] for row in shop.answer("deploy.history")] == ["done"]
    assert "nothing to do" in shop.deploy()


def test_what_a_cluster_cannot_do_is_named_before_anything_is_changed(shop: Project) -> None:
    shop.write(SHOP.replace("replicas: 2", "replicas: 2, placement: {constraints: [node.labels.disk==ssd]}"))
    refused = shop.invoke("deploy", "--yes")
    assert refused.returncode == 1
    assert "no node meets `node.labels.disk==ssd`" in refused.stderr
    (shop.folder / "password.txt").write_bytes(b"x" * 512_001)
    shop.write(SHOP)
    refused = shop.invoke("deploy", "--yes")
    assert "secret `password` has 512,001 bytes, and a swarm takes at most 500 KB" in refused.stderr
    assert shop.leftovers() == []


def test_only_a_manager_of_a_swarm_can_deploy(shop: Project) -> None:
    worker = subprocess.run(
        [INVOKE, "deploy", "--dry-run"],
        cwd=shop.folder,
        env={**shop.environment, "DOCKER_HOST": shop.cluster.url(2)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert worker.returncode == 1
    assert "only a manager can deploy" in worker.stderr

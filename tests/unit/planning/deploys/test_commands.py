"""Each action of a deploy as a `docker` command."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from invoke_devstack.planning.causes import missing
from invoke_devstack.planning.deploys.commands import deploy_commands
from invoke_devstack.planning.deploys.plan import ChangeService, RemoveFile, ServiceChange, plan_deploy
from invoke_devstack.planning.deploys.target import FileKind
from tests.unit.planning.deploys.test_plan import SHOP, carried_out, nothing, wanted


def commands(text: str, folder: Path, before: str = "") -> list[str]:
    there = carried_out(wanted(before, folder, nothing())) if before else nothing()
    plan = plan_deploy(wanted(text, folder, there), there)
    return [step.command for action in plan for step in deploy_commands(action)]


def test_a_service_is_created_with_its_flags(tmp_path: Path) -> None:
    network, config, migrate, web = commands(SHOP, tmp_path)
    assert network.startswith("docker network create --driver overlay ")
    assert config.startswith("docker config create ")
    assert migrate.startswith("docker service create --name shop_migrate --mode replicated-job ")
    assert migrate.endswith(f" app:1@sha256:{'1' * 64} migrate")
    assert " --replicas 2 " in web
    assert " --env DEBUG=0 " in web
    assert " --update-order start-first " in web
    assert " --network name=shop_default,alias=web " in web
    assert ",target=settings,uid=0,gid=0,mode=0444 " in web


def test_an_update_has_only_the_flags_that_change(tmp_path: Path) -> None:
    assert commands(SHOP.replace("replicas: 2", "replicas: 3"), tmp_path, SHOP) == [
        "docker service update --replicas 3 shop_web"
    ]
    assert commands(SHOP.replace('DEBUG: "0"', 'MODE: "x"'), tmp_path, SHOP) == [
        "docker service update --env-rm DEBUG --env-add MODE=x shop_web"
    ]
    _, other, _ = commands(SHOP.replace("content: blue", "content: red"), tmp_path, SHOP)
    assert other.count("--config-rm shop_settings-") == other.count("--config-add source=shop_settings-") == 1


def test_secrets_are_masked(tmp_path: Path) -> None:
    text = SHOP.replace('DEBUG: "0"', "API_PASSWORD: hunter2")
    assert "hunter2" not in "".join(commands(text, tmp_path))


def test_what_is_removed_replaced_or_run_again_has_a_command(tmp_path: Path) -> None:
    gone = RemoveFile(target="shop_old", cause=missing("service"), file_kind=FileKind.SECRET)
    assert [step.command for step in deploy_commands(gone)] == ["docker secret rm shop_old"]
    [change] = [
        action
        for action in plan_deploy(wanted(SHOP, tmp_path, nothing()), nothing())
        if isinstance(action, ChangeService) and action.service == "migrate"
    ]
    again = dataclasses.replace(change, change=ServiceChange.RERUN)
    assert [step.command for step in deploy_commands(again)] == ["docker service update --force shop_migrate"]
    replaced = [
        step.command for step in deploy_commands(dataclasses.replace(change, change=ServiceChange.REPLACE))
    ]
    assert replaced[0] == "docker service rm shop_migrate"
    assert replaced[1].startswith("docker service create --name shop_migrate ")

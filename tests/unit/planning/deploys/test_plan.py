"""The plan of a deploy, compared as text."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.planning.deploys.observed import ObservedStack, observed_stack, with_ids
from invoke_devstack.planning.deploys.plan import KeptFiles, plan_deploy
from invoke_devstack.planning.deploys.service_spec import ImagePin, default_order
from invoke_devstack.planning.deploys.target import FileKind, Target, target_as_observed, target_of
from invoke_devstack.planning.deploys.verdicts import State, judge
from invoke_devstack.planning.plan import Body
from invoke_devstack.planning.preflight.translate import in_deploy_form

SHOP = """
name: shop
services:
  web:
    image: app:1
    environment: {DEBUG: "0"}
    configs: [settings]
    depends_on: {migrate: {condition: service_completed_successfully}}
    deploy: {replicas: 2}
  migrate:
    image: app:1
    command: migrate
configs: {settings: {content: blue}}
"""


def definition(text: str, folder: Path) -> Definition:
    (folder / "compose.yaml").write_text(text)
    return in_deploy_form(load(folder, environment={}))


def wanted(text: str, folder: Path, there: ObservedStack, digest: str = "1") -> Target:
    read = definition(text, folder)
    contents = {(FileKind.CONFIG, key): (item.content or "").encode() for key, item in read.configs.items()}
    images = {"app:1": ImagePin(f"app:1@sha256:{digest * 64}")}
    return target_of(read, there, contents, images, lambda found, content: False)


def nothing() -> ObservedStack:
    return observed_stack("shop", services=(), tasks=(), networks=(), configs=(), secrets=(), nodes=())


def carried_out(target: Target) -> ObservedStack:
    """The swarm after a deploy, with what its API adds."""
    networks = [
        {
            **body,
            "Id": f"id-{name}",
            "Scope": "swarm",
            "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.0.1.0/24"}]},
        }
        for name, body in target.networks.items()
    ]
    configs = [
        {
            "ID": f"id-{item.name}",
            "Version": {"Index": 1},
            "Spec": {"Name": item.name, "Labels": dict(item.labels)},
        }
        for item in target.files
    ]
    ids = {"configs": {item.name: f"id-{item.name}" for item in target.files}, "secrets": {}}
    services = [
        _service(with_ids(spec, {name: f"id-{name}" for name in target.networks}, ids), number)
        for number, spec in enumerate(target.services.values())
    ]
    tasks = [_task(service) for service in services]
    return observed_stack(
        "shop", services=services, tasks=tasks, networks=networks, configs=configs, secrets=(), nodes=()
    )


def _service(spec: dict[str, Any], number: int) -> dict[str, Any]:
    spec = copy.deepcopy(spec)
    spec["TaskTemplate"] |= {"ForceUpdate": 0, "Runtime": "container"}
    spec["TaskTemplate"]["ContainerSpec"]["Isolation"] = "default"
    return {"ID": f"service{number}", "Version": {"Index": 7}, "Spec": spec}


def _task(service: Body, state: str = "complete") -> dict[str, Any]:
    status = {"State": state}
    spec = service["Spec"]["TaskTemplate"]
    return {
        "ID": f"t-{service['ID']}",
        "ServiceID": service["ID"],
        "DesiredState": state,
        "Spec": spec,
        "Status": status,
    }


def test_a_first_deploy_makes_what_services_need_and_then_the_services_in_order(tmp_path: Path) -> None:
    plan = plan_deploy(wanted(SHOP, tmp_path, nothing()), nothing())
    assert [
        line.replace(line.split("-")[-1], "HASH") if "config" in line else line for line in plan.lines()
    ] == [
        "create network shop_default  (no network yet)",
        "create config shop_settings-HASH",
        "create service shop_migrate  (no service yet)",
        "create service shop_web  (no service yet)",
    ]


def test_a_second_deploy_with_nothing_changed_does_nothing(tmp_path: Path) -> None:
    there = carried_out(wanted(SHOP, tmp_path, nothing()))
    assert plan_deploy(wanted(SHOP, tmp_path, there), there).lines() == ()


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('DEBUG: "0"', 'DEBUG: "1"', "changed: environment.DEBUG"),
        ("replicas: 2", "replicas: 3", "replicas 2 -> 3"),
        ("replicas: 2", "replicas: 2, labels: {a: b}", "changed: deploy.labels.a"),
    ],
)
def test_the_plan_tells_what_has_changed(tmp_path: Path, old: str, new: str, cause: str) -> None:
    there = carried_out(wanted(SHOP, tmp_path, nothing()))
    plan = plan_deploy(wanted(SHOP.replace(old, new), tmp_path, there), there)
    assert plan.lines() == (f"update service shop_web  ({cause})",)


def test_another_digest_under_the_same_tag_updates_the_services_that_use_it(tmp_path: Path) -> None:
    there = carried_out(wanted(SHOP, tmp_path, nothing()))
    plan = plan_deploy(wanted(SHOP, tmp_path, there, digest="2"), there)
    assert [str(action.cause) for action in plan] == ["image app:1@11111111 -> app:1@22222222"] * 2


def test_a_config_that_changes_has_another_name_and_the_old_one_goes_when_nothing_needs_it(
    tmp_path: Path,
) -> None:
    there = carried_out(wanted(SHOP, tmp_path, nothing()))
    target = wanted(SHOP.replace("blue", "red"), tmp_path, there)
    kinds = [action.id.rpartition(" ")[0] for action in plan_deploy(target, there)]
    assert kinds == ["create config", "update service", "remove config"]
    kept = KeptFiles(frozenset((item.kind, item.name) for item in target_as_observed(there).files))
    assert [action.kind for action in plan_deploy(target, there, kept)] == ["create file", "change service"]


def test_a_service_that_is_not_in_the_files_is_removed_last(tmp_path: Path) -> None:
    both = SHOP.replace("  migrate:", "  old: {image: app:1}\n  migrate:")
    there = carried_out(wanted(both, tmp_path, nothing()))
    plan = plan_deploy(wanted(SHOP, tmp_path, there), there)
    assert plan.lines() == ("remove service shop_old  (not in the Compose files)",)


def test_a_network_that_changes_gets_another_name(tmp_path: Path) -> None:
    there = carried_out(wanted(SHOP, tmp_path, nothing()))
    changed = SHOP + "networks: {default: {attachable: true}}\n"
    kinds = [action.id.partition("-")[0] for action in plan_deploy(wanted(changed, tmp_path, there), there)]
    assert kinds == [
        "create network shop_default",
        "update service shop_migrate",
        "update service shop_web",
        "remove network shop_default",
    ]


def test_a_target_survives_being_kept(tmp_path: Path) -> None:
    target = wanted(SHOP, tmp_path, nothing())
    kept = Target.from_bytes("shop", target.to_bytes())
    assert (kept.services, kept.needs, kept.networks) == (target.services, target.needs, target.networks)
    with pytest.raises(ValueError, match="no revision"):
        Target.from_bytes("shop", b"something else")


def test_a_new_replica_starts_first_unless_a_volume_or_port_forbids_it(tmp_path: Path) -> None:
    services = definition(
        """
        services:
          plain: {image: a, volumes: ["data:/data:ro"]}
          volume: {image: a, volumes: ["data:/data"]}
          port: {image: a, ports: [{target: 80, published: "80", mode: host}]}
          mesh: {image: a, ports: ["80:80"]}
        volumes: {data: {}}
        """,
        tmp_path,
    ).services
    orders = {name: default_order(service) for name, service in services.items()}
    first, stop = "start-first", "stop-first"
    assert orders == {"plain": first, "volume": stop, "port": stop, "mesh": first}


def judged(tmp_path: Path, *states: tuple[str, str]) -> State:
    """The verdict on a service of one replica whose tasks have these states and desired states."""
    target = wanted(SHOP.replace("replicas: 2", "replicas: 1"), tmp_path, nothing())
    service = carried_out(target).services["web"]
    tasks = [
        {**_task(service, state), "ID": str(number), "Slot": 1, "DesiredState": desired}
        for number, (state, desired) in enumerate(states)
    ]
    return judge(service, tasks).state


def test_a_service_is_healthy_when_its_replicas_run_and_failed_when_it_keeps_ending(tmp_path: Path) -> None:
    assert judged(tmp_path) is State.WAITING
    assert judged(tmp_path, ("starting", "running")) is State.WAITING
    assert judged(tmp_path, ("running", "running")) is State.HEALTHY
    assert judged(tmp_path, ("running", "shutdown")) is State.WAITING
    failed = ("failed", "shutdown")
    assert judged(tmp_path, ("running", "running"), failed) is State.HEALTHY
    assert judged(tmp_path, ("preparing", "ready"), failed, failed) is State.WAITING
    assert judged(tmp_path, ("preparing", "ready"), failed, failed, failed) is State.FAILED
    ended = ("complete", "shutdown")
    assert judged(tmp_path, ("preparing", "ready"), ended, ended, ended) is State.FAILED

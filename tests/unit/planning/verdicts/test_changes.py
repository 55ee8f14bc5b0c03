"""What makes a container be made anew, and how the cause names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed, ObservedImage
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer, RemoveContainer
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.planning.processes.image import PROCESS_IMAGE
from tests.unit.planning.building import DATA, container_id, engine_with, running, stack, up, with_service


def successor(name: str) -> str:
    return f"{container_id(name)[:12]}_{name}"


def cause(definition: Definition, observed: Observed, service: str = "web", **options: Any) -> str:
    """Why the service's first container is made anew, or ""."""
    plan = plan_up(definition, observed, PlanningOptions(**options))
    found = (action for action in plan if isinstance(action, CreateContainer) and action.service == service)
    return next((action.cause.text for action in found if action.target == successor(f"p-{service}-1")), "")


def test_the_successor_is_made_before_the_old_one_stops() -> None:
    definition = stack({"web": {}})
    changed = with_service(definition, "web", command=["serve"])
    assert up(changed, running(definition)) == (
        f"create {successor('p-web-1')}  (command changed)",
        "stop p-web-1  (command changed)",
        "remove p-web-1  (replaced by the new container)",
        f"rename {successor('p-web-1')}  (takes the name of the old container)",
        "start p-web-1  (command changed)",
        "await p-web-1  (command changed)",
    )


def test_the_old_one_runs_until_what_its_successor_waits_for_is_ready() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": {"condition": "service_healthy"}}}})
    changed = with_service(with_service(definition, "db", user="x"), "web", user="y")
    plan = plan_up(changed, running(definition), PlanningOptions())
    assert plan["stop p-web-1"].needs == {f"create {successor('p-web-1')}", "await p-db-1"}


def test_an_image_that_changed_is_named_by_its_ids() -> None:
    definition = stack({"web": {}})
    observed = running(definition)
    newer = replace(observed, images={"web:1": ObservedImage("web:1", "sha256:9ab0c0ffee00112233")})
    assert cause(definition, newer) == "image changed: web… -> 9ab0c0ffee00…"


def test_another_image_is_named_by_its_reference() -> None:
    definition = stack({"web": {}})
    changed = with_service(definition, "web", image="web:2")
    observed = replace(running(definition), images=engine_with(changed).images)
    observed = replace(observed, images={"web:2": ObservedImage("web:2", "sha256:web")})
    assert cause(changed, observed) == "image: web:1 -> web:2"


def test_a_changed_variable_is_named() -> None:
    definition = stack({"web": {"environment": {"DEBUG": "0", "SAME": "1"}}})
    changed = with_service(definition, "web", environment={"DEBUG": "1", "SAME": "1"})
    assert cause(changed, running(definition)) == "environment: DEBUG"


def test_old_and_new_value_of_a_variable_are_told_where_the_old_one_is_known() -> None:
    definition = stack({"web": {"environment": {"DEBUG": "0", "API_KEY": "old"}}})
    changed = with_service(definition, "web", environment={"DEBUG": "1", "API_KEY": "new", "MORE": ""})
    observed = inspected(running(definition), {"DEBUG": "0", "API_KEY": "old"})
    assert cause(changed, observed) == 'environment: API_KEY *** -> ***, DEBUG 0 -> 1, MORE (none) -> ""'


def inspected(observed: Observed, environment: dict[str, str]) -> Observed:
    containers = (replace(item, environment=environment, command=("old",)) for item in observed.containers)
    return replace(observed, containers=tuple(containers))


def test_passwords_in_addresses_are_masked() -> None:
    definition = stack({"web": {"environment": {"DATABASE_URL": "mysql://app:hunter2@db/app"}}})
    changed = with_service(definition, "web", environment={"DATABASE_URL": "mysql://app:hunter3@db/app"})
    observed = inspected(running(definition), {"DATABASE_URL": "mysql://app:hunter2@db/app"})
    assert "hunter" not in cause(changed, observed)


def test_a_changed_command_is_told() -> None:
    definition = stack({"web": {"command": ["old"]}})
    changed = with_service(definition, "web", command=["new", "one"])
    assert cause(changed, inspected(running(definition), {})) == "command: old -> new one"


def test_a_changed_command_that_holds_a_secret_is_not_told() -> None:
    definition = stack({"web": {"command": ["old"]}})
    changed = with_service(definition, "web", command=["serve", "--password=hunter2"])
    assert cause(changed, inspected(running(definition), {})) == "command changed"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"user": "nobody"}, "user changed"),
        ({"labels": {"team": "x"}}, "labels: team (none) -> x"),
        ({"mem_limit": 1024}, "mem_limit changed"),
        ({"ports": [{"target": 80, "published": "1"}]}, "bind: all addresses -> 127.0.0.1; ports changed"),
        ({"cap_add": ["NET_ADMIN"]}, "cap_add changed"),
        ({"sysctls": {"net.core.somaxconn": "9"}}, "sysctls: net.core.somaxconn"),
        ({"healthcheck": {"test": ["CMD", "true"]}}, "healthcheck: test"),
        ({"init": True}, "init changed"),
        ({"extra_hosts": ["a=1.2.3.4"]}, "extra_hosts changed"),
        ({"stop_signal": "SIGINT"}, "stop_signal changed"),
        ({"volumes": [{"type": "bind", "source": "/a", "target": "/b"}]}, "volumes changed"),
        ({"networks": {"default": {"aliases": ["x"]}}}, "networks: default"),
    ],
)
def test_each_key_that_reaches_the_container_is_named(change: dict[str, Any], named: str) -> None:
    definition = stack({"web": {}})
    assert cause(with_service(definition, "web", **change), running(definition)) == named


@pytest.mark.parametrize(
    "change",
    [
        {"depends_on": {"db": {}}},
        {"build": {"context": "/src"}},
        {"pull_policy": "never"},
        {"profiles": ["dev"]},
        {"scale": 1},
        {"deploy": {"replicas": 1}},
    ],
)
def test_what_does_not_reach_the_container_changes_nothing(change: dict[str, Any]) -> None:
    definition = stack({"db": {}, "web": {"deploy": {}}})
    assert up(with_service(definition, "web", **change), running(definition)) == ()


def test_only_the_service_that_changed_is_recreated() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    changed = with_service(definition, "db", user="x")
    touched = {action.service for action in plan_up(changed, running(definition), PlanningOptions())}
    assert touched == {"db"}


def test_dependents_follow_where_the_definition_says_so() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": {"restart": True}}}})
    changed = with_service(definition, "db", user="x")
    plan = plan_up(changed, running(definition), PlanningOptions())
    assert plan.lines() == (
        f"create {successor('p-db-1')}  (user changed)",
        "stop p-web-1  (depends_on.db.restart: `db` is recreated)",
        "stop p-db-1  (user changed)",
        "remove p-db-1  (replaced by the new container)",
        f"rename {successor('p-db-1')}  (takes the name of the old container)",
        "start p-db-1  (user changed)",
        "await p-db-1  (user changed)",
        "start p-web-1  (depends_on.db.restart: `db` is recreated)",
        "await p-web-1  (depends_on.db.restart: `db` is recreated)",
    )


def test_what_lives_in_a_container_that_is_recreated_is_recreated_with_it() -> None:
    definition = stack({"vpn": {}, "web": {"network_mode": "service:vpn"}})
    changed = with_service(definition, "vpn", user="x")
    assert cause(changed, running(definition)) == "uses the container of `vpn`, which is recreated"


def test_what_lives_in_a_container_that_starts_again_restarts_with_it() -> None:
    definition = stack({"vpn": {}, "web": {"network_mode": "service:vpn"}})
    observed = running(definition, vpn={"state": "exited", "exit_code": 1})
    assert up(definition, observed)[:2] == (
        "start p-vpn-1  (exited with code 1)",
        "stop p-web-1  (shares the container of `vpn`, which is started)",
    )


def test_recreation_can_be_asked_for() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    plan = plan_up(definition, running(definition), PlanningOptions(force_recreate=True, services=("web",)))
    assert {action.service for action in plan} == {"web"}
    assert plan[f"create {successor('p-web-1')}"].cause.text == "--force-recreate"


def test_the_content_of_a_config_counts() -> None:
    def with_content(text: str) -> Definition:
        return stack(
            {"web": {"configs": [{"source": "conf", "target": "/conf"}]}},
            configs={"conf": {"name": "p_conf", "content": text}},
        )

    assert cause(with_content("b"), running(with_content("a"))) == "files: /conf"


def test_another_address_for_ports_counts_where_a_port_has_none() -> None:
    definition = stack({"web": {"ports": [{"target": 80, "published": "8080"}]}, "db": {}})
    observed = running(definition)
    assert cause(definition, observed, bind="0.0.0.0") == "bind: 127.0.0.1 -> 0.0.0.0"
    assert cause(definition, observed, "db", bind="0.0.0.0") == ""


def test_a_container_of_compose_with_the_same_hash_is_kept() -> None:
    definition = stack({"web": {"ports": [{"target": 80, "published": "8080"}]}})
    assert up(definition, made_by_compose(running(definition))) == ()


def test_a_container_of_compose_with_another_hash_is_recreated() -> None:
    definition = stack({"web": {}})
    changed = with_service(definition, "web", user="x")
    assert cause(changed, made_by_compose(running(definition))) == "definition changed"


def made_by_compose(observed: Observed) -> Observed:
    """The same containers without labels of ours."""
    containers = (
        replace(item, labels={key: value for key, value in item.labels.items() if key != labels.INPUTS})
        for item in observed.containers
    )
    return replace(observed, containers=tuple(containers))


def test_a_container_that_was_taken_off_its_network_is_recreated() -> None:
    definition = stack({"web": {}})
    observed = running(definition)
    off = replace(observed, containers=tuple(replace(item, networks={}) for item in observed.containers))
    assert cause(definition, off) == "not connected to network p_default"


def test_a_network_that_is_gone_is_made_and_its_containers_with_it() -> None:
    definition = stack({"web": {}})
    gone = replace(running(definition), networks={})
    lines = up(definition, gone)
    assert lines[0] == "create network p_default  (no network yet)"
    assert cause(definition, gone) == "network p_default does not exist"


def test_a_network_that_changed_is_recreated_once_its_containers_have_stopped() -> None:
    definition = stack({"web": {}})
    changed = stack({"web": {}}, networks={"default": {"name": "p_default", "internal": True}})
    assert up(changed, running(definition)) == (
        "stop p-web-1  (network p_default is recreated)",
        "remove network p_default  (recreating)",
        "create network p_default  (`networks.default` changed)",
        f"create {successor('p-web-1')}  (network p_default is recreated)",
        "remove p-web-1  (replaced by the new container)",
        f"rename {successor('p-web-1')}  (takes the name of the old container)",
        "start p-web-1  (network p_default is recreated)",
        "await p-web-1  (network p_default is recreated)",
    )


def test_a_container_without_its_volume_is_recreated() -> None:
    definition = stack({"db": {"volumes": [DATA]}}, volumes={"data": {"name": "p_data"}})
    observed = running(definition)
    bare = replace(observed, containers=tuple(replace(item, mounts=()) for item in observed.containers))
    assert cause(definition, bare, "db") == "volume p_data is not mounted"


def test_anonymous_volumes_and_their_data_are_carried_over() -> None:
    definition = stack({"web": {"volumes": [{"type": "volume", "target": "/cache"}]}})
    observed = running(definition)
    images = {"web:1": ObservedImage("web:1", "sha256:web", volumes=("/var/lib",))}
    changed = with_service(definition, "web", user="x")
    plan = plan_up(changed, replace(observed, images=images), PlanningOptions())
    create = plan[f"create {successor('p-web-1')}"]
    assert isinstance(create, CreateContainer)
    cache, lib = create.body["HostConfig"]["Mounts"]
    assert (cache["Type"], cache["Source"], cache["Target"]) == ("volume", "anonymous-/cache", "/cache")
    assert (lib["Target"], lib.get("Source")) == ("/var/lib", None), "the image has got it only now"
    removal = plan["remove p-web-1"]
    assert isinstance(removal, RemoveContainer)
    assert not removal.volumes


def test_an_outdated_container_goes_first_when_there_are_too_many() -> None:
    definition = stack({"web": {"scale": 2}})
    observed = running(definition)
    first, second = observed.containers
    outdated = replace(first, labels={**first.labels, labels.CONFIG_HASH: "old", labels.INPUTS: ""})
    mixed = replace(observed, containers=(outdated, second))
    assert up(with_service(definition, "web", scale=1), mixed) == (
        "stop p-web-1  (scale 2 -> 1)",
        "remove p-web-1  (scale 2 -> 1)",
    )


def test_a_container_and_a_process_of_this_machine_replace_each_other() -> None:
    container = stack({"web": {}})
    process = with_service(container, "web", image=PROCESS_IMAGE)
    assert cause(process, running(container), images_ready=True) == "it runs on this machine now"
    assert cause(container, running(process), images_ready=True) == "it runs in a container again"


def test_a_forwarder_that_is_not_needed_any_more_goes_without_being_asked() -> None:
    definition = stack(
        {"web": {}, "web-forwarder": {"labels": {labels.FORWARDER: "5000=/dev/shm/host-5000"}}}
    )
    plan = plan_up(stack({"web": {}}), running(definition), PlanningOptions())
    assert "remove p-web-forwarder-1  (its service does not run on this machine any more)" in plan.lines()
    assert plan.orphans == ()

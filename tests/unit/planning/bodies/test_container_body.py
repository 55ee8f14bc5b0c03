"""The body of a container's creation, where the tests beside Compose do not reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DefinitionError, EngineError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.container import seccomp_path
from invoke_devstack.planning.observed import EngineInfo
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer, CreateNetwork
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import ENGINE, NEWER_ENGINE, engine_with, stack

TWO_NETWORKS = {"a": {"name": "p_a"}, "b": {"name": "p_b"}}


def created(
    definition: Definition, engine: EngineInfo = ENGINE, service: str = "web", **options: Any
) -> CreateContainer:
    plan = plan_up(definition, engine_with(definition, engine=engine), PlanningOptions(**options))
    found = (item for item in plan if isinstance(item, CreateContainer) and item.service == service)
    return next(found)


def host(values: dict[str, Any], engine: EngineInfo = ENGINE, **options: Any) -> dict[str, Any]:
    config: dict[str, Any] = created(stack({"web": values}), engine, **options).body["HostConfig"]
    return config


def test_older_engines_get_one_network_at_creation_and_join_the_others_after_it() -> None:
    definition = stack({"web": {"networks": {"a": None, "b": {"priority": 9}}}}, networks=TWO_NETWORKS)
    create = created(definition)
    assert create.body["HostConfig"]["NetworkMode"] == "p_b"
    assert list(create.body["NetworkingConfig"]["EndpointsConfig"]) == ["p_b"]
    assert list(create.more_networks) == ["p_a"]


def test_newer_engines_get_all_networks_at_creation() -> None:
    definition = stack({"web": {"networks": {"a": None, "b": {"priority": 9}}}}, networks=TWO_NETWORKS)
    create = created(definition, NEWER_ENGINE)
    assert sorted(create.body["NetworkingConfig"]["EndpointsConfig"]) == ["p_a", "p_b"]
    assert create.more_networks == {}


def test_a_mac_address_is_the_containers_on_older_engines_and_the_networks_on_newer_ones() -> None:
    definition = stack({"web": {"mac_address": "02:42:ac:11:65:43"}})
    assert created(definition).body["MacAddress"] == "02:42:ac:11:65:43"
    newer = created(definition, NEWER_ENGINE).body
    assert "MacAddress" not in newer
    assert newer["NetworkingConfig"]["EndpointsConfig"]["p_default"]["MacAddress"] == "02:42:ac:11:65:43"


def test_mac_addresses_of_several_networks_need_a_newer_engine() -> None:
    networks = {"a": {"mac_address": "02:42:ac:11:65:43"}, "b": {"mac_address": "02:42:ac:11:65:44"}}
    definition = stack({"web": {"networks": networks}}, networks=TWO_NETWORKS)
    with pytest.raises(EngineError, match="several MAC addresses"):
        created(definition)
    assert created(definition, NEWER_ENGINE)


def test_two_mac_addresses_for_one_network_contradict_each_other() -> None:
    networks = {"a": {"mac_address": "02:42:ac:11:65:43"}}
    definition = stack(
        {"web": {"networks": networks, "mac_address": "02:42:ac:11:65:44"}}, networks=TWO_NETWORKS
    )
    with pytest.raises(DefinitionError, match="two MAC addresses"):
        created(definition)


def test_an_interface_name_needs_a_newer_engine() -> None:
    definition = stack({"web": {"networks": {"a": {"interface_name": "eth7"}}}}, networks=TWO_NETWORKS)
    with pytest.raises(EngineError, match="interface_name"):
        created(definition)
    endpoint = created(definition, NEWER_ENGINE).body["NetworkingConfig"]["EndpointsConfig"]["p_a"]
    assert endpoint["DriverOpts"] == {"com.docker.network.endpoint.ifname": "eth7"}


def test_start_interval_is_told_to_engines_that_know_it() -> None:
    values = {"healthcheck": {"test": ["CMD", "true"], "start_period": 5, "start_interval": 0.5}}
    definition = stack({"web": values})
    assert "StartInterval" not in created(definition).body["Healthcheck"]
    assert created(definition, NEWER_ENGINE).body["Healthcheck"]["StartInterval"] == 500_000_000


def test_annotations_are_told_to_engines_that_know_them() -> None:
    assert "Annotations" not in host({"annotations": {"a": "b"}})
    assert host({"annotations": {"a": "b"}}, NEWER_ENGINE)["Annotations"] == {"a": "b"}


def test_mounted_images_need_a_newer_engine() -> None:
    mount = {"type": "image", "source": "web:1", "target": "/assets", "image": {"subpath": "dist"}}
    with pytest.raises(EngineError, match="cannot mount an image"):
        host({"volumes": [mount]})
    assert host({"volumes": [mount]}, NEWER_ENGINE)["Mounts"] == [
        {"Type": "image", "Target": "/assets", "Source": "web:1", "ImageOptions": {"Subpath": "dist"}}
    ]


def test_capabilities_are_written_as_dockers_client_writes_them() -> None:
    capabilities = host({"cap_add": ["net_admin", "CAP_SYS_TIME"], "cap_drop": ["ALL", "CHOWN"]})
    assert capabilities["CapAdd"] == ["CAP_NET_ADMIN", "CAP_SYS_TIME"]
    assert capabilities["CapDrop"] == ["ALL"]


def test_gpus_and_device_reservations_become_device_requests() -> None:
    reservations = {"devices": [{"capabilities": ["gpu", "tpu"], "driver": "nvidia", "device_ids": ["0"]}]}
    values = {"gpus": [{"count": -1}], "deploy": {"resources": {"reservations": reservations}}}
    assert host(values)["DeviceRequests"] == [
        {
            "Driver": "nvidia",
            "Count": 0,
            "Capabilities": [["gpu", "tpu"]],
            "Options": None,
            "DeviceIDs": ["0"],
        },
        {"Driver": "", "Count": -1, "Capabilities": [["gpu"]], "Options": None, "DeviceIDs": None},
    ]


def test_a_device_of_the_container_device_interface_is_asked_for_by_name() -> None:
    name = "vendor.com/class=device"
    devices = [{"source": name, "target": name}, {"source": "/dev/a", "target": "/dev/b", "permissions": "r"}]
    config = host({"devices": devices})
    assert config["DeviceRequests"] == [{"Driver": "cdi", "DeviceIDs": [name]}]
    assert config["Devices"] == [
        {"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}
    ]


def test_block_limits_are_told() -> None:
    rate = [{"path": "/dev/sda", "rate": 1024}]
    values = {
        "blkio_config": {
            "weight": 300,
            "weight_device": [{"path": "/dev/sda", "weight": 400}],
            "device_read_bps": rate,
        }
    }
    config = host(values)
    assert config["BlkioWeight"] == 300
    assert config["BlkioWeightDevice"] == [{"Path": "/dev/sda", "Weight": 400}]
    assert config["BlkioDeviceReadBps"] == [{"Path": "/dev/sda", "Rate": 1024}]


def test_deploy_goes_before_the_older_keys() -> None:
    values = {
        "mem_limit": 1,
        "cpus": 1,
        "pids_limit": 1,
        "deploy": {"resources": {"limits": {"memory": 2, "cpus": 0.5, "pids": 3}}},
    }
    config = host(values)
    assert (config["Memory"], config["NanoCpus"], config["PidsLimit"]) == (2, 500_000_000, 3)


@pytest.mark.parametrize(
    ("values", "policy"),
    [
        ({"restart": "always"}, {"Name": "always"}),
        ({"restart": "on-failure:5"}, {"Name": "on-failure", "MaximumRetryCount": 5}),
        ({"deploy": {"restart_policy": {"condition": "any"}}}, {"Name": "always"}),
        ({"deploy": {"restart_policy": {"condition": "none"}}, "restart": "always"}, {"Name": "no"}),
    ],
)
def test_restart_policies_are_the_engines(values: dict[str, Any], policy: dict[str, Any]) -> None:
    assert host(values)["RestartPolicy"] == policy


def test_a_seccomp_profile_is_put_in_as_its_content() -> None:
    profile = {"seccomp.json": '{"defaultAction":"SCMP_ACT_ALLOW"}'}
    values = {"security_opt": ["seccomp=seccomp.json", "label=disable"]}
    assert host(values, seccomp=profile)["SecurityOpt"] == [
        'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
        "label=disable",
    ]
    with pytest.raises(DefinitionError, match=r"seccomp\.json"):
        host(values)


@pytest.mark.parametrize(
    ("option", "path"),
    [
        ("seccomp=a.json", "a.json"),
        ("seccomp:a.json", "a.json"),
        ("seccomp=unconfined", ""),
        ("seccomp=builtin", ""),
        ("no-new-privileges", ""),
    ],
)
def test_which_security_option_names_a_file(option: str, path: str) -> None:
    assert seccomp_path(option) == path


def test_links_are_given_under_all_names() -> None:
    definition = stack({"db": {}, "web": {"links": ["db:database"], "external_links": ["other:o", "plain"]}})
    assert created(definition).body["HostConfig"]["Links"] == [
        "p-db-1:database",
        "p-db-1:db-1",
        "p-db-1:p-db-1",
        "other:o",
        "plain:plain",
    ]


def test_volumes_from_keep_their_mode() -> None:
    definition = stack({"db": {}, "web": {"volumes_from": ["db:ro", "container:other:rw"]}})
    assert created(definition).body["HostConfig"]["VolumesFrom"] == ["p-db-1:ro", "other:rw"]


def test_a_service_without_networks_in_a_project_without_any_has_none() -> None:
    definition = stack({"web": {"networks": {}}}).copy_with({"networks": {}})
    assert created(definition).body["HostConfig"]["NetworkMode"] == "none"


def test_proxies_of_the_client_are_given_and_may_be_overridden() -> None:
    create = created(
        stack({"web": {"environment": {"HTTP_PROXY": "mine"}}}),
        environment={"HTTP_PROXY": "a", "NO_PROXY": "b"},
    )
    assert create.body["Env"] == ["HTTP_PROXY=mine", "NO_PROXY=b"]


def test_a_variable_without_a_value_is_given_by_its_name() -> None:
    assert created(stack({"web": {"environment": {"A": None, "B": ""}}})).body["Env"] == ["A", "B="]


def test_an_empty_entrypoint_clears_that_of_the_image_and_a_missing_one_leaves_it() -> None:
    assert created(stack({"web": {"entrypoint": []}})).body["Entrypoint"] == []
    assert created(stack({"web": {}})).body["Entrypoint"] is None


def test_the_engines_socket_is_handed_in_when_asked() -> None:
    body = created(stack({"web": {"use_api_socket": True}})).body
    assert body["HostConfig"]["Binds"] == ["/var/run/docker.sock:/var/run/docker.sock:rw"]
    assert body["Env"] == ["DOCKER_CONFIG=/run/secrets/docker"]


def test_a_secret_that_is_not_declared_is_named() -> None:
    with pytest.raises(DefinitionError, match="secret `key` is not declared"):
        created(stack({"web": {"secrets": [{"source": "key"}]}}))


def test_a_secret_that_a_swarm_keeps_cannot_be_had() -> None:
    definition = stack(
        {"web": {"secrets": [{"source": "key"}]}}, secrets={"key": {"name": "key", "external": True}}
    )
    with pytest.raises(DefinitionError, match="comes from a swarm or a driver"):
        created(definition)


def test_content_cannot_be_written_into_a_read_only_container() -> None:
    definition = stack(
        {"web": {"read_only": True, "configs": [{"source": "conf"}]}},
        configs={"conf": {"name": "conf", "content": "x"}},
    )
    with pytest.raises(DefinitionError) as error:
        created(definition)
    assert "Use `file:`" in error.value.hint


def test_files_are_written_with_mode_and_owner() -> None:
    definition = stack(
        {
            "web": {
                "secrets": [{"source": "key", "target": "sub/key", "mode": "0400", "uid": "5", "gid": "6"}]
            }
        },
        secrets={"key": {"name": "key", "environment": "KEY", "content": "s"}},
    )
    (file,) = created(definition).files
    assert (file.path, file.mode, file.uid, file.gid, file.secret) == (
        "/run/secrets/sub/key",
        0o400,
        5,
        6,
        True,
    )
    assert file.content == b"s"


def test_an_owner_that_is_no_number_is_told() -> None:
    definition = stack(
        {"web": {"configs": [{"source": "c", "uid": "nobody"}]}}, configs={"c": {"name": "c", "content": "x"}}
    )
    with pytest.raises(DefinitionError, match="invalid uid or gid `nobody`"):
        created(definition)


def test_labels_are_those_of_compose_and_the_service_own() -> None:
    definition = stack({"db": {}, "web": {"labels": {"team": "x"}, "depends_on": {"db": {"restart": True}}}})
    own = created(definition).body["Labels"]
    assert own["team"] == "x"
    assert own[labels.DEPENDS_ON] == "db:service_started:true"
    assert own[labels.CONFIG_FILES] == "/project/compose.yaml"
    assert own[labels.IMAGE] == "sha256:web"
    assert labels.ENVIRONMENT_FILE not in own


def test_an_environment_file_that_was_asked_for_is_in_the_labels() -> None:
    definition = stack({"web": {}}, env_files=(Path("/project/.env"), Path("/project/more.env")))
    assert created(definition).body["Labels"][labels.ENVIRONMENT_FILE] == "/project/.env,/project/more.env"


def test_a_network_is_made_as_the_definition_says() -> None:
    network = {
        "name": "p_a",
        "driver": "bridge",
        "driver_opts": {"x": "y"},
        "internal": True,
        "attachable": True,
        "enable_ipv6": True,
        "labels": {"team": "x"},
        "ipam": {
            "driver": "default",
            "config": [
                {
                    "subnet": "10.0.0.0/24",
                    "ip_range": "10.0.0.0/25",
                    "gateway": "10.0.0.1",
                    "aux_addresses": {"h": "10.0.0.9"},
                }
            ],
        },
    }
    definition = stack({"web": {"networks": {"a": None}}}, networks={"a": network})
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    action = plan["create network p_a"]
    assert isinstance(action, CreateNetwork)
    body = {key: value for key, value in action.body.items() if key != "Labels"}
    assert body == {
        "Name": "p_a",
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Options": {"x": "y"},
        "Internal": True,
        "Attachable": True,
        "EnableIPv6": True,
        "IPAM": {
            "Driver": "default",
            "Config": [
                {
                    "Subnet": "10.0.0.0/24",
                    "IPRange": "10.0.0.0/25",
                    "Gateway": "10.0.0.1",
                    "AuxiliaryAddresses": {"h": "10.0.0.9"},
                }
            ],
        },
    }
    assert action.body["Labels"]["team"] == "x"

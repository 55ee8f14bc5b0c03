"""A sample of every key that files may have: place -> a file with the keys, and a value for each key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from invoke_devstack.definition.attributes.file import INCLUDES
from invoke_devstack.definition.attributes.part import ValueType

Values = Mapping[str, Any]
File = dict[str, Any]


def declared(kind: ValueType[Any] | None, path: str = "") -> Iterator[tuple[str, str]]:
    """(place, key) of all that files may have."""
    if kind is None:
        return
    for name, key in kind.part.keys.items() if kind.part else ():
        if not name.startswith("x-"):
            yield path, name
        below = INCLUDES if name == "include" and not path else key.kind
        yield from declared(below, f"{path}.{name}" if path else name)
    yield from declared(kind.values, f"{path}.*")
    yield from declared(kind.items, f"{path}[]")


def top(values: Values) -> File:
    return {"services": {"a": {"image": "x"}}, **values}


def service(values: Values) -> File:
    own = {"image": "x", **values}
    return {
        "services": {"a": own, "b": {"image": "y"}},
        "networks": {"n": {}},
        "volumes": {"vol": {}, "w": {}},
        "secrets": {"f": {"file": "/f"}},
        "configs": {"f": {"file": "/f"}},
        "models": {"m": {"model": "ai/m"}},
    }


def below(*steps: str, **base: Any) -> Callable[[Values], File]:
    """A service with the keys at the end of `steps`; `[]` makes a list of one."""

    def wrap(values: Values) -> File:
        inner: Any = {**base, **values}
        for step in reversed(steps):
            inner = [inner] if step == "[]" else {step: inner}
        return service(inner)

    return wrap


def built(values: Values) -> File:
    file = service({})
    file["services"]["a"] = {"build": {"context": "/c", **values}}
    file["services"]["b"] = {"build": {"context": "/d"}}
    return file


def resource(kind: str, name: str, use: Values, **base: Any) -> Callable[[Values], File]:
    def wrap(values: Values) -> File:
        return service(use) | {kind: {name: {**base, **values}}}

    return wrap


def network(values: Values) -> File:
    return service({"networks": ["n"]}) | {"networks": {"n": values}}


def ipam(values: Values) -> File:
    return network({"ipam": {**values}})


def pool(values: Values) -> File:
    return ipam({"config": [{"subnet": "10.0.0.0/24", **values}]})


def mount(kind: str, source: str | None) -> Callable[[Values], File]:
    base = {"type": kind, "target": "/t", **({"source": source} if source else {})}
    return lambda values: service({"volumes": [{**base, kind: {**values}}]})


_LABELS = {"l": "1"}
_HOOK = {
    "command": ["true"],
    "user": "5",
    "privileged": True,
    "working_dir": "/w",
    "environment": {"E": "1"},
}
_REFERENCE = {"source": "f", "target": "/other", "uid": "7", "gid": "7", "mode": "0400"}
_THROTTLE = {"path": "/dev/y", "rate": 6}
_REQUEST = {
    "capabilities": ["gpu", "utility"],
    "driver": "nvidia",
    "count": 2,
    "device_ids": ["0"],
    "options": {"o": "1"},
}
_UPDATE = {
    "parallelism": 2,
    "delay": "1s",
    "failure_action": "pause",
    "monitor": "1s",
    "max_failure_ratio": 0.5,
    "order": "stop-first",
}
_RATES = ("device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops")
_LIMIT = {"soft": 5, "hard": 9}

SAMPLES: dict[str, tuple[Callable[[Values], File], dict[str, Any]]] = {
    "": (
        top,
        {
            "version": "3",
            "name": "q",
            "include": ["/included.yaml"],
            "services": {"a": {"image": "z"}},
            "networks": {"default": {"internal": True}},
            "volumes": {"vol": {}},
            "secrets": {"f": {"file": "/f"}},
            "configs": {"f": {"file": "/f"}},
            "models": {"m": {"model": "ai/m"}},
        },
    ),
    "include[]": (
        lambda values: top({"include": [values]}),
        dict.fromkeys(("path", "env_file", "project_directory")),
    ),
    "services.*": (
        service,
        {
            "extends": "b",
            "pull_refresh_after": "1h",
            "profiles": ["p"],
            "annotations": {"n": "1"},
            "attach": False,
            "build": {"context": "/c"},
            "develop": {"watch": []},
            "blkio_config": {"weight": 5},
            "cap_add": ["NET_ADMIN"],
            "cap_drop": ["NET_ADMIN"],
            "cgroup_parent": "g",
            "cgroup": "host",
            "cpu_count": 1,
            "cpu_percent": 50,
            "cpu_period": 5,
            "cpu_quota": 5,
            "cpu_rt_period": 5,
            "cpu_rt_runtime": 5,
            "cpus": 0.5,
            "cpuset": "0",
            "cpu_shares": 5,
            "command": ["c"],
            "configs": ["f"],
            "container_name": "cc",
            "credential_spec": {"file": "f"},
            "depends_on": ["b"],
            "deploy": {"replicas": 2},
            "device_cgroup_rules": ["c 1:3 mr"],
            "devices": ["/dev/x"],
            "dns": "1.1.1.1",
            "dns_opt": ["o"],
            "dns_search": "d",
            "domainname": "d",
            "entrypoint": ["e"],
            "provider": {"type": "t"},
            "environment": {"E": "1"},
            "env_file": ["/env"],
            "expose": ["1"],
            "external_links": ["other"],
            "extra_hosts": ["h=1.1.1.1"],
            "group_add": ["5"],
            "gpus": "all",
            "hostname": "h",
            "healthcheck": {"test": "true"},
            "image": "z",
            "init": True,
            "ipc": "host",
            "isolation": "i",
            "labels": _LABELS,
            "label_file": ["/labels"],
            "links": ["b"],
            "logging": {"driver": "none"},
            "mem_limit": "64m",
            "mem_reservation": "64m",
            "memswap_limit": "64m",
            "mem_swappiness": 5,
            "mac_address": "02:00:00:00:00:01",
            "models": ["m"],
            "network_mode": "host",
            "networks": ["n"],
            "oom_kill_disable": True,
            "oom_score_adj": 5,
            "pid": "host",
            "pids_limit": 5,
            "platform": "linux/amd64",
            "ports": ["80"],
            "privileged": True,
            "pull_policy": "always",
            "read_only": True,
            "restart": "always",
            "runtime": "r",
            "scale": 2,
            "secrets": ["f"],
            "security_opt": ["label=disable"],
            "shm_size": "64m",
            "stdin_open": True,
            "stop_grace_period": "3s",
            "stop_signal": "SIGINT",
            "storage_opt": {"size": "1G"},
            "sysctls": {"s": "1"},
            "tmpfs": "/t",
            "tty": True,
            "ulimits": {"nofile": 5},
            "use_api_socket": True,
            "user": "5",
            "userns_mode": "host",
            "uts": "host",
            "volumes": ["vol:/v1"],
            "volumes_from": ["b"],
            "working_dir": "/w",
            "pre_start": [{"command": ["true"]}],
            "post_start": [{"command": ["true"]}],
            "pre_stop": [{"command": ["true"]}],
        },
    ),
    "services.*.extends": (below("extends", service="b"), {"service": "b", "file": "/base.yaml"}),
    "services.*.build": (
        built,
        {
            "context": "/e",
            "dockerfile": "D",
            "dockerfile_inline": "FROM x",
            "entitlements": ["security.insecure"],
            "args": {"A": "1"},
            "provenance": "true",
            "sbom": "true",
            "ssh": ["default"],
            "labels": _LABELS,
            "cache_from": ["c"],
            "cache_to": ["c"],
            "no_cache": True,
            "no_cache_filter": ["s"],
            "additional_contexts": {"k": "/k"},
            "pull": True,
            "extra_hosts": ["h=1.1.1.1"],
            "isolation": "i",
            "network": "host",
            "target": "t",
            "secrets": ["f"],
            "shm_size": "64m",
            "tags": ["t:1"],
            "ulimits": {"nofile": 5},
            "platforms": ["linux/amd64"],
            "privileged": True,
        },
    ),
    "services.*.build.secrets[]": (
        lambda values: built({"secrets": [{"source": "f", **values}]}),
        _REFERENCE,
    ),
    "services.*.build.ulimits.*": (
        lambda values: built({"ulimits": {"n": {"soft": 1, "hard": 2, **values}}}),
        _LIMIT,
    ),
    "services.*.develop": (below("develop"), {"watch": [{"path": "/p", "action": "rebuild"}]}),
    "services.*.develop.watch[]": (
        below("develop", "watch", "[]", path="/p", action="sync", target="/t"),
        {
            "path": "/q",
            "action": "rebuild",
            "target": "/u",
            "exec": {"command": ["true"]},
            "include": ["i"],
            "ignore": ["i"],
            "initial_sync": True,
        },
    ),
    "services.*.develop.watch[].exec": (below("develop", "watch", "[]", "exec"), _HOOK),
    "services.*.blkio_config": (
        below("blkio_config"),
        {
            "weight": 5,
            "weight_device": [{"path": "/dev/x", "weight": 5}],
            **{name: [{"path": "/dev/x", "rate": 5}] for name in _RATES},
        },
    ),
    "services.*.blkio_config.weight_device[]": (
        below("blkio_config", "weight_device", "[]", path="/dev/x", weight=5),
        {"path": "/dev/y", "weight": 6},
    ),
    **{
        f"services.*.blkio_config.{name}[]": (
            below("blkio_config", name, "[]", path="/dev/x", rate=5),
            _THROTTLE,
        )
        for name in _RATES
    },
    **{
        f"services.*.{kind}[]": (below(kind, "[]", source="f"), _REFERENCE) for kind in ("configs", "secrets")
    },
    "services.*.credential_spec": (below("credential_spec"), {"config": "c", "file": "f", "registry": "r"}),
    "services.*.depends_on.*": (
        below("depends_on", "b", condition="service_started"),
        {"condition": "service_completed_successfully", "restart": True, "required": False},
    ),
    "services.*.deploy": (
        below("deploy"),
        {
            "mode": "global",
            "replicas": 2,
            "labels": _LABELS,
            "update_config": {"parallelism": 2},
            "rollback_config": {"parallelism": 2},
            "resources": {"limits": {"pids": 5}},
            "restart_policy": {"condition": "any"},
            "placement": {"constraints": ["c"]},
            "endpoint_mode": "vip",
        },
    ),
    "services.*.deploy.update_config": (below("deploy", "update_config"), _UPDATE),
    "services.*.deploy.rollback_config": (below("deploy", "rollback_config"), _UPDATE),
    "services.*.deploy.resources": (
        below("deploy", "resources"),
        {"limits": {"pids": 5}, "reservations": {"memory": "64m"}},
    ),
    "services.*.deploy.resources.limits": (
        below("deploy", "resources", "limits"),
        {"cpus": "0.5", "memory": "64m", "pids": 5},
    ),
    "services.*.deploy.resources.reservations": (
        below("deploy", "resources", "reservations"),
        {
            "cpus": "0.5",
            "memory": "64m",
            "devices": [{"capabilities": ["gpu"]}],
            "generic_resources": [{"discrete_resource_spec": {"kind": "k", "value": 1}}],
        },
    ),
    "services.*.deploy.resources.reservations.devices[]": (
        below("deploy", "resources", "reservations", "devices", "[]", capabilities=["gpu"]),
        _REQUEST,
    ),
    "services.*.deploy.resources.reservations.generic_resources[]": (
        below("deploy", "resources", "reservations", "generic_resources", "[]"),
        {"discrete_resource_spec": {"kind": "k", "value": 1}},
    ),
    "services.*.deploy.resources.reservations.generic_resources[].discrete_resource_spec": (
        below("deploy", "resources", "reservations", "generic_resources", "[]", "discrete_resource_spec"),
        {"kind": "k", "value": 1},
    ),
    "services.*.deploy.restart_policy": (
        below("deploy", "restart_policy", condition="on-failure"),
        {"condition": "any", "delay": "1s", "max_attempts": 3, "window": "1s"},
    ),
    "services.*.deploy.placement": (
        below("deploy", "placement"),
        {"constraints": ["c"], "preferences": [{"spread": "s"}], "max_replicas_per_node": 2},
    ),
    "services.*.deploy.placement.preferences[]": (
        below("deploy", "placement", "preferences", "[]"),
        {"spread": "s"},
    ),
    "services.*.devices[]": (
        below("devices", "[]", source="/dev/x", target="/dev/x"),
        {"source": "/dev/y", "target": "/dev/z", "permissions": "r"},
    ),
    "services.*.provider": (below("provider", type="t"), {"type": "u", "options": {"o": ["1"]}}),
    "services.*.env_file[]": (
        below("env_file", "[]", path="/env"),
        {"path": "/env2", "required": False, "format": "raw"},
    ),
    "services.*.gpus[]": (below("gpus", "[]", capabilities=["gpu"]), _REQUEST),
    "services.*.healthcheck": (
        below("healthcheck", test="true"),
        {
            "test": "false",
            "timeout": "7s",
            "interval": "7s",
            "retries": 7,
            "start_period": "7s",
            "start_interval": "7s",
            "disable": True,
        },
    ),
    "services.*.logging": (below("logging", driver="local"), {"driver": "none", "options": {"o": "1"}}),
    "services.*.models.*": (below("models", "m"), {"endpoint_var": "E", "model_var": "M"}),
    "services.*.networks.*": (
        lambda values: service({"networks": {"c": {}, "n": values}}) | {"networks": {"c": {}, "n": {}}},
        {
            "aliases": ["z"],
            "driver_opts": {"o": "1"},
            "gw_priority": 5,
            "interface_name": "eth9",
            "ipv4_address": "10.0.0.3",
            "ipv6_address": "fd00::3",
            "link_local_ips": ["169.254.0.3"],
            "mac_address": "02:00:00:00:00:01",
            "priority": 5,
        },
    ),
    "services.*.ports[]": (
        below("ports", "[]", target=80, published="8080"),
        {
            "name": "n",
            "mode": "host",
            "host_ip": "127.0.0.9",
            "target": 81,
            "published": "8081",
            "protocol": "udp",
            "app_protocol": "http",
        },
    ),
    "services.*.ulimits.*": (below("ulimits", "n", soft=1, hard=2), _LIMIT),
    "services.*.volumes[]": (
        below("volumes", "[]", type="volume", source="vol", target="/v1"),
        {
            "type": "bind",
            "source": "w",
            "target": "/v2",
            "read_only": True,
            "consistency": "cached",
            "bind": {"selinux": "z"},
            "volume": {"nocopy": True},
            "tmpfs": {"size": 5},
            "image": {"subpath": "s"},
        },
    ),
    "services.*.volumes[].bind": (
        mount("bind", "/s"),
        {"selinux": "z", "propagation": "rslave", "create_host_path": True, "recursive": "readonly"},
    ),
    "services.*.volumes[].volume": (
        mount("volume", "vol"),
        {"labels": _LABELS, "nocopy": True, "subpath": "s"},
    ),
    "services.*.volumes[].tmpfs": (mount("tmpfs", None), {"size": 5, "mode": 448}),
    "services.*.volumes[].image": (mount("image", "i"), {"subpath": "s"}),
    "services.*.pre_start[]": (
        lambda values: service({"scale": 2, "pre_start": [{"command": ["x"], **values}]}),
        {**_HOOK, "image": "i", "per_replica": True},
    ),
    "services.*.post_start[]": (below("post_start", "[]", command=["x"]), _HOOK),
    "services.*.pre_stop[]": (below("pre_stop", "[]", command=["x"]), _HOOK),
    "networks.*": (
        network,
        {
            "name": "m",
            "driver": "macvlan",
            "driver_opts": {"o": "1"},
            "ipam": {"config": [{"subnet": "10.0.0.0/24"}]},
            "external": True,
            "internal": True,
            "attachable": True,
            "labels": _LABELS,
            "enable_ipv4": False,
            "enable_ipv6": True,
        },
    ),
    "networks.*.external": (lambda values: network({"external": values}), {"name": "m"}),
    "networks.*.ipam": (
        ipam,
        {"driver": "i", "config": [{"subnet": "10.0.0.0/24"}], "options": {"o": "1"}},
    ),
    "networks.*.ipam.config[]": (
        pool,
        {
            "subnet": "10.1.0.0/24",
            "gateway": "10.0.0.9",
            "ip_range": "10.0.0.0/28",
            "aux_addresses": {"h": "10.0.0.8"},
        },
    ),
    "volumes.*": (
        resource("volumes", "vol", {"volumes": ["vol:/v1"]}),
        {"name": "m", "driver": "d", "driver_opts": {"o": "1"}, "external": True, "labels": _LABELS},
    ),
    "volumes.*.external": (
        lambda values: service({"volumes": ["vol:/v1"]}) | {"volumes": {"vol": {"external": values}}},
        {"name": "m"},
    ),
    **{
        f"{kind}.*": (
            resource(kind, "f", {kind: ["f"]}, file="/f"),
            {
                "name": "m",
                "file": "/g",
                "environment": "E",
                "external": True,
                "labels": _LABELS,
                "template_driver": "t",
                **({"content": "c"} if kind == "configs" else {"driver": "d", "driver_opts": {"o": "1"}}),
            },
        )
        for kind in ("secrets", "configs")
    },
    **{
        f"{kind}.*.external": (resource(kind, "f", {kind: ["f"]}, file="/f"), {"name": "m"})
        for kind in ("secrets", "configs")
    },
    "models.*": (
        resource("models", "m", {"models": ["m"]}, model="ai/m"),
        {"name": "n", "model": "ai/n", "context_size": 5, "runtime_flags": ["f"]},
    ),
}
"""Place -> (the file that has the keys there, key -> a value). In a place, `*` is any name, `[]` an entry."""

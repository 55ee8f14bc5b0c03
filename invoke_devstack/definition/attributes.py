"""How each attribute of a service and of a resource is decoded."""

from __future__ import annotations

from typing import Any

from invoke_devstack.definition.decode import (
    MisfitError,
    command,
    count,
    count_up_to,
    duration,
    flag,
    fraction,
    healthcheck_test,
    integer,
    labels,
    list_of,
    mapping_of,
    number,
    octal_mode,
    option_lists,
    optional_duration,
    record,
    shown_texts,
    size,
    text,
    text_options,
    texts,
    variables,
)
from invoke_devstack.definition.normalise import CONTENT


def _hosts(value: Any) -> list[str]:
    """`name=address` texts, in order."""
    pairs = (
        [(host, item) for host, items in value.items() for item in _addresses(items)]
        if isinstance(value, dict)
        else [pair for item in value or () for pair in _host_pairs(str(item))]
    )
    for host, _ in pairs:
        if not host or set(host) & set(":="):
            raise MisfitError(f"`{host}` is no host name")
    bare = (
        (host, item[1:-1] if len(item) > 2 and item[0] + item[-1] == "[]" else item) for host, item in pairs
    )
    return sorted(f"{host}={address}" for host, address in bare)


def _addresses(items: Any) -> list[str]:
    return [str(item) for item in items] if isinstance(items, list) else [text(items)]


def _host_pairs(entry: str) -> list[tuple[str, str]]:
    separator = "=" if "=" in entry else ":"
    host, found, addresses = entry.partition(separator)
    if not found:
        raise MisfitError(f"`{entry}` has no address; write HOST=ADDRESS")
    return [(host, address) for address in addresses.split(",")]


def _ulimit(value: Any) -> int | dict[str, int]:
    if not isinstance(value, dict):
        return integer(value)
    result: dict[str, int] = _ULIMIT(value)
    return result


def _ulimits(value: Any) -> dict[str, Any]:
    limits = mapping_of(_ulimit)(value)
    return {name: limit if limit else {} for name, limit in limits.items()}


def _ssh(value: Any) -> list[dict[str, str]]:
    return [{"id": key, **({"path": text(path)} if path is not None else {})} for key, path in value.items()]


def _nullable(decoder: Any) -> Any:
    return lambda value: None if value is None else decoder(value)


def _device_count(value: Any) -> int:
    if isinstance(value, str):
        return -1 if value.lower() == "all" else number(value)
    return integer(value)


def _renamed(decoder: Any, names: dict[str, str]) -> Any:
    """Compose prints the keys of some parts with a capital."""

    def decode_renamed(value: Any) -> dict[str, Any]:
        return {names.get(key, key): item for key, item in decoder(value).items()}

    return decode_renamed


_ULIMIT = record({"soft": integer, "hard": integer})
_WEIGHT = _renamed(
    record(
        {"path": text, "weight": count_up_to(65535)}, frozenset(("path", "weight")), {"path": "", "weight": 0}
    ),
    {"path": "Path", "weight": "Weight"},
)
_THROTTLE = _renamed(
    record({"path": text, "rate": lambda value: size(value) or "0"}, always={"path": "", "rate": "0"}),
    {"path": "Path", "rate": "Rate"},
)
_FILE_REFERENCE = record({"source": text, "target": text, "uid": text, "gid": text, "mode": octal_mode})
_HOOK_FIELDS = {
    "command": command,
    "user": text,
    "privileged": flag,
    "working_dir": text,
    "environment": variables,
}
_HOOK = record(_HOOK_FIELDS, always={"command": None})
_PRE_START = record({**_HOOK_FIELDS, "image": text, "per_replica": flag}, always={"command": None})
_DEVICE_REQUEST = record(
    {
        "capabilities": texts,
        "driver": text,
        "count": _device_count,
        "device_ids": texts,
        "options": labels,
    }
)
_RESOURCE = record(
    {
        "cpus": fraction,
        "memory": size,
        "pids": number,
        "devices": list_of(_DEVICE_REQUEST),
        "generic_resources": list_of(
            record(
                {
                    "discrete_resource_spec": record(
                        {"kind": text, "value": number}, always={"kind": "", "value": 0}
                    )
                },
                frozenset(("discrete_resource_spec",)),
            )
        ),
    }
)
_UPDATE = record(
    {
        "parallelism": count,
        "delay": optional_duration,
        "failure_action": text,
        "monitor": optional_duration,
        "max_failure_ratio": fraction,
        "order": text,
    },
    frozenset(("parallelism",)),
)
_DEPLOY = record(
    {
        "mode": text,
        "replicas": number,
        "labels": labels,
        "update_config": _UPDATE,
        "rollback_config": _UPDATE,
        "resources": record(
            {"limits": _RESOURCE, "reservations": _RESOURCE}, frozenset(("limits", "reservations"))
        ),
        "restart_policy": record(
            {"condition": text, "delay": duration, "max_attempts": count, "window": duration},
            frozenset(("delay", "max_attempts", "window")),
        ),
        "placement": record(
            {
                "constraints": texts,
                "preferences": list_of(record({"spread": text})),
                "max_replicas_per_node": count,
            }
        ),
        "endpoint_mode": text,
    },
    frozenset(("replicas", "update_config", "rollback_config", "restart_policy")),
    {"resources": {}, "placement": {}},
)
_BUILD = record(
    {
        "context": text,
        "dockerfile": text,
        "dockerfile_inline": text,
        "entitlements": texts,
        "args": variables,
        "provenance": text,
        "sbom": text,
        "ssh": _ssh,
        "labels": labels,
        "cache_from": texts,
        "cache_to": texts,
        "no_cache": flag,
        "no_cache_filter": texts,
        "additional_contexts": labels,
        "pull": flag,
        "extra_hosts": _hosts,
        "isolation": text,
        "network": text,
        "target": text,
        "secrets": list_of(_FILE_REFERENCE),
        "shm_size": size,
        "tags": texts,
        "ulimits": _ulimits,
        "platforms": texts,
        "privileged": flag,
    }
)
_WATCH_RULE = record(
    {
        "path": text,
        "action": text,
        "target": text,
        "exec": _HOOK,
        "include": texts,
        "ignore": texts,
        "initial_sync": flag,
    },
    always={"path": "", "action": "", "exec": {"command": None}},
)
_HEALTHCHECK = record(
    {
        "test": healthcheck_test,
        "timeout": duration,
        "interval": duration,
        "retries": count,
        "start_period": duration,
        "start_interval": duration,
        "disable": flag,
    },
    frozenset(("timeout", "interval", "retries", "start_period", "start_interval")),
)
_PORT = record(
    {
        "name": text,
        "mode": text,
        "host_ip": text,
        "target": count_up_to(2**32 - 1),
        "published": text,
        "protocol": text,
        "app_protocol": text,
    }
)
_MOUNT = record(
    {
        "type": text,
        "source": text,
        "target": text,
        "read_only": flag,
        "consistency": text,
        "bind": record({"selinux": text, "propagation": text, "create_host_path": flag, "recursive": text}),
        "volume": record({"labels": labels, "nocopy": flag, "subpath": text}),
        "tmpfs": record({"size": size, "mode": count_up_to(2**32 - 1)}),
        "image": record({"subpath": text}),
    },
    frozenset(("bind", "volume", "tmpfs", "image")),
)
_NETWORK_MEMBERSHIP = record(
    {
        "aliases": texts,
        "driver_opts": labels,
        "gw_priority": number,
        "interface_name": text,
        "ipv4_address": text,
        "ipv6_address": text,
        "link_local_ips": texts,
        "mac_address": text,
        "priority": number,
    }
)

SERVICE = record(
    {
        "profiles": texts,
        "annotations": labels,
        "attach": flag,
        "build": _BUILD,
        "develop": record({"watch": list_of(_WATCH_RULE)}),
        "blkio_config": record(
            {
                "weight": count_up_to(65535),
                "weight_device": list_of(_WEIGHT),
                "device_read_bps": list_of(_THROTTLE),
                "device_read_iops": list_of(_THROTTLE),
                "device_write_bps": list_of(_THROTTLE),
                "device_write_iops": list_of(_THROTTLE),
            }
        ),
        "cap_add": texts,
        "cap_drop": texts,
        "cgroup_parent": text,
        "cgroup": text,
        "cpu_count": number,
        "cpu_percent": fraction,
        "cpu_period": number,
        "cpu_quota": number,
        "cpu_rt_period": number,
        "cpu_rt_runtime": number,
        "cpus": fraction,
        "cpuset": text,
        "cpu_shares": number,
        "command": command,
        "configs": list_of(_FILE_REFERENCE),
        "container_name": text,
        "credential_spec": record({"config": text, "file": text, "registry": text}),
        "depends_on": mapping_of(
            record({"condition": text, "restart": flag, "required": flag}, frozenset(("required",)))
        ),
        "deploy": _DEPLOY,
        "device_cgroup_rules": texts,
        "devices": list_of(record({"source": text, "target": text, "permissions": text})),
        "dns": texts,
        "dns_opt": texts,
        "dns_search": texts,
        "domainname": text,
        "entrypoint": command,
        "provider": record({"type": text, "options": option_lists}),
        "environment": variables,
        "env_file": list_of(
            record({"path": text, "required": flag, "format": text}, frozenset(("required",)))
        ),
        "expose": shown_texts,
        "external_links": texts,
        "extra_hosts": _hosts,
        "group_add": texts,
        "gpus": list_of(_DEVICE_REQUEST),
        "hostname": text,
        "healthcheck": _HEALTHCHECK,
        "image": text,
        "init": flag,
        "ipc": text,
        "isolation": text,
        "labels": labels,
        "label_file": texts,
        "links": texts,
        "logging": record({"driver": text, "options": labels}),
        "mem_limit": size,
        "mem_reservation": size,
        "memswap_limit": size,
        "mem_swappiness": size,
        "mac_address": text,
        "models": mapping_of(_nullable(record({"endpoint_var": text, "model_var": text}))),
        "network_mode": text,
        "networks": mapping_of(_nullable(_NETWORK_MEMBERSHIP)),
        "oom_kill_disable": flag,
        "oom_score_adj": number,
        "pid": text,
        "pids_limit": number,
        "platform": text,
        "ports": list_of(_PORT),
        "privileged": flag,
        "pull_policy": text,
        "read_only": flag,
        "restart": text,
        "runtime": text,
        "scale": number,
        "secrets": list_of(_FILE_REFERENCE),
        "security_opt": texts,
        "shm_size": size,
        "stdin_open": flag,
        "stop_grace_period": duration,
        "stop_signal": text,
        "storage_opt": text_options,
        "sysctls": labels,
        "tmpfs": texts,
        "tty": flag,
        "ulimits": _ulimits,
        "use_api_socket": flag,
        "user": text,
        "userns_mode": text,
        "uts": text,
        "volumes": list_of(_MOUNT),
        "volumes_from": texts,
        "working_dir": text,
        "pre_start": list_of(_PRE_START),
        "post_start": list_of(_HOOK),
        "pre_stop": list_of(_HOOK),
    },
    frozenset(
        (
            "attach",
            "blkio_config",
            "build",
            "credential_spec",
            "deploy",
            "develop",
            "healthcheck",
            "init",
            "logging",
            "provider",
            "scale",
            "stop_grace_period",
        )
    ),
    {"command": None, "entrypoint": None},
)
_RESOURCE_FIELDS = {"name": text, "driver": text, "driver_opts": labels, "external": flag, "labels": labels}
NETWORK = record(
    {
        **_RESOURCE_FIELDS,
        "ipam": record(
            {
                "driver": text,
                "config": list_of(
                    record({"subnet": text, "gateway": text, "ip_range": text, "aux_addresses": labels})
                ),
            }
        ),
        "internal": flag,
        "attachable": flag,
        "enable_ipv4": flag,
        "enable_ipv6": flag,
    },
    frozenset(("enable_ipv4", "enable_ipv6")),
    {"ipam": {}},
)
VOLUME = record(_RESOURCE_FIELDS)
_FILE_OBJECT_FIELDS = {
    "name": text,
    "file": text,
    "environment": text,
    "external": flag,
    "labels": labels,
    "driver": text,
    "driver_opts": text_options,
    "template_driver": text,
}


def secret(value: Any) -> dict[str, Any]:
    """A secret; its value, where it comes from the environment, is its content."""
    result: dict[str, Any] = record({**_FILE_OBJECT_FIELDS, CONTENT: text}, frozenset((CONTENT,)))(value)
    if CONTENT in result:
        result["content"] = result.pop(CONTENT)
    return result


CONFIG = record({**_FILE_OBJECT_FIELDS, "content": text})
MODEL = record({"name": text, "model": text, "context_size": number, "runtime_flags": texts})

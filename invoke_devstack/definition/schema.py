"""The Compose Specification's attributes and the kinds of value that each of them takes."""

from __future__ import annotations

import re

from invoke_devstack.definition.shape import NAME, Shape

TEXT = Shape(text=True)
NOTHING = Shape(nothing=True)
FLAG = Shape(boolean=True)
SWITCH = Shape(boolean=True, text=True)
INTEGER = Shape(integer=True)
COUNT = Shape(integer=True, text=True)
AMOUNT = Shape(number=True, text=True)
SCALAR = Shape(text=True, number=True, boolean=True, nothing=True)
TEXTS = Shape(items=TEXT)
DISTINCT_TEXTS = Shape(items=TEXT, distinct=True)
TEXT_OR_LIST = TEXT | DISTINCT_TEXTS
LIST_OR_TABLE = Shape(items=TEXT, distinct=True, others=SCALAR, names=re.compile(r".+"))
COMMAND = TEXT | TEXTS | NOTHING
OPTIONS = Shape(others=AMOUNT, names=re.compile(r".+"), lenient=True)


def one_of(*choices: str) -> Shape:
    """A text that is one of `choices`."""
    return Shape(text=True, choices=choices)


def table(keys: dict[str, Shape], *required: str, extensible: bool = True) -> Shape:
    """A mapping with these keys."""
    return Shape(keys=keys, required=required, extensible=extensible)


def named(shape: Shape) -> Shape:
    """A mapping of names to values of one shape."""
    return Shape(others=shape, names=NAME)


def list_of(shape: Shape, distinct: bool = False) -> Shape:
    """A list of values of one shape."""
    return Shape(items=shape, distinct=distinct)


FILE_REFERENCES = list_of(
    TEXT | table({"source": TEXT, "target": TEXT, "uid": TEXT, "gid": TEXT, "mode": AMOUNT})
)
EXTRA_HOSTS = Shape(items=TEXT, distinct=True, others=TEXT | TEXTS, names=re.compile(r".+"))
ULIMITS = Shape(
    others=COUNT | table({"hard": COUNT, "soft": COUNT}, "soft", "hard"),
    names=re.compile(r"[a-z]+\Z"),
    lenient=True,
)
ENV_FILE = TEXT | list_of(
    TEXT | table({"path": TEXT, "format": TEXT, "required": SWITCH}, "path", extensible=False)
)
HOOK_KEYS = {
    "command": COMMAND,
    "user": TEXT,
    "privileged": SWITCH,
    "working_dir": TEXT,
    "environment": LIST_OR_TABLE,
}
HOOK = table(HOOK_KEYS, "command")
PRE_START_HOOK = table({**HOOK_KEYS, "image": TEXT, "per_replica": SWITCH})
DEVICE_REQUEST_KEYS = {
    "capabilities": DISTINCT_TEXTS,
    "count": COUNT,
    "device_ids": DISTINCT_TEXTS,
    "driver": TEXT,
    "options": LIST_OR_TABLE,
}
RATES = list_of(table({"path": TEXT, "rate": COUNT}, extensible=False))

BUILD = table(
    {
        "context": TEXT,
        "dockerfile": TEXT,
        "dockerfile_inline": TEXT,
        "entitlements": TEXTS,
        "args": LIST_OR_TABLE,
        "ssh": LIST_OR_TABLE,
        "labels": LIST_OR_TABLE,
        "cache_from": TEXTS,
        "cache_to": TEXTS,
        "no_cache": SWITCH,
        "no_cache_filter": TEXT_OR_LIST,
        "additional_contexts": LIST_OR_TABLE,
        "network": TEXT,
        "provenance": SWITCH,
        "sbom": SWITCH,
        "pull": SWITCH,
        "target": TEXT,
        "shm_size": COUNT,
        "extra_hosts": EXTRA_HOSTS,
        "isolation": TEXT,
        "privileged": SWITCH,
        "secrets": FILE_REFERENCES,
        "tags": TEXTS,
        "ulimits": ULIMITS,
        "platforms": TEXTS,
    }
)
DEVELOP = NOTHING | table(
    {
        "watch": list_of(
            table(
                {
                    "ignore": TEXT_OR_LIST,
                    "include": TEXT_OR_LIST,
                    "path": TEXT,
                    "action": one_of("rebuild", "sync", "restart", "sync+restart", "sync+exec"),
                    "target": TEXT,
                    "exec": HOOK,
                    "initial_sync": FLAG,
                },
                "path",
                "action",
            )
        )
    }
)
UPDATE_CONFIG = table(
    {
        "parallelism": COUNT,
        "delay": TEXT,
        "failure_action": TEXT,
        "monitor": TEXT,
        "max_failure_ratio": AMOUNT,
        "order": one_of("start-first", "stop-first"),
    }
)
RESERVATIONS = table(
    {
        "cpus": AMOUNT,
        "memory": TEXT,
        "generic_resources": list_of(
            table({"discrete_resource_spec": table({"kind": TEXT, "value": AMOUNT})})
        ),
        "devices": list_of(table(DEVICE_REQUEST_KEYS, "capabilities")),
    }
)
DEPLOY = NOTHING | table(
    {
        "mode": TEXT,
        "endpoint_mode": TEXT,
        "replicas": COUNT,
        "labels": LIST_OR_TABLE,
        "rollback_config": UPDATE_CONFIG,
        "update_config": UPDATE_CONFIG,
        "resources": table(
            {
                "limits": table({"cpus": AMOUNT, "memory": TEXT, "pids": COUNT}),
                "reservations": RESERVATIONS,
            }
        ),
        "restart_policy": table({"condition": TEXT, "delay": TEXT, "max_attempts": COUNT, "window": TEXT}),
        "placement": table(
            {
                "constraints": TEXTS,
                "preferences": list_of(table({"spread": TEXT})),
                "max_replicas_per_node": COUNT,
            }
        ),
    }
)
DEPENDS_ON = DISTINCT_TEXTS | named(
    table(
        {
            "restart": SWITCH,
            "required": FLAG,
            "condition": one_of("service_started", "service_healthy", "service_completed_successfully"),
        },
        "condition",
    )
)
SERVICE_NETWORKS = DISTINCT_TEXTS | named(
    NOTHING
    | table(
        {
            "aliases": DISTINCT_TEXTS,
            "interface_name": TEXT,
            "ipv4_address": TEXT,
            "ipv6_address": TEXT,
            "link_local_ips": DISTINCT_TEXTS,
            "mac_address": TEXT,
            "driver_opts": OPTIONS,
            "priority": Shape(number=True),
            "gw_priority": Shape(number=True),
        }
    )
)
PORT = AMOUNT | table(
    {
        "name": TEXT,
        "mode": TEXT,
        "host_ip": TEXT,
        "target": COUNT,
        "published": COUNT,
        "protocol": TEXT,
        "app_protocol": TEXT,
    }
)
MOUNT = TEXT | table(
    {
        "type": one_of("bind", "volume", "tmpfs", "cluster", "npipe", "image"),
        "source": TEXT,
        "target": TEXT,
        "read_only": SWITCH,
        "consistency": TEXT,
        "bind": table(
            {
                "propagation": TEXT,
                "create_host_path": SWITCH,
                "recursive": one_of("enabled", "disabled", "writable", "readonly"),
                "selinux": one_of("z", "Z"),
            }
        ),
        "volume": table({"labels": LIST_OR_TABLE, "nocopy": SWITCH, "subpath": TEXT}),
        "tmpfs": table({"size": Shape(integer=True, text=True, lowest=0), "mode": AMOUNT}),
        "image": table({"subpath": TEXT}),
    },
    "type",
)
HEALTHCHECK = table(
    {
        "disable": SWITCH,
        "interval": TEXT,
        "retries": AMOUNT,
        "test": TEXT | TEXTS,
        "timeout": TEXT,
        "start_period": TEXT,
        "start_interval": TEXT,
    }
)
SERVICE = table(
    {
        "develop": DEVELOP,
        "deploy": DEPLOY,
        "annotations": LIST_OR_TABLE,
        "attach": SWITCH,
        "build": TEXT | BUILD,
        "blkio_config": table(
            {
                "device_read_bps": RATES,
                "device_read_iops": RATES,
                "device_write_bps": RATES,
                "device_write_iops": RATES,
                "weight": COUNT,
                "weight_device": list_of(table({"path": TEXT, "weight": COUNT}, extensible=False)),
            },
            extensible=False,
        ),
        "cap_add": DISTINCT_TEXTS,
        "cap_drop": DISTINCT_TEXTS,
        "cgroup": one_of("host", "private"),
        "cgroup_parent": TEXT,
        "command": COMMAND,
        "configs": FILE_REFERENCES,
        "container_name": Shape(
            text=True,
            expression=re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
            expected="two or more letters, digits, `.`, `_` or `-`",
        ),
        "cpu_count": Shape(text=True, integer=True, lowest=0),
        "cpu_percent": Shape(text=True, integer=True, lowest=0, highest=100),
        "cpu_shares": AMOUNT,
        "cpu_quota": AMOUNT,
        "cpu_period": AMOUNT,
        "cpu_rt_period": AMOUNT,
        "cpu_rt_runtime": AMOUNT,
        "cpus": AMOUNT,
        "cpuset": TEXT,
        "credential_spec": table({"config": TEXT, "file": TEXT, "registry": TEXT}),
        "depends_on": DEPENDS_ON,
        "device_cgroup_rules": DISTINCT_TEXTS,
        "devices": list_of(TEXT | table({"source": TEXT, "target": TEXT, "permissions": TEXT}, "source")),
        "dns": TEXT_OR_LIST,
        "dns_opt": DISTINCT_TEXTS,
        "dns_search": TEXT_OR_LIST,
        "domainname": TEXT,
        "entrypoint": COMMAND,
        "env_file": ENV_FILE,
        "label_file": TEXT | TEXTS,
        "environment": LIST_OR_TABLE,
        "expose": list_of(AMOUNT, distinct=True),
        "extends": TEXT | table({"service": TEXT, "file": TEXT}, "service", extensible=False),
        "provider": table(
            {
                "type": TEXT,
                "options": Shape(
                    others=Shape(text=True, number=True, boolean=True)
                    | list_of(Shape(text=True, number=True, boolean=True)),
                    names=re.compile(r".+"),
                    lenient=True,
                ),
            },
            "type",
        ),
        "external_links": DISTINCT_TEXTS,
        "extra_hosts": EXTRA_HOSTS,
        "gpus": one_of("all") | list_of(Shape(keys=DEVICE_REQUEST_KEYS, extensible=True, lenient=True)),
        "group_add": list_of(AMOUNT, distinct=True),
        "healthcheck": HEALTHCHECK,
        "hostname": TEXT,
        "image": TEXT,
        "init": SWITCH,
        "ipc": TEXT,
        "isolation": TEXT,
        "labels": LIST_OR_TABLE,
        "links": DISTINCT_TEXTS,
        "logging": table(
            {
                "driver": TEXT,
                "options": Shape(others=AMOUNT | NOTHING, names=re.compile(r".+"), lenient=True),
            }
        ),
        "mac_address": TEXT,
        "mem_limit": AMOUNT,
        "mem_reservation": COUNT,
        "mem_swappiness": COUNT,
        "memswap_limit": AMOUNT,
        "network_mode": TEXT,
        "models": DISTINCT_TEXTS
        | Shape(others=NOTHING | table({"endpoint_var": TEXT, "model_var": TEXT}), names=NAME, lenient=True),
        "networks": SERVICE_NETWORKS,
        "oom_kill_disable": SWITCH,
        "oom_score_adj": Shape(text=True, integer=True, lowest=-1000, highest=1000),
        "pid": TEXT | NOTHING,
        "pids_limit": AMOUNT,
        "platform": TEXT,
        "ports": list_of(PORT, distinct=True),
        "pre_start": list_of(PRE_START_HOOK),
        "post_start": list_of(HOOK),
        "pre_stop": list_of(HOOK),
        "privileged": SWITCH,
        "profiles": DISTINCT_TEXTS,
        "pull_policy": Shape(
            text=True,
            expression=re.compile(
                r"always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+"
            ),
            expected="`always`, `never`, `missing`, `build`, `daily`, `weekly` or `every_<duration>`",
        ),
        "pull_refresh_after": TEXT,
        "read_only": SWITCH,
        "restart": TEXT,
        "runtime": TEXT,
        "scale": COUNT,
        "security_opt": DISTINCT_TEXTS,
        "shm_size": AMOUNT,
        "secrets": FILE_REFERENCES,
        "sysctls": LIST_OR_TABLE,
        "stdin_open": SWITCH,
        "stop_grace_period": TEXT,
        "stop_signal": TEXT,
        "storage_opt": Shape(keys={}, lenient=True),
        "tmpfs": TEXT_OR_LIST,
        "tty": SWITCH,
        "ulimits": ULIMITS,
        "use_api_socket": FLAG,
        "user": TEXT,
        "uts": TEXT,
        "userns_mode": TEXT,
        "volumes": list_of(MOUNT, distinct=True),
        "volumes_from": DISTINCT_TEXTS,
        "working_dir": TEXT,
    }
)
EXTERNAL = SWITCH | table({"name": TEXT})
LOOSE_EXTERNAL = SWITCH | Shape(keys={"name": TEXT}, lenient=True)
NETWORK = NOTHING | table(
    {
        "name": TEXT,
        "driver": TEXT,
        "driver_opts": OPTIONS,
        "ipam": table(
            {
                "driver": TEXT,
                "config": list_of(
                    table(
                        {
                            "subnet": TEXT,
                            "ip_range": TEXT,
                            "gateway": TEXT,
                            "aux_addresses": Shape(others=TEXT, names=re.compile(r".+")),
                        }
                    )
                ),
                "options": Shape(others=TEXT, names=re.compile(r".+")),
            }
        ),
        "external": EXTERNAL,
        "internal": SWITCH,
        "enable_ipv4": SWITCH,
        "enable_ipv6": SWITCH,
        "attachable": SWITCH,
        "labels": LIST_OR_TABLE,
    }
)
VOLUME = NOTHING | table(
    {"name": TEXT, "driver": TEXT, "driver_opts": OPTIONS, "external": EXTERNAL, "labels": LIST_OR_TABLE}
)
SECRET = table(
    {
        "name": TEXT,
        "environment": TEXT,
        "file": TEXT,
        "external": LOOSE_EXTERNAL,
        "labels": LIST_OR_TABLE,
        "driver": TEXT,
        "driver_opts": OPTIONS,
        "template_driver": TEXT,
    }
)
CONFIG = table(
    {
        "name": TEXT,
        "content": TEXT,
        "environment": TEXT,
        "file": TEXT,
        "external": LOOSE_EXTERNAL,
        "labels": LIST_OR_TABLE,
        "template_driver": TEXT,
    }
)
MODEL = table({"name": TEXT, "model": TEXT, "context_size": INTEGER, "runtime_flags": TEXTS}, "model")
INCLUDE = TEXT | table(
    {"path": TEXT_OR_LIST, "env_file": TEXT_OR_LIST, "project_directory": TEXT}, extensible=False
)
FILE = table(
    {
        "version": TEXT,
        "name": TEXT,
        "include": list_of(INCLUDE),
        "services": named(SERVICE),
        "models": Shape(others=MODEL, names=NAME, lenient=True),
        "networks": Shape(others=NETWORK, names=NAME, lenient=True),
        "volumes": named(VOLUME),
        "secrets": named(SECRET),
        "configs": named(CONFIG),
    }
)

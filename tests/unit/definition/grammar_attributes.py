"""Values for every attribute of a service, right ones and wrong ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.definition.grammar_forms import (
    BLKIO,
    BUILD,
    DEPENDS_ON,
    DEPLOY,
    DEVICES,
    ENV_FILE,
    EXTRA_HOSTS,
    FILE_REFERENCES,
    HEALTHCHECK,
    HOOKS,
    LONG_MOUNTS,
    PORTS,
    SERVICE_NETWORKS,
    SHORT_MOUNTS,
    ULIMITS,
    WATCH,
)
from tests.unit.definition.grammar_values import (
    BOOLEANS,
    COMMAND,
    DURATIONS,
    NAMES,
    NUMBERS,
    ODD,
    OPTIONS,
    PAIRS,
    SCALARS,
    SHORT_LIST,
    SIZES,
    TEXTS,
    mostly,
)

ATTRIBUTES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        [
            "cgroup_parent",
            "cpuset",
            "domainname",
            "hostname",
            "ipc",
            "isolation",
            "mac_address",
            "network_mode",
            "pid",
            "platform",
            "restart",
            "runtime",
            "stop_signal",
            "user",
            "userns_mode",
            "uts",
            "working_dir",
            "image",
            "container_name",
        ],
        SCALARS,
    ),
    **dict.fromkeys(
        [
            "cap_add",
            "cap_drop",
            "dns_opt",
            "device_cgroup_rules",
            "security_opt",
            "external_links",
            "volumes_from",
        ],
        TEXTS,
    ),
    **dict.fromkeys(["dns", "dns_search", "tmpfs"], SHORT_LIST),
    **dict.fromkeys(["annotations", "environment", "labels", "sysctls"], PAIRS),
    **dict.fromkeys(["mem_limit", "mem_reservation", "memswap_limit", "mem_swappiness", "shm_size"], SIZES),
    **dict.fromkeys(
        [
            "cpu_count",
            "cpu_percent",
            "cpu_period",
            "cpu_quota",
            "cpu_rt_period",
            "cpu_rt_runtime",
            "cpu_shares",
            "cpus",
            "oom_score_adj",
            "pids_limit",
            "scale",
        ],
        NUMBERS,
    ),
    **dict.fromkeys(
        [
            "attach",
            "init",
            "oom_kill_disable",
            "privileged",
            "read_only",
            "stdin_open",
            "tty",
            "use_api_socket",
        ],
        BOOLEANS,
    ),
    **dict.fromkeys(["command", "entrypoint"], COMMAND),
    **dict.fromkeys(["configs", "secrets"], FILE_REFERENCES),
    **dict.fromkeys(["post_start", "pre_stop"], HOOKS),
    "blkio_config": BLKIO,
    "build": BUILD,
    "cgroup": mostly(["host", "private"], ["other"]),
    "credential_spec": st.fixed_dictionaries(
        {}, optional={"file": SCALARS, "registry": SCALARS, "config": SCALARS}
    ),
    "depends_on": DEPENDS_ON,
    "deploy": DEPLOY | st.none(),
    "develop": WATCH | st.none(),
    "devices": st.lists(
        st.sampled_from(
            [
                "/dev/a",
                "/dev/a:/dev/b",
                "/dev/a:/dev/b:r",
                "a:b:c:d",
                {"source": "/dev/c", "target": "/dev/d"},
                "/dev/a::r",
            ]
        ),
        max_size=3,
    ),
    "env_file": ENV_FILE,
    "expose": st.lists(mostly(["80", 80, "90/udp", "3000-3002", "x"], [1.5]), max_size=3),
    "extra_hosts": EXTRA_HOSTS,
    "gpus": DEVICES | mostly(["all"], ["some"]),
    "group_add": st.lists(st.sampled_from(["a", 1, "1", 1.5]), max_size=2),
    "healthcheck": HEALTHCHECK,
    "label_file": mostly(["extra.env", ["extra.env", "more.env"]], ["missing.env"]),
    "links": st.lists(mostly(["one", "one:alias"], ["two:alias", "three", "a:b:c"]), max_size=2),
    "logging": st.fixed_dictionaries({}, optional={"driver": SCALARS, "options": OPTIONS}),
    "network_mode": mostly(["host", "none", "service:one", "container:x", "bridge"], ["service:nobody"]),
    "networks": SERVICE_NETWORKS,
    "ports": st.lists(PORTS, max_size=3),
    "profiles": st.lists(st.sampled_from(["debug", "test"]), max_size=2),
    "provider": st.fixed_dictionaries(
        {"type": SCALARS},
        optional={
            "options": st.dictionaries(NAMES, SCALARS | st.sampled_from([1, True, ["a", 2]]), max_size=2)
        },
    ),
    "pull_policy": mostly(
        ["always", "if_not_present", "missing", "daily", "every_2h", "never"], ["sometimes"]
    ),
    "stop_grace_period": DURATIONS,
    "storage_opt": st.dictionaries(NAMES, st.sampled_from(["1g", 5, None]), max_size=2),
    "ulimits": ULIMITS,
    "volumes": st.lists(SHORT_MOUNTS | LONG_MOUNTS, max_size=3),
    "volumes_from": st.lists(st.sampled_from(["one", "two:ro", "container:c:rw"]), max_size=2),
    "use_api_socket": mostly([True, False], ["true"]),
    "container_name": mostly(["one-name", "${ALPHA}", "xy", "a b"], ["x", ""]),
    "x-anything": ODD,
}

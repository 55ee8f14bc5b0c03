"""Values for the attributes of a service that have forms of their own, short and long, right and wrong."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.unit.definition.grammar_values import (
    BOOLEANS,
    COMMAND,
    DURATIONS,
    NAMES,
    NUMBERS,
    OPTIONS,
    PAIRS,
    PATHS,
    SCALARS,
    SHORT_LIST,
    SIZES,
    TEXTS,
    Raw,
    mostly,
)

PORTS = st.one_of(
    mostly(
        [
            "80",
            80,
            "8080:80",
            "127.0.0.1:8080:80",
            "127.0.0.1::80",
            "8000-8002:80-82",
            "9998-10001:9998-10001",
            "3000-3005",
            "8000-8010:80",
            "53:53/udp",
            "80/tcp",
            "80/sctp",
            "[::1]:80:80",
            "::1:80:80",
            "${PORT}:80",
            "8080:80/",
            Raw("8080:80"),
            Raw("22:22"),
            "80:80/TCP",
        ],
        [
            "80/xyz",
            "a:80",
            "8080:",
            ":80",
            "",
            "70000:80",
            "80-70:1",
            "1-3:1-2",
            "1.2.3:80:80",
            Raw("80.5"),
            0,
            ":80:80",
            "1:2:3:4",
            None,
        ],
    ),
    st.fixed_dictionaries(
        {"target": mostly([80, "80", "${PORT}", Raw("0x50")], [0, "a", None, 1.5])},
        optional={
            "published": st.sampled_from([8080, "8080", "8000-8010", "", "${PORT}"]),
            "host_ip": mostly(["127.0.0.1", "::1"], ["nowhere", ""]),
            "protocol": st.sampled_from(["tcp", "udp", "xyz"]),
            "mode": st.sampled_from(["host", "ingress"]),
            "name": SCALARS,
            "app_protocol": SCALARS,
            "x-more": SCALARS,
        },
    ),
)
SHORT_MOUNTS = mostly(
    [
        "data:/data",
        "data:/data:ro",
        "./a:/a",
        "./a:/a:ro,z",
        "/abs:/b/",
        "~/x:/c:rw",
        "/anon",
        "a",
        "ab",
        "c:\\x:/y",
        "data:/n:nocopy",
        "./p:/p:rshared,ro",
        "data:/data/../other",
        "${ALPHA}:/v",
        "front:/v:Z",
        "../up:/up:unknown",
        ".:/here",
        "data:relative",
    ],
    ["", ":/x", "data:", "a:b:c:d", "x:/y:ro:z"],
)
LONG_MOUNTS = st.fixed_dictionaries(
    {
        "type": mostly(["bind", "volume", "tmpfs", "npipe", "cluster", "image"], ["other", None]),
        "target": mostly(["/t", "/t/", "/u/../v", "/w", "t"], ["", None, 1]),
    },
    optional={
        "source": st.sampled_from(["data", "./a", "/abs", "${ALPHA}", "", "~/x"]),
        "read_only": BOOLEANS,
        "consistency": SCALARS,
        "bind": st.fixed_dictionaries(
            {},
            optional={
                "propagation": st.sampled_from(["rshared", "x"]),
                "create_host_path": BOOLEANS,
                "selinux": st.sampled_from(["z", "Z", "q"]),
                "recursive": st.sampled_from(["enabled", "readonly", "x"]),
            },
        ),
        "volume": st.fixed_dictionaries(
            {}, optional={"nocopy": BOOLEANS, "subpath": SCALARS, "labels": PAIRS}
        ),
        "tmpfs": st.fixed_dictionaries(
            {}, optional={"size": SIZES, "mode": st.sampled_from([0, 511, Raw("0755"), "755"])}
        ),
        "image": st.fixed_dictionaries({}, optional={"subpath": SCALARS}),
    },
)
FILE_REFERENCES = st.lists(
    st.one_of(
        mostly(["s1", "s2"], ["unknown"]),
        st.fixed_dictionaries(
            {"source": st.sampled_from(["s1", "s2", "${UNSET:-s1}"])},
            optional={
                "target": SCALARS,
                "uid": mostly(["0", "103"], [5]),
                "gid": st.sampled_from(["103"]),
                "mode": mostly([Raw("0440"), "0440", "440", 288, Raw("0o400")], ["9", 1.5]),
            },
        ),
    ),
    max_size=3,
)
ULIMITS = st.dictionaries(
    st.sampled_from(["nofile", "nproc", "memlock", "BAD"]),
    st.one_of(
        NUMBERS,
        st.fixed_dictionaries(
            {"soft": st.sampled_from([1, "2", 0, -1]), "hard": st.sampled_from([3, "4", 0])}
        ),
        st.fixed_dictionaries({"soft": st.just(1)}),
    ),
    max_size=2,
)
EXTRA_HOSTS = st.one_of(
    st.lists(
        mostly(
            ["a:1.2.3.4", "a=1.2.3.5", "b=::1", "b:[::1]", "a:1.2.3.4,5.6.7.8", "h:host-gateway"], ["c", "=x"]
        ),
        max_size=3,
    ),
    st.dictionaries(
        mostly(["a", "b"], ["c:d"]), st.sampled_from(["1.2.3.4", "[::1]", ["1.1.1.1", "2.2.2.2"]]), max_size=2
    ),
)
HEALTHCHECK = st.fixed_dictionaries(
    {},
    optional={
        "test": st.one_of(
            SCALARS,
            st.sampled_from(
                [["CMD", "true"], ["CMD-SHELL", "exit 0"], ["NONE"], "curl -f http://x || exit 1"]
            ),
        ),
        "interval": DURATIONS,
        "timeout": DURATIONS,
        "retries": NUMBERS,
        "start_period": DURATIONS,
        "start_interval": DURATIONS,
        "disable": BOOLEANS,
        "x-why": SCALARS,
    },
)
DEPENDS_ON = st.one_of(
    st.lists(mostly(["one", "two"], ["three", "nobody"]), max_size=2),
    st.dictionaries(
        st.sampled_from(["one", "two", "three"]),
        st.fixed_dictionaries(
            {
                "condition": mostly(
                    ["service_started", "service_healthy", "service_completed_successfully"], ["wrong", None]
                )
            },
            optional={
                "restart": BOOLEANS,
                "required": mostly([True, False], ["true"]),
            },
        ),
        max_size=2,
    ),
)
SERVICE_NETWORKS = st.one_of(
    st.lists(mostly(["front", "back", "default"], ["nowhere"]), max_size=2),
    st.dictionaries(
        st.sampled_from(["front", "back", "default"]),
        st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "aliases": TEXTS,
                    "ipv4_address": SCALARS,
                    "ipv6_address": SCALARS,
                    "link_local_ips": TEXTS,
                    "mac_address": SCALARS,
                    "priority": st.sampled_from([1, 1000, 0, 1.5]),
                    "gw_priority": st.sampled_from([1, 0]),
                    "interface_name": SCALARS,
                    "driver_opts": OPTIONS,
                },
            ),
        ),
        max_size=2,
    ),
)
BUILD = st.one_of(
    PATHS,
    st.just("https://github.com/x/y.git#main"),
    st.fixed_dictionaries(
        {},
        optional={
            "context": PATHS | st.sampled_from(["git@github.com:x/y", "docker-image://x", "service:one", ""]),
            "dockerfile": SCALARS,
            "dockerfile_inline": st.sampled_from(["FROM x\n", ""]),
            "args": PAIRS,
            "labels": PAIRS,
            "target": SCALARS,
            "cache_from": TEXTS,
            "cache_to": TEXTS,
            "no_cache": BOOLEANS,
            "pull": BOOLEANS,
            "network": SCALARS,
            "shm_size": SIZES,
            "tags": TEXTS,
            "platforms": st.lists(st.sampled_from(["linux/amd64", "linux/arm64"]), max_size=2),
            "privileged": BOOLEANS,
            "isolation": SCALARS,
            "extra_hosts": EXTRA_HOSTS,
            "additional_contexts": st.one_of(
                st.dictionaries(
                    NAMES, PATHS | st.sampled_from(["service:one", "docker-image://y"]), max_size=2
                ),
                st.sampled_from([["a=./b"], ["a"], ["a=https://x"]]),
            ),
            "secrets": FILE_REFERENCES,
            "ulimits": ULIMITS,
            "entitlements": TEXTS,
            "provenance": BOOLEANS | SCALARS,
            "sbom": BOOLEANS | SCALARS,
            "x-own": SCALARS,
        },
    ),
)
DEVICES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "capabilities": mostly([["gpu"], []], [[["gpu"]]]),
            "count": mostly([1, "all", "2", "ALL"], ["x"]),
            "device_ids": st.sampled_from([["0"], ["0", "3"]]),
            "driver": SCALARS,
            "options": PAIRS,
        },
    ),
    max_size=2,
)
UPDATE_CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "parallelism": NUMBERS,
        "delay": DURATIONS,
        "monitor": DURATIONS,
        "failure_action": SCALARS,
        "max_failure_ratio": NUMBERS,
        "order": mostly(["start-first", "stop-first"], ["x"]),
    },
)
DEPLOY = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["replicated", "global"]),
        "replicas": NUMBERS,
        "labels": PAIRS,
        "endpoint_mode": SCALARS,
        "update_config": UPDATE_CONFIG,
        "rollback_config": UPDATE_CONFIG,
        "restart_policy": st.fixed_dictionaries(
            {},
            optional={"condition": SCALARS, "delay": DURATIONS, "max_attempts": NUMBERS, "window": DURATIONS},
        ),
        "placement": st.fixed_dictionaries(
            {},
            optional={
                "constraints": TEXTS,
                "preferences": st.lists(st.fixed_dictionaries({"spread": SCALARS}), max_size=2),
                "max_replicas_per_node": NUMBERS,
            },
        ),
        "resources": st.fixed_dictionaries(
            {},
            optional={
                "limits": st.fixed_dictionaries(
                    {}, optional={"cpus": NUMBERS, "memory": SIZES, "pids": NUMBERS}
                ),
                "reservations": st.fixed_dictionaries(
                    {},
                    optional={
                        "cpus": NUMBERS,
                        "memory": SIZES,
                        "devices": DEVICES,
                        "generic_resources": st.just(
                            [
                                {"discrete_resource_spec": {"kind": "SSD", "value": 2}},
                                {"discrete_resource_spec": {}},
                            ]
                        ),
                    },
                ),
            },
        ),
    },
)
HOOKS = st.lists(
    st.fixed_dictionaries(
        {"command": COMMAND},
        optional={"user": SCALARS, "privileged": BOOLEANS, "working_dir": SCALARS, "environment": PAIRS},
    ),
    max_size=2,
)
WATCH = st.fixed_dictionaries(
    {},
    optional={
        "watch": st.lists(
            st.fixed_dictionaries(
                {
                    "path": mostly(["./a", ".", "src/b", "~/x"], [""]),
                    "action": mostly(
                        ["rebuild", "restart", "rebuild", "sync", "sync+restart", "sync+exec"], ["x"]
                    ),
                },
                optional={
                    "target": SCALARS,
                    "ignore": SHORT_LIST,
                    "include": SHORT_LIST,
                    "initial_sync": mostly([True, False], ["true"]),
                    "exec": st.fixed_dictionaries({"command": COMMAND}, optional={"user": SCALARS}),
                },
            ),
            max_size=2,
        )
    },
)
ENV_FILE = st.one_of(
    st.sampled_from(["extra.env", ["extra.env", "more.env"]]),
    st.lists(
        st.fixed_dictionaries(
            {"path": mostly(["extra.env", "more.env"], ["missing.env"])},
            optional={"required": BOOLEANS, "format": mostly(["raw"], ["other"])},
        ),
        max_size=2,
    ),
)
BLKIO = st.fixed_dictionaries(
    {},
    optional={
        "weight": mostly([10, 0, 100], ["10", 70000, -1]),
        "weight_device": st.sampled_from(
            [[{"path": "/dev/a", "weight": 1}], [{"path": "/dev/a"}], [], [{"weight": 5}]]
        ),
        "device_read_bps": st.lists(st.fixed_dictionaries({"path": PATHS, "rate": SIZES}), max_size=2),
        "device_write_iops": st.lists(
            st.fixed_dictionaries({"path": PATHS}, optional={"rate": NUMBERS}), max_size=1
        ),
    },
)

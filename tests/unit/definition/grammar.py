"""Definitions made up by Hypothesis from the Compose Specification's grammar.

Every attribute has values in its short and long forms, right ones and wrong ones. A definition is a set
of files; values are written in YAML's flow style, so that a `Raw` text can be any scalar or tag.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

ENVIRONMENT = {
    "HOME": "/home/somebody",
    "PATH": "/usr/bin:/bin",
    "ALPHA": "alpha",
    "EMPTY": "",
    "NUMBER": "3",
    "YES": "yes",
    "PORT": "8080",
    "UID": "1000",
    "GID": "1000",
}
DOT_ENV = "FROM_FILE=file value\nALPHA=not this\nQUOTED='a b'\nNESTED=${ALPHA}-${FROM_FILE}\n"


class Raw(str):
    """A scalar written as it is, without quotes."""


def to_yaml(value: Any) -> str:
    """YAML in flow style."""
    match value:
        case Raw():
            return str(value)
        case Mapping():
            body = ", ".join(f"{json.dumps(key)}: {to_yaml(item)}" for key, item in value.items())
            return "{" + body + "}"
        case list():
            return "[" + ", ".join(to_yaml(item) for item in value) + "]"
    return json.dumps(value)


def to_file(value: Mapping[str, Any]) -> str:
    """A file with its top-level keys on lines of their own."""
    return "".join(f"{key}: {to_yaml(item)}\n" for key, item in value.items())


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def mostly(right: list[Any], wrong: list[Any]) -> st.SearchStrategy[Any]:
    """Right values nearly always: one wrong value in a definition is enough to have it refused."""
    return st.integers(0, 255).flatmap(lambda number: st.sampled_from(wrong if number % 32 == 21 else right))


SCALARS = mostly(
    [
        *[
            "x",
            "a/b",
            "a.b",
            "1.2.3.4",
            "22:22",
            "key=value",
            "10s",
            "1h30m",
            "64m",
            "1.5gb",
            "0",
            "1",
            "-1",
            "yes",
            "no",
            "true",
            "null",
            "~",
            "0777",
            "1e3",
        ],
        "",
        "a b",
        "a, b",
        "ünï",
        '"quoted"',
        "a\tb",
        "<&>",
        "$$x",
        "${ALPHA}",
        "$ALPHA",
        "${EMPTY}",
        "${UNSET}",
        "${UNSET:-default}",
        "${EMPTY:-default}",
        "${EMPTY-default}",
        "${ALPHA:+there}",
        "${UNSET+there}",
        "${UNSET:-${ALPHA}}",
        "${UNSET:-a${NUMBER}}b}",
        "${ALPHA:?missing}x",
        "${UNSET:-{}}",
        "${FROM_FILE}",
        "${NESTED}",
        "${ALPHA:-}}",
        "${1}",
        "$1",
        "a$",
        "${ALPHA} and ${NUMBER:-x} }",
        "${UNSET-a b}",
        "${UNSET:-a:b}",
        "${UNSET:-$$ALPHA}",
        "${COMPOSE_PROJECT_NAME}",
        "${EMPTY?missing}",
    ],
    ["${UNSET:?missing}", "${}", "${ALPHA", "${ALPHA:}", "a ${-x}"],
)
RAW = st.sampled_from(
    [
        Raw(text)
        for text in [
            "0777",
            "0o17",
            "0x1F",
            "0b11",
            "1_000",
            "+12",
            "-0x1F",
            "1e3",
            ".5",
            "1.0",
            "1.50",
            "100000000.0",
            "1e21",
            "123456789012345678901234567890",
            "yes",
            "no",
            "on",
            "y",
            "n",
            "true",
            "False",
            "NULL",
            "~",
            "22:22",
            "12:30:45",
            "089",
            "0.1",
            "1e-7",
            "-3",
            "2001-12-14",
            "0",
            "00",
            "1.",
            "3.0",
            "12345678.9",
        ]
    ]
)
NUMBERS = mostly(
    [0, 1, 2, 3, 10, 80, 100, 1000, "2", "10", Raw("0x10"), Raw("1_0"), 2.0, "${NUMBER}"],
    [
        65535,
        -1,
        1.5,
        0.25,
        "0.5",
        "",
        Raw("1e3"),
        Raw("089"),
        Raw("yes"),
        Raw("1e21"),
        "x",
        None,
        True,
        Raw("2001-12-14"),
    ],
)
ODD = st.sampled_from([None, True, 3, 1.5, [], {}, [1], "text", Raw("~"), {"a": 1}])
BOOLEANS = mostly(
    [True, False, "true", "false", "yes", "off", "${YES}", Raw("yes"), Raw("n")],
    ["${UNSET}", None, "maybe", 1],
)
NAMES = st.sampled_from(["a", "b", "c", "data", "y-x", "front"])
PATHS = st.sampled_from(
    ["./a", "../b", "/abs/x/", "~/c", "~", ".", "a/./b/../c", "/", "./a b", "${ALPHA}/x", "/x//y"]
)
SIZES = mostly(
    ["64m", "1.5gb", "10", "1k", "2 MB", "1KiB", "1.5", "5tb", "1e3", ".5k", "0", "${NUMBER}g"],
    ["b", "-1", "x", "", "1 k b", 10, -1, 1.5, "1kx", None],
)
DURATIONS = mostly(
    [
        "10s",
        "1m30s",
        "1.5h",
        "500ms",
        "2us",
        "1d",
        "1w2d",
        "90s",
        "0s",
        "0",
        "-5s",
        "1h1h",
        "3ns",
        "${NUMBER}s",
    ],
    ["10", "", "1.5", "s", "1x", "1 s", 10, ".s", "-", "99999999h"],
)
TEXTS = st.lists(SCALARS, max_size=3)
SHORT_LIST = SCALARS | TEXTS
COMMAND = st.one_of(
    mostly(
        [
            "echo hi",
            "sh -c 'a b; c'",
            'a "b c" d\\ e',
            "a && b",
            "a > b",
            "a 2>b",
            "x '$$A' \"$$B\"",
            "",
            "a '' b",
            "$(a b) c",
            "`a b` c",
            'a "x\\"y" z',
            "a\\\\b",
            "  padded  ",
            "a\nb",
            "${ALPHA} $NUMBER",
            "a 'b\"c' \"d'e\"",
            "a;b",
            "x='a b'",
        ],
        ["a(b)", "open 'quote", "a\\\\", "`open", "a)"],
    ),
    TEXTS,
    st.none(),
)
KEYS = st.sampled_from(["A", "B", "C", "ALPHA", "UNSET", "com.example.key", "a b", "x.k"])
PAIRS = st.one_of(
    st.dictionaries(KEYS, SCALARS | NUMBERS | BOOLEANS | st.none(), max_size=4),
    st.lists(
        st.builds(lambda key, value: key if value is None else f"{key}={value}", KEYS, SCALARS | st.none()),
        max_size=4,
    ),
)
OPTIONS = st.dictionaries(KEYS, SCALARS | st.sampled_from([1, 1.5, Raw("1e9")]), max_size=3)
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
NETWORK = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "name": SCALARS,
            "driver": SCALARS,
            "driver_opts": OPTIONS,
            "external": BOOLEANS | st.just({"name": "other"}),
            "internal": BOOLEANS,
            "attachable": BOOLEANS,
            "enable_ipv6": BOOLEANS,
            "enable_ipv4": BOOLEANS,
            "labels": PAIRS,
            "ipam": st.fixed_dictionaries(
                {},
                optional={
                    "driver": SCALARS,
                    "config": st.lists(
                        st.fixed_dictionaries(
                            {},
                            optional={
                                "subnet": st.sampled_from(["10.0.0.0/24", "10.1.0.0/24"]),
                                "gateway": SCALARS,
                                "ip_range": SCALARS,
                                "aux_addresses": st.dictionaries(NAMES, SCALARS, max_size=1),
                            },
                        ),
                        max_size=2,
                    ),
                    "options": st.dictionaries(NAMES, SCALARS, max_size=1),
                },
            ),
        },
    ),
)
VOLUME = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "name": SCALARS,
            "driver": st.sampled_from(["local", "other"]),
            "driver_opts": OPTIONS | st.just({"o": "bind", "device": "./here", "type": "none"}),
            "external": BOOLEANS | st.just({"name": "other"}),
            "labels": PAIRS,
            "x-own": ODD,
        },
    ),
)
SOURCES = [
    {"file": "./a"},
    {"file": "~/b"},
    {"environment": "ALPHA"},
    {"environment": "UNSET"},
    {"external": True},
]
ODD_SOURCES: list[Any] = [{}, {"file": "a", "environment": "B"}, {"external": False}]


def _with_more(source: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {**source, **more}


MORE = st.fixed_dictionaries({}, optional={"name": SCALARS, "labels": PAIRS, "x-own": ODD})
SECRET = st.builds(_with_more, mostly(SOURCES, ODD_SOURCES), MORE)
CONFIG = st.builds(_with_more, mostly([*SOURCES, {"content": "a $$b ${ALPHA}"}], ODD_SOURCES), MORE)
SERVICE_NAMES = ("one", "two", "three")


@st.composite
def services(draw: st.DrawFn, base: Mapping[str, Any], count: int = 6) -> dict[str, Any]:
    """A service with a few attributes, chosen from all."""
    names = draw(st.lists(st.sampled_from(sorted(ATTRIBUTES)), max_size=count, unique=True))
    misspelt = {"unknown": "key"} if draw(st.integers(0, 255)) == 77 else {}
    return {**base, **{name: draw(ATTRIBUTES[name]) for name in names}, **misspelt}


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    """The networks, volumes, secrets and configs that services refer to, plain ones more often than not."""
    plain = {
        "networks": {"front": None, "back": None},
        "volumes": {"data": None, "alpha": None, "front": None, "a": None},
        "secrets": {"s1": {"file": "./s1"}, "s2": {"environment": "ALPHA"}},
        "configs": {"s1": {"content": "x"}, "s2": {"file": "./c"}},
    }
    kind = draw(st.sampled_from(["", "", "", "networks", "volumes", "secrets", "configs"]))
    values = {"networks": NETWORK, "volumes": VOLUME, "secrets": SECRET, "configs": CONFIG}
    if kind:
        names = sorted(plain[kind])
        plain[kind] = {name: draw(values[kind]) for name in names}
    return plain


SUPPORT_FILES = {
    ".env": DOT_ENV,
    "extra.env": "A=extra\nB=${ALPHA}\nNEW='single $ALPHA'\nD=\"line\\nbreak ${C}\"\n# comment\nALPHA\n",
    "more.env": "A=more # comment\nexport E = spaced\nF: colon\nG=${A}-${UNSET:-x}\n",
}


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, str]:
    """Files by name: `compose.yaml`, perhaps an override, an extended file, an included file."""
    files = dict(SUPPORT_FILES)
    files[".env"] += draw(st.sampled_from(["", "", "COMPOSE_PROFILES=debug\n", "COMPOSE_PROFILES=*\n"]))
    count = draw(st.integers(1, 3))
    base = {"image": "x"}
    main = {name: draw(services(base)) for name in SERVICE_NAMES[:count]}
    form = draw(
        st.sampled_from(["one", "one", "two files", "tags", "extends", "extends file", "include", "anchors"])
    )
    top: dict[str, Any] = {"services": main, **draw(resources())}
    if form in ("two files", "tags"):
        over = {name: draw(services({}, 4)) for name in SERVICE_NAMES[:count]}
        if form == "tags":
            over = {name: _tagged(draw, service) for name, service in over.items()}
        more = draw(resources()) if draw(st.booleans()) else {}
        files["compose.override.yaml"] = to_file({"services": over, **more})
    if form == "extends":
        main["one"] = draw(
            services({"extends": draw(st.sampled_from(["two", {"service": "two"}, "two", "nobody", "one"]))})
        )
        main.setdefault("two", draw(services(base)))
    if form == "extends file":
        main["one"] = draw(services({"extends": {"file": "sub/common.yaml", "service": "base"}}))
        files["sub/common.yaml"] = to_file(
            {"services": {"base": draw(services({**base, "extends": "root"})), "root": draw(services({}))}}
        )
    if form == "include":
        top["include"] = draw(
            st.sampled_from(
                [
                    ["sub/more.yaml"],
                    [{"path": "sub/more.yaml", "project_directory": "."}],
                    [{"path": ["sub/more.yaml"]}],
                ]
            )
        )
        files["sub/more.yaml"] = to_file({"services": {"extra": draw(services(base))}})
        files["sub/.env"] = "FROM_FILE=included\nUNSET=now set\n"
    text = to_file(top)
    if form == "anchors":
        text = f"x-common: &common {to_yaml(draw(services({}, 3)))}\n{text}"
        text += f"x-more: {to_yaml({'a': Raw('*common')})}\n"
        text = text.replace('{"one": {', '{"one": {<<: *common, ', 1)
    if draw(st.integers(0, 5)) == 3:
        names = ["web", "My App", "a_b-c", "x${NUMBER}", "${UNSET:-other}", "_lead"]
        text = f"name: {to_yaml(draw(mostly(names, ['', '!!', '${UNSET}', 3])))}\n{text}"
    files["compose.yaml"] = text
    return files


def _tagged(draw: st.DrawFn, service: dict[str, Any]) -> dict[str, Any]:
    tagged = {name: Raw(f"!override {to_yaml(value)}") for name, value in service.items()}
    chosen = {name: tagged[name] if draw(st.booleans()) else value for name, value in service.items()}
    removed = draw(st.lists(st.sampled_from(["image", "environment", "ports", "command"]), max_size=1))
    return {**chosen, **{name: Raw("!reset null") for name in removed}}

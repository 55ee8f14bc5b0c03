"""Services made up by Hypothesis that any engine starts: each attribute has forms that real files have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.unit.definition.grammar_values import Raw, to_file

TRAPPED = ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]
ATTRIBUTES: Mapping[str, list[Any]] = {
    "annotations": [{"com.example.a": "1"}],
    "cap_add": [["NET_ADMIN"], ["CAP_SYS_PTRACE", "NET_RAW"], ["ALL"]],
    "cap_drop": [["MKNOD"], ["net_raw"]],
    "cgroup": ["private", "host"],
    "command": [TRAPPED, "sh -c 'trap exit TERM; sleep 1000 & wait'", ["sleep", "1000"], "sleep 1000"],
    "configs": [["text"], [{"source": "text", "target": "/etc/text", "mode": 0o440}]],
    "cpu_shares": [512, "256"],
    "cpus": [0.5, "1"],
    "cpuset": ["0"],
    "deploy": [
        {"resources": {"limits": {"cpus": "0.5", "memory": "64M", "pids": 50}}},
        {"resources": {"reservations": {"memory": "20M"}}, "labels": {"not": "on the container"}},
        {"restart_policy": {"condition": "on-failure", "max_attempts": 2}},
        {"replicas": 2},
        {"mode": "replicated", "endpoint_mode": "dnsrr"},
    ],
    "devices": [
        ["/dev/null:/dev/nothing"],
        ["/dev/zero:/dev/zero:r"],
        [{"source": "/dev/null", "target": "/dev/nowhere"}],
    ],
    "dns": ["1.1.1.1", ["1.1.1.1", "8.8.8.8"]],
    "dns_opt": [["ndots:1"]],
    "dns_search": ["example.org", ["a.example", "b.example"]],
    "domainname": ["example.org"],
    "entrypoint": [["env"], "env A=1", [], None, ""],
    "environment": [{"A": "1", "B": "", "C": 3, "D": None}, ["A=1", "B=", "C"], ["A=a=b", "SPACED=a b"], {}],
    "expose": [["9000"], ["9000-9002", "9010/udp"]],
    "extra_hosts": [["a:1.2.3.4"], {"a": "1.2.3.4", "b": "host-gateway"}, ["a=1.2.3.4", "c=[::1]"]],
    "group_add": [["20", 30], ["nogroup"]],
    "healthcheck": [
        {"disable": True},
        {"test": ["NONE"]},
        {"test": "true", "interval": "1s"},
        {"test": ["CMD", "true"], "interval": "500ms", "timeout": "1m", "retries": 4, "start_period": "2s"},
        {"test": ["CMD-SHELL", "exit 0"], "interval": "1s"},
    ],
    "hostname": ["somehost", "a.b"],
    "init": [True, False],
    "ipc": ["shareable", "private", "host", "none"],
    "labels": [{"team": "dev", "empty": ""}, ["a=b", "c"], {"n": 1, "t": True}],
    "logging": [{"driver": "json-file", "options": {"max-size": "10m"}}, {"driver": "none"}, {}],
    "mac_address": ["02:42:ac:11:65:43"],
    "mem_limit": ["64m", 67108864],
    "mem_reservation": ["32m"],
    "mem_swappiness": [10],
    "network_mode": ["none", "bridge", "host"],
    "networks": [
        ["front"],
        {"front": None, "back": None},
        {"front": {"aliases": ["www", "web"], "priority": 5}, "back": {}},
        {"back": {"mac_address": "02:42:ac:11:65:44"}},
    ],
    "oom_score_adj": [100],
    "pid": ["host"],
    "pids_limit": [100, "-1"],
    "ports": [["80"], ["127.0.0.1::81/udp"], ["0:80", "0:81"], [{"target": 80, "host_ip": "127.0.0.1"}]],
    "privileged": [True, False],
    "read_only": [True],
    "restart": ["no", "always", "on-failure", "on-failure:3", "unless-stopped"],
    "scale": [1, 2],
    "secrets": [["hidden"], [{"source": "hidden", "target": "renamed", "mode": 0o400}]],
    "security_opt": [["no-new-privileges:true"], ["seccomp:unconfined", "label=disable"]],
    "shm_size": ["8m", 8388608],
    "stdin_open": [True],
    "stop_grace_period": ["1m5s", "500ms", "1s"],
    "stop_signal": ["SIGINT", "SIGUSR1", "15"],
    "sysctls": [{"net.core.somaxconn": 1024}, ["net.ipv4.ip_forward=1"]],
    "tmpfs": ["/run", ["/run:size=1m,mode=1777", "/var/tmp"]],
    "tty": [True],
    "ulimits": [{"nproc": 65535, "nofile": {"soft": 200, "hard": 400}}],
    "user": ["0", "1000:1000", "1000"],
    "uts": ["host"],
    "volumes": [
        ["named:/named"],
        ["named:/named:ro", "named:/again"],
        ["/anonymous"],
        ["./folder:/folder:ro", "./folder/secret:/one-file"],
        [{"type": "volume", "target": "/long"}],
        [
            {
                "type": "volume",
                "source": "named",
                "target": "/n",
                "volume": {"nocopy": True},
                "read_only": True,
            }
        ],
        [{"type": "bind", "source": "./folder", "target": "/b", "bind": {"propagation": "rprivate"}}],
        [{"type": "bind", "source": "./made", "target": "/made", "bind": {"create_host_path": True}}],
        [{"type": "tmpfs", "target": "/scratch", "tmpfs": {"size": 1048576, "mode": 0o700}}],
        ["named:/z:z,ro", "/tmp:/from-host:rslave"],
    ],
    "working_dir": ["/tmp", "/new/folder"],
}
CLASHES = [
    *({"network_mode", other} for other in ("networks", "ports", "dns", "hostname", "extra_hosts", "links")),
    *({"network_mode", other} for other in ("mac_address", "sysctls", "domainname", "expose")),
    *({"uts", other} for other in ("hostname", "domainname")),
    *({"deploy", other} for other in ("scale", "cpus", "mem_limit", "mem_reservation", "pids_limit")),
    {"deploy", "restart"},
    {"networks", "mac_address"},
    {"read_only", "working_dir"},
    {"read_only", "secrets"},
    {"read_only", "configs"},
    {"scale", "mac_address"},
    {"deploy", "mac_address"},
    {"scale", "networks"},
    {"deploy", "networks"},
    {"entrypoint", "command"},
    {"user", "working_dir"},
]
"""Attributes that do not go together, or of which one makes the other fail."""


@st.composite
def _service(draw: st.DrawFn, image: str) -> dict[str, Any]:
    names = set(draw(st.lists(st.sampled_from(sorted(ATTRIBUTES)), max_size=7, unique=True)))
    for clash in CLASHES:
        if clash <= names:
            names.discard(max(clash))
    chosen = {name: draw(st.sampled_from(ATTRIBUTES[name])) for name in sorted(names)}
    return {"image": image, "command": TRAPPED, **chosen}


@st.composite
def stacks(draw: st.DrawFn) -> str:
    """The text of a Compose file; IMAGE is the image."""
    services = {name: draw(_service(Raw("IMAGE"))) for name in ("one", "two")[: draw(st.integers(1, 2))]}
    relations = ["none", "none", "depends_on", "links", "ipc", "network_mode", "volumes_from"]
    relation = draw(st.sampled_from(relations))
    if len(services) == 2 and relation != "none":
        _relate(services["one"], services["two"], relation)
    top: dict[str, Any] = {
        "services": services,
        "networks": {"front": None, "back": {"internal": True}},
        "volumes": {"named": {"labels": {"a": "b"}}},
        "secrets": {"hidden": {"file": "./folder/secret"}},
        "configs": {"text": {"content": "some text"}},
    }
    return to_file(top)


def _relate(one: dict[str, Any], two: dict[str, Any], relation: str) -> None:
    if relation == "depends_on":
        two["depends_on"] = ["one"]
    elif relation == "volumes_from":
        two["volumes_from"] = ["one:ro"]
    elif relation == "links" and not {"network_mode", "networks"} & (one.keys() | two.keys()):
        two["links"] = ["one:uno"]
    elif relation == "ipc" and not {"ipc", "scale", "deploy"} & one.keys():
        one["ipc"] = "shareable"
        two["ipc"] = "service:one"
    elif relation == "network_mode" and not {"scale", "deploy", "network_mode"} & one.keys():
        kept = {"image", "command", "environment", "labels", "user", "volumes"}
        for name in two.keys() - kept:
            del two[name]
        two["network_mode"] = "service:one"

"""Keys that a container's body takes as they are: (key, member of the body, flag of `docker create`).

Both the body and the commands of `--explain` derive from these tables: a text or a number is the value of its
flag, a list repeats the flag, a mapping repeats it with `NAME=VALUE`, and True is the flag alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

PlainKeys = tuple[tuple[str, str, str], ...]

CONFIG: PlainKeys = (
    ("hostname", "Hostname", "--hostname"),
    ("domainname", "Domainname", "--domainname"),
    ("user", "User", "--user"),
    ("working_dir", "WorkingDir", "--workdir"),
    ("stop_signal", "StopSignal", "--stop-signal"),
)
HOST_CONFIG: PlainKeys = (
    ("cgroup", "CgroupnsMode", "--cgroupns"),
    ("uts", "UTSMode", "--uts"),
    ("userns_mode", "UsernsMode", "--userns"),
    ("isolation", "Isolation", "--isolation"),
    ("runtime", "Runtime", "--runtime"),
    ("oom_score_adj", "OomScoreAdj", "--oom-score-adj"),
    ("cgroup_parent", "CgroupParent", "--cgroup-parent"),
    ("cpu_count", "CpuCount", "--cpu-count"),
    ("cpu_period", "CpuPeriod", "--cpu-period"),
    ("cpu_quota", "CpuQuota", "--cpu-quota"),
    ("cpu_rt_period", "CpuRealtimePeriod", "--cpu-rt-period"),
    ("cpu_rt_runtime", "CpuRealtimeRuntime", "--cpu-rt-runtime"),
    ("cpu_shares", "CpuShares", "--cpu-shares"),
    ("cpuset", "CpusetCpus", "--cpuset-cpus"),
    ("pids_limit", "PidsLimit", "--pids-limit"),
    ("mem_limit", "Memory", "--memory"),
    ("memswap_limit", "MemorySwap", "--memory-swap"),
    ("mem_swappiness", "MemorySwappiness", "--memory-swappiness"),
    ("mem_reservation", "MemoryReservation", "--memory-reservation"),
    ("shm_size", "ShmSize", "--shm-size"),
    ("read_only", "ReadonlyRootfs", "--read-only"),
    ("privileged", "Privileged", "--privileged"),
    ("dns", "Dns", "--dns"),
    ("dns_search", "DnsSearch", "--dns-search"),
    ("dns_opt", "DnsOptions", "--dns-option"),
    ("group_add", "GroupAdd", "--group-add"),
    ("device_cgroup_rules", "DeviceCgroupRules", "--device-cgroup-rule"),
    ("sysctls", "Sysctls", "--sysctl"),
    ("storage_opt", "StorageOpt", "--storage-opt"),
)


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty values, which mean the same to the engine as missing ones."""
    return {key: value for key, value in values.items() if value}


def plain_values(service: Service, keys: PlainKeys) -> dict[str, Any]:
    """The members of the body that the service sets."""
    values = {member: getattr(service, key) for key, member, _ in keys}
    return {member: _as_json(value) for member, value in values.items() if value}


def _as_json(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def flag_words(members: Mapping[str, Any], flags: Mapping[str, str]) -> Iterator[str]:
    """`flags` is member of the body -> flag."""
    for member, flag in flags.items():
        yield from _flag_words(flag, members.get(member))


def _flag_words(flag: str, value: object) -> Iterator[str]:
    match value:
        case None | "" | False:
            return
        case True:
            yield flag
        case list():
            for item in value:
                yield from (flag, str(item))
        case Mapping():
            for name, item in value.items():
                yield from (flag, f"{name}={item}")
        case _:
            yield from (flag, str(value))


def flags(keys: PlainKeys) -> dict[str, str]:
    """Member of the body -> flag."""
    return {member: flag for _, member, flag in keys}

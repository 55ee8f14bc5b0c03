"""The body of `POST /containers/create` -> the equivalent flags of `docker create`.

https://docs.docker.com/reference/cli/docker/container/create/. A remark says what the command line cannot
express. Members of plain keys come from `bodies.plain_keys`, so that a new one needs no edit here.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from invoke_devstack.planning.bodies import plain_keys
from invoke_devstack.planning.plan import Body

_NANO = 10**9


@dataclass(frozen=True, slots=True)
class Flags:
    """`words` come before the image, `arguments` after it. `environment` and `labels` are separate, because
    their values may be secret or not known yet."""

    words: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def create_flags(body: Body) -> Flags:
    """The flags for a body, as far as the command line can express it."""
    host = body.get("HostConfig") or {}
    entrypoint, arguments = _entrypoint(body)
    words = [
        *plain_keys.flag_words(body, _CONFIG_FLAGS),
        *_open_stdin(body),
        *entrypoint,
        *_exposed(body),
        *_healthcheck(body.get("Healthcheck")),
        *plain_keys.flag_words(host, _HOST_FLAGS),
        *_host_switches(host),
        *_published(host),
        *_mounts(host),
        *_resources(host),
        *_network(body, host),
    ]
    return Flags(
        words=tuple(words),
        arguments=tuple(arguments),
        environment=tuple(body.get("Env") or ()),
        labels=body.get("Labels") or {},
        remarks=tuple(_remarks(body, host)),
    )


_CONFIG_FLAGS = {
    **plain_keys.flags(plain_keys.CONFIG),
    "StopTimeout": "--stop-timeout",
    "MacAddress": "--mac-address",
    "Tty": "--tty",
}
_HOST_FLAGS = {
    **plain_keys.flags(plain_keys.HOST_CONFIG),
    "IpcMode": "--ipc",
    "PidMode": "--pid",
    "CpuPercent": "--cpu-percent",
    "OomKillDisable": "--oom-kill-disable",
    "BlkioWeight": "--blkio-weight",
    "Binds": "--volume",
    "CapAdd": "--cap-add",
    "CapDrop": "--cap-drop",
    "VolumesFrom": "--volumes-from",
    "ExtraHosts": "--add-host",
    "Links": "--link",
    "Annotations": "--annotation",
}


def _open_stdin(body: Body) -> Iterator[str]:
    if body.get("OpenStdin"):
        # With only the outputs named, standard input is open but not attached, as in Compose.
        yield from ("--interactive", "--attach", "stdout", "--attach", "stderr")


def _entrypoint(body: Body) -> tuple[list[str], list[str]]:
    """The flag takes one word; the other words go before the command."""
    entrypoint, command = body.get("Entrypoint"), list(body.get("Cmd") or ())
    if entrypoint is None:
        return [], command
    return ["--entrypoint", entrypoint[0] if entrypoint else ""], [*entrypoint[1:], *command]


def _exposed(body: Body) -> Iterator[str]:
    published = (body.get("HostConfig") or {}).get("PortBindings") or {}
    for port in body.get("ExposedPorts") or {}:
        if port not in published:
            yield from ("--expose", port)


def _healthcheck(check: Mapping[str, Any] | None) -> Iterator[str]:
    if not check:
        return
    test = list(check.get("Test") or ())
    if test[:1] == ["NONE"]:
        yield "--no-healthcheck"
        return
    if test:
        yield from ("--health-cmd", test[1] if test[0] == "CMD-SHELL" else shlex.join(test[1:]))
    times = {
        "Interval": "--health-interval",
        "Timeout": "--health-timeout",
        "StartPeriod": "--health-start-period",
        "StartInterval": "--health-start-interval",
    }
    for key, flag in times.items():
        if check.get(key):
            yield from (flag, f"{check[key]}ns")
    if check.get("Retries"):
        yield from ("--health-retries", str(check["Retries"]))


def _host_switches(host: Mapping[str, Any]) -> Iterator[str]:
    if host.get("Init") is not None:
        yield "--init" if host["Init"] else "--init=false"
    policy = host.get("RestartPolicy") or {}
    if policy.get("Name"):
        count = policy.get("MaximumRetryCount")
        yield from ("--restart", f"{policy['Name']}:{count}" if count else policy["Name"])
    log = host.get("LogConfig") or {}
    if log.get("Type"):
        yield from ("--log-driver", log["Type"])
    for name, value in (log.get("Config") or {}).items():
        yield from ("--log-opt", f"{name}={value}")
    for option in host.get("SecurityOpt") or ():
        if not option.startswith("seccomp={"):
            yield from ("--security-opt", option)
    if "MaskedPaths" in host:
        yield from ("--security-opt", "systempaths=unconfined")


def _published(host: Mapping[str, Any]) -> Iterator[str]:
    for port, bindings in (host.get("PortBindings") or {}).items():
        for binding in bindings:
            address, number = binding.get("HostIp", ""), binding.get("HostPort", "")
            address = f"[{address}]" if ":" in address else address
            parts = [address, number, port] if address else [number, port] if number else [port]
            yield from ("--publish", ":".join(parts))


def _mounts(host: Mapping[str, Any]) -> Iterator[str]:
    for path, options in (host.get("Tmpfs") or {}).items():
        yield from ("--tmpfs", f"{path}:{options}" if options else path)
    for mount in host.get("Mounts") or ():
        yield from ("--mount", ",".join(_mount_parts(mount)))


def _mount_parts(mount: Mapping[str, Any]) -> Iterator[str]:
    yield f"type={mount['Type']}"
    for key, name in (("Source", "source"), ("Target", "target"), ("Consistency", "consistency")):
        if mount.get(key):
            yield _csv(f"{name}={mount[key]}")
    if mount.get("ReadOnly"):
        yield "readonly"
    bind, volume = mount.get("BindOptions") or {}, mount.get("VolumeOptions") or {}
    if bind.get("Propagation"):
        yield f"bind-propagation={bind['Propagation']}"
    for key, word in _RECURSIVE.items():
        if bind.get(key):
            yield f"bind-recursive={word}"
    if volume.get("NoCopy"):
        yield "volume-nocopy"
    if volume.get("Subpath"):
        yield _csv(f"volume-subpath={volume['Subpath']}")
    for name, value in (volume.get("Labels") or {}).items():
        yield _csv(f"volume-label={name}={value}")
    tmpfs, image = mount.get("TmpfsOptions") or {}, mount.get("ImageOptions") or {}
    if tmpfs.get("SizeBytes"):
        yield f"tmpfs-size={tmpfs['SizeBytes']}"
    if tmpfs.get("Mode"):
        yield f"tmpfs-mode={tmpfs['Mode']:o}"
    if image.get("Subpath"):
        yield _csv(f"image-subpath={image['Subpath']}")


_RECURSIVE = {
    "NonRecursive": "disabled",
    "ReadOnlyNonRecursive": "writable",
    "ReadOnlyForceRecursive": "readonly",
}


def _csv(text: str) -> str:
    """One field of the comma-separated form that `--mount` and `--gpus` take."""
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


def _resources(host: Mapping[str, Any]) -> Iterator[str]:
    if host.get("NanoCpus"):
        yield from ("--cpus", f"{host['NanoCpus'] / _NANO:g}")
    for limit in host.get("Ulimits") or ():
        yield from ("--ulimit", f"{limit['Name']}={limit['Soft']}:{limit['Hard']}")
    for device in host.get("Devices") or ():
        parts = (device["PathOnHost"], device["PathInContainer"], device["CgroupPermissions"])
        yield from ("--device", ":".join(part for part in parts if part))
    for device in host.get("BlkioWeightDevice") or ():
        yield from ("--blkio-weight-device", f"{device['Path']}:{device['Weight']}")
    for key, flag in _THROTTLES.items():
        for device in host.get(key) or ():
            yield from (flag, f"{device['Path']}:{device['Rate']}")
    for request in host.get("DeviceRequests") or ():
        yield from _device_request(request)


_THROTTLES = {
    "BlkioDeviceReadBps": "--device-read-bps",
    "BlkioDeviceReadIOps": "--device-read-iops",
    "BlkioDeviceWriteBps": "--device-write-bps",
    "BlkioDeviceWriteIOps": "--device-write-iops",
}


def _device_request(request: Mapping[str, Any]) -> Iterator[str]:
    if request.get("Driver") == "cdi":
        for name in request["DeviceIDs"]:
            yield from ("--device", name)
        return
    parts = [f"driver={request['Driver']}"] if request.get("Driver") else []
    if request.get("DeviceIDs"):
        parts.append(_csv(f"device={','.join(request['DeviceIDs'])}"))
    elif request.get("Count"):
        parts.append("count=all" if request["Count"] < 0 else f"count={request['Count']}")
    capabilities = ",".join(request["Capabilities"][0])
    parts.append(_csv(f"capabilities={capabilities}"))
    for name, value in (request.get("Options") or {}).items():
        parts.append(_csv(f"options={name}={value}"))
    yield from ("--gpus", ",".join(parts))


def _network(body: Body, host: Mapping[str, Any]) -> Iterator[str]:
    mode = str(host.get("NetworkMode") or "")
    endpoints = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    if mode not in endpoints:
        if mode:
            yield from ("--network", mode)
        return
    yield from ("--network", _network_flag(mode, endpoints[mode]))
    yield from endpoint_flags(endpoints[mode], alias="--network-alias")


def _network_flag(name: str, endpoint: Mapping[str, Any]) -> str:
    """The long form of the flag where the short one does not suffice."""
    parts = [f"driver-opt={key}={value}" for key, value in (endpoint.get("DriverOpts") or {}).items()]
    if endpoint.get("MacAddress"):
        parts.append(f"mac-address={endpoint['MacAddress']}")
    if endpoint.get("GwPriority"):
        parts.append(f"gw-priority={endpoint['GwPriority']}")
    return ",".join((f"name={name}", *parts)) if parts else name


def endpoint_flags(endpoint: Mapping[str, Any], *, alias: str) -> Iterator[str]:
    """Names and addresses on a network, for `docker create` and `docker network connect`."""
    for name in endpoint.get("Aliases") or ():
        yield from (alias, name)
    addresses = endpoint.get("IPAMConfig") or {}
    if addresses.get("IPv4Address"):
        yield from ("--ip", addresses["IPv4Address"])
    if addresses.get("IPv6Address"):
        yield from ("--ip6", addresses["IPv6Address"])
    for address in addresses.get("LinkLocalIPs") or ():
        yield from ("--link-local-ip", address)


def connect_flags(endpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """The flags of `docker network connect`."""
    words = list(endpoint_flags(endpoint, alias="--alias"))
    for link in endpoint.get("Links") or ():
        words += ["--link", link]
    for name, value in (endpoint.get("DriverOpts") or {}).items():
        words += ["--driver-opt", f"{name}={value}"]
    if endpoint.get("GwPriority"):
        words += ["--gw-priority", str(endpoint["GwPriority"])]
    return tuple(words)


def later_networks(body: Body) -> dict[str, Mapping[str, Any]]:
    """The networks after the first, which the command line joins one by one."""
    mode = (body.get("HostConfig") or {}).get("NetworkMode")
    endpoints = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    return {name: endpoint for name, endpoint in endpoints.items() if name != mode}


_REMARKS: tuple[tuple[Callable[[Body, Mapping[str, Any]], bool], str], ...] = (
    (
        lambda body, host: ((body.get("Healthcheck") or {}).get("Test") or ("",))[0] == "CMD",
        "the healthcheck runs without a shell; `docker create` always uses one",
    ),
    (
        lambda body, host: len(body.get("Entrypoint") or ()) > 1,
        "the entrypoint has several words; `docker create` takes one, and the others are part of the command",
    ),
    (
        lambda body, host: any(item.startswith("seccomp={") for item in host.get("SecurityOpt") or ()),
        "`docker create` reads a seccomp profile from its file: add --security-opt seccomp=FILE",
    ),
    (
        lambda body, host: any(
            (mount.get("BindOptions") or {}).get("CreateMountpoint") for mount in host.get("Mounts") or ()
        ),
        "`--mount` does not create a missing host directory: create it first",
    ),
    (
        lambda body, host: bool(body.get("NetworkDisabled")),
        "`docker create` cannot disable networking",
    ),
)


def _remarks(body: Body, host: Mapping[str, Any]) -> Iterator[str]:
    return (text for applies, text in _REMARKS if applies(body, host))

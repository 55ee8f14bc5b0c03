"""Each action of a deploy as the `docker` command that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from invoke_devstack.events import Explained
from invoke_devstack.planning.deploys.differences import mode_of, replicas
from invoke_devstack.planning.deploys.plan import (
    ChangeService,
    CreateFile,
    RemoveFile,
    RemoveService,
    ServiceChange,
)
from invoke_devstack.planning.deploys.target import FileKind
from invoke_devstack.planning.deploys.verdicts import mode_word
from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.plan import Action, Body
from invoke_devstack.secrets import masked

Flag = tuple[str, str]
"""A flag of `docker service create`, and its value; "" for a switch."""
_NANO = 10**9
_ADDED = frozenset(
    (
        *("config", "secret", "env", "label", "container-label", "mount", "network", "publish", "constraint"),
        *("host", "dns", "dns-search", "dns-option", "group", "sysctl", "ulimit", "placement-pref"),
    )
)
"""What `docker service update` takes as `--NAME-add` and `--NAME-rm`."""


def deploy_commands(action: Action) -> tuple[Explained, ...]:
    """The commands of one action; secrets are masked. Those that start with `#` are remarks."""
    if isinstance(action, ChangeService):
        return tuple(_change(action))
    if isinstance(action, CreateFile):
        return (_create_file(action),)
    if isinstance(action, RemoveFile):
        return (_explained(["docker", _noun(action.file_kind), "rm", action.target], action),)
    if isinstance(action, RemoveService):
        return (_explained(["docker", "service", "rm", action.target], action),)
    return docker_commands(action)


def _noun(kind: FileKind) -> str:
    return kind.value.removesuffix("s")


def _explained(words: Iterable[str], action: Action) -> Explained:
    what, _, _ = action.id.removesuffix(action.target).partition("  ")
    return Explained(command=shlex.join(words), sentence=f"{what.strip().capitalize()}: {action.cause}.")


def _create_file(action: CreateFile) -> Explained:
    item = action.file
    labels = [word for name, value in item.labels.items() for word in ("--label", f"{name}={value}")]
    return _explained(["docker", _noun(item.kind), "create", *labels, action.target, "-"], action)


def _change(action: ChangeService) -> Iterator[Explained]:
    name = action.target
    if action.change is ServiceChange.RERUN:
        yield _explained(["docker", "service", "update", "--force", name], action)
    elif action.change is ServiceChange.UPDATE:
        yield _explained(["docker", "service", "update", *_updates(action.before, action.spec), name], action)
    else:
        if action.change is ServiceChange.REPLACE:
            yield _explained(["docker", "service", "rm", name], action)
        container = action.spec["TaskTemplate"]["ContainerSpec"]
        flags = _words(create_flags(action.spec))
        image = [str(container["Image"]), *map(str, container.get("Args") or ())]
        yield _explained(["docker", "service", "create", "--name", name, *flags, *image], action)


def _words(flags: Iterable[Flag]) -> list[str]:
    return [word for flag, value in flags for word in ((f"--{flag}", value) if value else (f"--{flag}",))]


def _updates(before: Body, spec: Body) -> list[str]:
    """The flags of `docker service update` between two specs."""
    old, new = list(create_flags(before)), list(create_flags(spec))
    containers = [item["TaskTemplate"]["ContainerSpec"] for item in (before, spec)]
    for flag, member in (("image", "Image"), ("args", "Args")):
        values = [item.get(member) for item in containers]
        if values[0] != values[1]:
            value = values[1] or ""
            new.append((flag, value if isinstance(value, str) else shlex.join(value)))
    changed = [item for item in new if item not in old]
    named = {(flag, _name(value)) for flag, value in new}
    gone = [item for item in old if item not in new and (item[0], _name(item[1])) not in named]
    return [
        *_words((f"{flag}-rm", _name(value)) for flag, value in gone if flag in _ADDED),
        *_words((f"{flag}-add" if flag in _ADDED else flag, value) for flag, value in changed),
    ]


def _name(value: str) -> str:
    """What `--NAME-rm` takes: the variable, label, or source."""
    first = value.partition(",")[0]
    return first.removeprefix("source=") if first != value else value.partition("=")[0]


def create_flags(spec: Body) -> Iterator[Flag]:
    """Flags of `docker service create` for a spec, without name, image and command."""
    task = spec["TaskTemplate"]
    container = task["ContainerSpec"]
    yield from _mode(spec)
    yield from _pairs("label", spec.get("Labels"))
    yield from _pairs("container-label", container.get("Labels"))
    for variable in container.get("Env") or ():
        name, equals, value = variable.partition("=")
        yield "env", f"{name}={masked(name, value)}" if equals else name
    yield from _plain(container)
    yield from _health(container.get("Healthcheck") or {})
    for mount in container.get("Mounts") or ():
        yield "mount", _mount(mount)
    for kind in FileKind:
        for item in container.get(kind.reference) or ():
            yield _noun(kind), _file(item, kind)
    yield from _template(task)
    for port in (spec.get("EndpointSpec") or {}).get("Ports") or ():
        parts = {"published": "PublishedPort", "target": "TargetPort", "protocol": "Protocol"}
        found = [f"{key}={port[member]}" for key, member in parts.items() if port.get(member)]
        yield "publish", ",".join((*found, f"mode={port.get('PublishMode') or 'ingress'}"))
    if mode := (spec.get("EndpointSpec") or {}).get("Mode"):
        yield "endpoint-mode", mode
    yield from _update("update", spec.get("UpdateConfig") or {})
    yield from _update("rollback", spec.get("RollbackConfig") or {})


def _mode(spec: Body) -> Iterator[Flag]:
    if mode_of(spec) != "Replicated":
        yield "mode", mode_word(spec)
    count = replicas(spec)
    if count is not None:
        yield "replicas", str(count)


def _pairs(flag: str, values: Mapping[str, Any] | None) -> Iterator[Flag]:
    for name, value in (values or {}).items():
        yield flag, f"{name}={value}"


def _plain(container: Body) -> Iterator[Flag]:
    if container.get("Command"):
        yield "entrypoint", shlex.join(container["Command"])
    texts = {"workdir": "Dir", "user": "User", "hostname": "Hostname", "stop-signal": "StopSignal"}
    texts["isolation"] = "Isolation"
    yield from ((flag, container[member]) for flag, member in texts.items() if container.get(member))
    switches = {"tty": "TTY", "read-only": "ReadOnly", "init": "Init"}
    yield from ((flag, "") for flag, member in switches.items() if container.get(member))
    if "StopGracePeriod" in container:
        yield "stop-grace-period", _seconds(container["StopGracePeriod"])
    dns = container.get("DNSConfig") or {}
    lists = {
        "group": container.get("Groups"),
        "cap-add": container.get("CapabilityAdd"),
        "cap-drop": container.get("CapabilityDrop"),
        "dns": dns.get("Nameservers"),
        "dns-search": dns.get("Search"),
        "dns-option": dns.get("Options"),
    }
    yield from ((flag, str(value)) for flag, values in lists.items() for value in values or ())
    for host in container.get("Hosts") or ():
        address, _, name = host.partition(" ")
        yield "host", f"{name}:{address}"
    yield from _pairs("sysctl", container.get("Sysctls"))
    for limit in container.get("Ulimits") or ():
        yield "ulimit", f"{limit['Name']}={limit['Soft']}:{limit['Hard']}"


def _health(check: Body) -> Iterator[Flag]:
    test = check.get("Test") or []
    if test[:1] == ["NONE"]:
        yield "no-healthcheck", ""
    elif test:
        yield "health-cmd", test[1] if test[0] == "CMD-SHELL" else shlex.join(test[1:])
    for flag, member in (("interval", "Interval"), ("timeout", "Timeout"), ("start-period", "StartPeriod")):
        if check.get(member):
            yield f"health-{flag}", _seconds(check[member])
    if check.get("Retries"):
        yield "health-retries", str(check["Retries"])


def _mount(mount: Body) -> str:
    found = [f"type={mount['Type']}", *([f"source={mount['Source']}"] if mount.get("Source") else [])]
    found += [f"target={mount['Target']}", *(["readonly"] if mount.get("ReadOnly") else [])]
    size = (mount.get("TmpfsOptions") or {}).get("SizeBytes")
    return ",".join((*found, *([f"tmpfs-size={size}"] if size else [])))


def _file(item: Body, kind: FileKind) -> str:
    file = item["File"]
    text = f"source={item[f'{kind.reference[:-1]}Name']},target={file['Name']}"
    return f"{text},uid={file['UID']},gid={file['GID']},mode={file['Mode']:04o}"


def _template(task: Body) -> Iterator[Flag]:
    resources, restart = task.get("Resources") or {}, task.get("RestartPolicy") or {}
    for flag, member in (("limit", "Limits"), ("reserve", "Reservations")):
        found = resources.get(member) or {}
        if found.get("NanoCPUs"):
            yield f"{flag}-cpu", f"{found['NanoCPUs'] / _NANO:g}"
        if found.get("MemoryBytes"):
            yield f"{flag}-memory", str(found["MemoryBytes"])
        if found.get("Pids"):
            yield f"{flag}-pids", str(found["Pids"])
    if restart.get("Condition"):
        yield "restart-condition", restart["Condition"]
    if restart.get("MaxAttempts"):
        yield "restart-max-attempts", str(restart["MaxAttempts"])
    for flag, member in (("delay", "Delay"), ("window", "Window")):
        if member in restart:
            yield f"restart-{flag}", _seconds(restart[member])
    yield from _placement(task.get("Placement") or {})
    for network in task.get("Networks") or ():
        aliases = [f"alias={alias}" for alias in network.get("Aliases") or ()]
        yield "network", ",".join((f"name={network['Target']}", *aliases)) if aliases else network["Target"]
    driver = task.get("LogDriver") or {}
    if driver.get("Name"):
        yield "log-driver", driver["Name"]
    yield from _pairs("log-opt", driver.get("Options"))


def _placement(placement: Body) -> Iterator[Flag]:
    for constraint in placement.get("Constraints") or ():
        yield "constraint", constraint
    for preference in placement.get("Preferences") or ():
        yield "placement-pref", f"spread={preference['Spread']['SpreadDescriptor']}"
    if placement.get("MaxReplicas"):
        yield "replicas-max-per-node", str(placement["MaxReplicas"])


def _update(prefix: str, config: Body) -> Iterator[Flag]:
    if "Parallelism" in config:
        yield f"{prefix}-parallelism", str(config["Parallelism"])
    for flag, member in (("order", "Order"), ("failure-action", "FailureAction")):
        if config.get(member):
            yield f"{prefix}-{flag}", config[member]
    for flag, member in (("delay", "Delay"), ("monitor", "Monitor")):
        if config.get(member):
            yield f"{prefix}-{flag}", _seconds(config[member])
    if config.get("MaxFailureRatio"):
        yield f"{prefix}-max-failure-ratio", f"{config['MaxFailureRatio']:g}"


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / _NANO:g}s"

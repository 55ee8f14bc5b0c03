"""What differs between the spec that a service has and the one that it should have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.deploys import names
from invoke_devstack.planning.plan import Body

_DEFAULTS: Mapping[str, Any] = {
    "TaskTemplate.Runtime": "container",
    "TaskTemplate.ContainerSpec.Isolation": "default",
    "TaskTemplate.RestartPolicy.Condition": "any",
    "EndpointSpec.Mode": "vip",
    "UpdateConfig.FailureAction": "pause",
    "RollbackConfig.FailureAction": "pause",
}
"""What the swarm fills in where nothing is said."""
_OF_THE_SWARM = ("TaskTemplate.ForceUpdate",)
"""What no file says."""
_WORDS: tuple[tuple[str, str], ...] = (
    ("TaskTemplate.ContainerSpec.Image", "image"),
    (f"TaskTemplate.ContainerSpec.Labels.{names.LOCAL_IMAGE}", "image"),
    (f"Labels.{names.IMAGE}", "image"),
    ("TaskTemplate.ContainerSpec.Env", "environment"),
    ("TaskTemplate.ContainerSpec.Args", "command"),
    ("TaskTemplate.ContainerSpec.Command", "entrypoint"),
    ("TaskTemplate.ContainerSpec.Dir", "working_dir"),
    ("TaskTemplate.ContainerSpec.Mounts", "volumes"),
    ("TaskTemplate.ContainerSpec.Hosts", "extra_hosts"),
    ("TaskTemplate.ContainerSpec.DNSConfig", "dns"),
    ("TaskTemplate.ContainerSpec.ReadOnly", "read_only"),
    ("TaskTemplate.ContainerSpec.StopGracePeriod", "stop_grace_period"),
    ("TaskTemplate.ContainerSpec.StopSignal", "stop_signal"),
    ("TaskTemplate.ContainerSpec.CapabilityAdd", "cap_add"),
    ("TaskTemplate.ContainerSpec.CapabilityDrop", "cap_drop"),
    ("TaskTemplate.ContainerSpec.TTY", "tty"),
    ("TaskTemplate.ContainerSpec.Groups", "group_add"),
    ("TaskTemplate.ContainerSpec", ""),  # the rest has the names of the file
    ("TaskTemplate.LogDriver", "logging"),
    ("TaskTemplate.RestartPolicy", "deploy.restart_policy"),
    ("TaskTemplate.Placement", "deploy.placement"),
    ("TaskTemplate.Resources", "deploy.resources"),
    ("TaskTemplate.Networks", "networks"),
    ("TaskTemplate.ForceUpdate", "forced update"),
    ("EndpointSpec.Ports", "ports"),
    ("EndpointSpec.Mode", "deploy.endpoint_mode"),
    ("Mode", "deploy.replicas"),
    ("UpdateConfig", "deploy.update_config"),
    ("RollbackConfig", "deploy.rollback_config"),
    ("Labels", "deploy.labels"),
)


def plain(spec: Body) -> dict[str, Any]:
    """The spec without what says nothing: empty values, defaults, and ids of what it names."""
    result = _plain(spec, "")
    return result if isinstance(result, dict) else {}


def _plain(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        kept = {key: _plain(item, f"{path}.{key}" if path else key) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ("", None, {}, [], 0, False)} or None
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[]") for item in value]
    if path.endswith(("[].SecretID", "[].ConfigID")) or path in _OF_THE_SWARM:
        return None
    return None if _DEFAULTS.get(path) == value else value


def changed_keys(found: Body, wanted: Body) -> tuple[str, ...]:
    """The keys of the Compose file in which they differ, such as `environment.DEBUG`."""
    return tuple(dict.fromkeys(_word(path) for path in changed_paths(found, wanted)))


def changed_paths(found: Body, wanted: Body) -> tuple[str, ...]:
    """The members of the spec in which they differ."""
    return tuple(dict.fromkeys(_paths(plain(found), plain(wanted), "")))


def recreates(paths: tuple[str, ...]) -> bool:
    """Whether the swarm replaces the tasks of a service for these members."""
    return any(path.startswith(("TaskTemplate.", "EndpointSpec.")) for path in paths)


def _paths(found: Any, wanted: Any, path: str) -> Iterator[str]:
    if found == wanted:
        return
    if path.endswith(".Env"):
        old, new = _variables(found), _variables(wanted)
        yield from (f"{path}.{name}" for name in {**old, **new} if old.get(name) != new.get(name))
    elif isinstance(found or {}, Mapping) and isinstance(wanted or {}, Mapping):
        old, new = found or {}, wanted or {}
        for key in {**old, **new}:
            yield from _paths(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    else:
        yield path


def _variables(lines: Any) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in lines or ()}


def _word(path: str) -> str:
    for prefix, word in _WORDS:
        if path == prefix:
            return word
        if path.startswith(f"{prefix}."):
            rest = path.removeprefix(f"{prefix}.")
            if not word:
                return rest.partition(".")[0].lower()
            return f"{word}.{rest}" if word in ("environment", "deploy.labels") else word
    return path


def cause_of(found: Body, wanted: Body) -> Cause | None:
    """Why a service is updated; None if it is as it should be."""
    keys = changed_keys(found, wanted)
    if not keys:
        return None
    if keys == ("image",):
        return Cause(CauseKind.IMAGE, _image_change(found, wanted), keys)
    kind = CauseKind.SCALE if keys == ("deploy.replicas",) else CauseKind.DEFINITION
    text = _scale_change(found, wanted) if kind is CauseKind.SCALE else f"changed: {', '.join(keys)}"
    return Cause(kind, text, keys)


def _image_change(found: Body, wanted: Body) -> str:
    old, new = (spec["TaskTemplate"]["ContainerSpec"]["Image"] for spec in (found, wanted))
    if old == new:
        return f"another image has the name {new}"
    return f"image {_short(old)} -> {_short(new)}"


def _short(image: str) -> str:
    name, _, digest = image.partition("@sha256:")
    return f"{name}@{digest[:8]}" if digest else name


def _scale_change(found: Body, wanted: Body) -> str:
    old, new = (replicas(spec) for spec in (found, wanted))
    return f"replicas {old} -> {new}"


def replicas(spec: Body) -> int | None:
    """How many tasks it asks for; None for one on each node."""
    mode = spec.get("Mode") or {}
    if "ReplicatedJob" in mode:
        return int((mode["ReplicatedJob"] or {}).get("TotalCompletions") or 0)
    if "Replicated" in mode:
        return int((mode["Replicated"] or {}).get("Replicas") or 0)
    return None


def mode_of(spec: Body) -> str:
    """Replicated, Global, ReplicatedJob or GlobalJob: what no update can change."""
    return next(iter(spec.get("Mode") or {}), "Replicated")


def is_job(spec: Body) -> bool:
    return mode_of(spec).endswith("Job")

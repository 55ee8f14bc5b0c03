"""What the files say and this engine does not do: named with its place, never dropped in silence.

What no container can be right without (`subpath` of a volume, `type: image`, `interface_name`) is an error
instead, where the container's body is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from invoke_devstack.planning.bodies.mounts import bind_needs_mount
from invoke_devstack.planning.host_files import HostFile, differs, is_copied
from invoke_devstack.planning.observed import EngineInfo

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Network, Service

SINGLE = "a single engine does not support it"

_Version = tuple[int, int]


def _gateway_priorities(service: Service) -> Iterator[str]:
    yield from (
        f"networks.{name}.gw_priority" for name, own in service.networks.items() if own and own.gw_priority
    )


def _recursive_mounts(service: Service) -> Iterator[str]:
    for index, mount in enumerate(service.volumes):
        if mount.bind and mount.bind.recursive in ("writable", "readonly"):
            yield f"volumes[{index}].bind.recursive"


def _annotations(service: Service) -> Iterator[str]:
    if service.annotations:
        yield "annotations"


_SERVICE_KEYS: tuple[tuple[_Version, Callable[[Service], Iterator[str]]], ...] = (
    ((1, 43), _annotations),
    ((1, 44), _recursive_mounts),
    ((1, 48), _gateway_priorities),
)
"""Since which API an engine carries out a key of a service."""
_IPV4 = (1, 48)  # `enable_ipv4` of a network


def ignored_notices(
    definition: Definition, engine: EngineInfo, host_files: Mapping[str, HostFile]
) -> tuple[str, ...]:
    """One sentence for each reason, with the keys and their places."""
    by_reason: dict[str, list[str]] = {}
    for key, why in ignored_keys(definition, engine, host_files).items():
        by_reason.setdefault(why, []).append(_with_place(definition, key))
    return tuple(f"ignored, since {why}: {', '.join(keys)}" for why, keys in by_reason.items())


def _with_place(definition: Definition, key: str) -> str:
    origin = definition.origins.get(key)
    return f"{key} ({origin.position.file.name}:{origin.position.line})" if origin else key


def ignored_keys(
    definition: Definition, engine: EngineInfo, host_files: Mapping[str, HostFile]
) -> dict[str, str]:
    """Dotted key -> why it has no effect."""
    found = dict.fromkeys(definition.not_carried_out, SINGLE)
    too_old = f"{engine.name} {engine.version} does not support it"
    for name, service in definition.services.items():
        for since, keys in _SERVICE_KEYS:
            if engine.api < since:
                found |= dict.fromkeys((f"services.{name}.{key}" for key in keys(service)), too_old)
        found |= dict(_mounted_files(definition, service, host_files))
        found |= dict(_build_keys(service)) | dict(_relabelled_mounts(service))
    for name, network in definition.networks.items():
        if engine.api < _IPV4 and _refuses_ipv4(network):
            found[f"networks.{name}.enable_ipv4"] = too_old
    return found


def _refuses_ipv4(network: Network) -> bool:
    return network.enable_ipv4 is False and not network.external


def _build_keys(service: Service) -> Iterator[tuple[str, str]]:
    build, place = service.build, f"services.{service.name}.build"
    if build is None:
        return
    for key, value in (("provenance", build.provenance), ("sbom", build.sbom)):
        if value not in (None, "false"):
            yield f"{place}.{key}", "the image of a local build has no attestations"
    for index, secret in enumerate(build.secrets):
        if secret.uid or secret.gid or secret.mode:
            why = "`RUN --mount=type=secret` sets the owner and mode of a build's secret"
            yield f"{place}.secrets[{index}]", why


def _relabelled_mounts(service: Service) -> Iterator[tuple[str, str]]:
    for index, mount in enumerate(service.volumes):
        if mount.bind and mount.bind.selinux and bind_needs_mount(mount.bind):
            why = (
                "an engine relabels only with `create_host_path: true`, without `propagation` and `recursive`"
            )
            yield f"services.{service.name}.volumes[{index}].bind.selinux", why


def _mounted_files(
    definition: Definition, service: Service, host_files: Mapping[str, HostFile]
) -> Iterator[tuple[str, str]]:
    """References whose owner and mode cannot be had, since their file is mounted."""
    for kind, references, known in (
        ("secrets", service.secrets, definition.secrets),
        ("configs", service.configs, definition.configs),
    ):
        for index, reference in enumerate(references):
            object_ = known.get(reference.source)
            file = host_files.get(object_.file or "") if object_ else None
            if file and file.exists and differs(reference, file) and not is_copied(reference, service, file):
                why = "the container is `read_only`" if service.read_only else "the file cannot be copied"
                why += ", so `uid`, `gid` and `mode` have no effect"
                yield f"services.{service.name}.{kind}[{index}]", why

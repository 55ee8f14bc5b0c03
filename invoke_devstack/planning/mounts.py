"""A service's volumes, secrets and configs -> `Binds`, `Mounts` and injected files of the Engine API.

Compose uses the older `Binds` wherever they can say the same, because only they make a host
directory that is not there; `docker inspect` shows the difference, so the same choice is made here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DefinitionError, EngineError
from invoke_devstack.planning.observed import EngineInfo, ObservedContainer, ObservedImage
from invoke_devstack.planning.plan import InjectedFile
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import (
        BindOptions,
        Definition,
        FileObject,
        FileReference,
        Mount,
        Service,
        VolumeOptions,
    )

_SECRETS_DIRECTORY = "/run/secrets/"
_IMAGE_MOUNTS = (1, 48)


@record
class Mounts:
    """What a container's file system is made of, beside its image. `tmpfs` is path -> options."""

    binds: tuple[str, ...] = ()
    mounts: tuple[dict[str, Any], ...] = ()
    tmpfs: tuple[tuple[str, str], ...] = ()


def container_mounts(
    definition: Definition,
    service: Service,
    engine: EngineInfo,
    *,
    replaces: ObservedContainer | None = None,
    image: ObservedImage | None = None,
) -> Mounts:
    """All mounts of a container of `service`. With `replaces`, that container's anonymous volumes are
    taken over. Raises EngineError for a mount that the engine is too old for."""
    inherited = inherited_volumes(service, replaces, image) if replaces else {}
    binds: list[str] = []
    mounts: dict[str, dict[str, Any]] = {}
    for mount in service.volumes:
        target = mount.target or ""
        if target in inherited and not mount.source:
            continue
        bind = _bind(definition, mount)
        if bind:
            binds.append(bind)
        else:
            mounts[target] = _mount(definition, mount, engine)
    taken = {mount.target for mount in service.volumes}
    for target, mount_body in _file_mounts(definition, service):
        if target not in taken:
            mounts.setdefault(target, mount_body)
    for target, name in inherited.items():
        mounts.setdefault(target, {"Type": "volume", "Source": name, "Target": target})
    tmpfs = tuple((path, options) for path, _, options in (entry.partition(":") for entry in service.tmpfs))
    return Mounts(tuple(binds), tuple(mounts.values()), tmpfs)


def inherited_volumes(
    service: Service, replaced: ObservedContainer, image: ObservedImage | None
) -> dict[str, str]:
    """Path -> name of each anonymous volume of `replaced` that its successor takes over: those of the
    image's VOLUME instructions, and those that the service mounts without a source."""
    anonymous = {mount.target for mount in service.volumes if mount.type == "volume" and not mount.source}
    named = {mount.target for mount in service.volumes} - anonymous
    wanted = (anonymous | set(image.volumes if image else ())) - named
    return {
        mount.target: mount.name
        for mount in replaced.mounts
        if mount.type == "volume" and mount.name and mount.target in wanted
    }


def _bind(definition: Definition, mount: Mount) -> str:
    """The mount as a line of `Binds`, or "" where only `Mounts` can say it."""
    if mount.type == "bind" and not _bind_needs_mount(mount.bind):
        return _bind_line(mount.source or "", mount)
    if mount.type == "volume" and mount.source and not _volume_needs_mount(mount.volume):
        return _bind_line(volume_name(definition, mount.source), mount)
    return ""


def _bind_line(source: str, mount: Mount) -> str:
    options = ["ro" if mount.read_only else "rw"]
    if mount.bind and mount.bind.selinux:
        options.append(mount.bind.selinux)
    return f"{source}:{mount.target}:{','.join(options)}"


def _bind_needs_mount(bind: BindOptions | None) -> bool:
    return bind is not None and bool(not bind.create_host_path or bind.propagation or bind.recursive)


def _volume_needs_mount(volume: VolumeOptions | None) -> bool:
    return volume is not None and bool(volume.labels or volume.subpath or volume.nocopy)


def volume_name(definition: Definition, key: str) -> str:
    """What the engine calls the volume that the definition calls `key`."""
    volume = definition.volumes.get(key)
    return volume.name if volume else key


def _mount(definition: Definition, mount: Mount, engine: EngineInfo) -> dict[str, Any]:
    if mount.type == "image" and engine.api < _IMAGE_MOUNTS:
        raise EngineError(
            f"an image cannot be mounted at {mount.target}: the engine is {engine.version}",
            hint="`type: image` needs Docker Engine 28 or later.",
        )
    body: dict[str, Any] = {"Type": mount.type, "Target": mount.target}
    source = (
        volume_name(definition, mount.source) if mount.type == "volume" and mount.source else mount.source
    )
    if source:
        body["Source"] = source
    if mount.read_only:
        body["ReadOnly"] = True
    if mount.consistency:
        body["Consistency"] = mount.consistency
    return body | _mount_options(mount)


def _mount_options(mount: Mount) -> dict[str, Any]:
    if mount.type == "bind" and mount.bind is not None:
        return {"BindOptions": _bind_options(mount.bind)}
    if mount.type == "volume" and mount.volume is not None:
        return {"VolumeOptions": _volume_options(mount.volume)}
    if mount.type == "tmpfs" and mount.tmpfs is not None:
        size, mode = mount.tmpfs.size, mount.tmpfs.mode
        return {
            "TmpfsOptions": {} | ({"SizeBytes": int(size)} if size else {}) | ({"Mode": mode} if mode else {})
        }
    if mount.type == "image" and mount.image is not None:
        return {"ImageOptions": {"Subpath": mount.image.subpath} if mount.image.subpath else {}}
    return {}


def _bind_options(bind: BindOptions) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if bind.propagation:
        options["Propagation"] = bind.propagation
    if bind.create_host_path:
        options["CreateMountpoint"] = True
    recursive = {
        "disabled": "NonRecursive",
        "writable": "ReadOnlyNonRecursive",
        "readonly": "ReadOnlyForceRecursive",
    }
    if bind.recursive in recursive:
        options[recursive[bind.recursive]] = True
    return options


def _volume_options(volume: VolumeOptions) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if volume.nocopy:
        options["NoCopy"] = True
    if volume.labels:
        options["Labels"] = dict(volume.labels)
    if volume.subpath:
        options["Subpath"] = volume.subpath
    return options


def _file_mounts(definition: Definition, service: Service) -> Iterator[tuple[str, dict[str, Any]]]:
    """Secrets and configs that are files of the host, each as a read-only bind mount."""
    for reference in service.secrets:
        secret = _file_object(definition.secrets.get(reference.source), "secret", reference.source)
        if secret.file is not None:
            target = secret_target(reference)
            yield target, _file_mount(secret.file, target) | {"BindOptions": {}}
    for reference in service.configs:
        config = _file_object(definition.configs.get(reference.source), "config", reference.source)
        if config.file is not None:
            target = config_target(reference)
            yield target, _file_mount(config.file, target)


def _file_mount(source: str, target: str) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True}


def _file_object(found: FileObject | None, kind: str, name: str) -> FileObject:
    """Secrets and configs of a swarm cannot be had on a single engine."""
    if found is None:
        raise DefinitionError(f"the {kind} `{name}` is not declared", hint=f"Add it under `{kind}s:`.")
    if found.external or found.driver or found.template_driver:
        raise DefinitionError(
            f"the {kind} `{name}` is kept by a swarm or a driver, which a single engine cannot ask",
            hint=f"Give it a `file`, `environment` or `content` under `{kind}s:`, in an override if need be.",
        )
    return found


def secret_target(reference: FileReference) -> str:
    """Where a secret is in the container. Compose Specification, "secrets", long syntax."""
    target = reference.target or reference.source
    return target if _is_absolute(target) else _SECRETS_DIRECTORY + target


def config_target(reference: FileReference) -> str:
    """Where a config is in the container. Compose Specification, "configs", long syntax."""
    target = reference.target or reference.source
    return target if _is_absolute(target) else f"/{target}"


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\\\")) or path[1:3] in (":\\", ":/")


def injected_files(definition: Definition, service: Service) -> tuple[InjectedFile, ...]:
    """Secrets and configs whose content is in the definition or in a variable, to be written into the
    container before it starts. Raises DefinitionError where the container's file system is read-only."""
    files: list[InjectedFile] = []
    for reference in service.secrets:
        secret = _file_object(definition.secrets.get(reference.source), "secret", reference.source)
        if secret.content:
            files.append(_injected(reference, secret_target(reference), secret.content, secret=True))
    for reference in service.configs:
        config = _file_object(definition.configs.get(reference.source), "config", reference.source)
        if config.content:
            files.append(_injected(reference, config_target(reference), config.content))
    if files and service.read_only:
        raise DefinitionError(
            f"{files[0].path} cannot be written into `{service.name}`, whose file system is `read_only`",
            hint="Use `file:` for that secret or config: a file is mounted, which `read_only` allows.",
        )
    return tuple(files)


def _injected(reference: FileReference, path: str, content: str, *, secret: bool = False) -> InjectedFile:
    mode = int(reference.mode, 8) if reference.mode else 0o444
    uid, gid = _number(reference.uid), _number(reference.gid)
    return InjectedFile(path, content.encode(), mode, uid, gid, secret)


def _number(text: str | None) -> int:
    """An owner's number. Compose takes numbers alone, names being the container's affair."""
    if not text:
        return 0
    if not text.isdecimal():
        raise DefinitionError(
            f"`{text}` is no number of a user or group", hint='Give `uid` and `gid` as numbers: "1000".'
        )
    return int(text)

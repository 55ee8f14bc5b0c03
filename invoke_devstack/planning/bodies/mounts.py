"""Volumes, secrets and configs: the body that creates a volume, and a container's `Binds` and `Mounts`.

Compose uses the older `Binds` where they can express the same, because only they create a missing host
directory. `docker inspect` shows the difference, so this module makes the same choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DefinitionError, EngineError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.anonymous_volumes import AnonymousVolumes, clean
from invoke_devstack.planning.bodies.hashes import volume_hash
from invoke_devstack.planning.bodies.plain_keys import filled
from invoke_devstack.planning.host_files import HostFile, id_number, is_copied, require_host_file
from invoke_devstack.planning.names import is_absolute, secret_target
from invoke_devstack.planning.observed import EngineInfo, ObservedImage
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
        Volume,
        VolumeOptions,
    )

_IMAGE_MOUNTS = (1, 48)
_SUBPATHS = (1, 45)


@record
class Mounts:
    """A container's mounts. `tmpfs` are pairs of path and options."""

    binds: tuple[str, ...] = ()
    mounts: tuple[dict[str, Any], ...] = ()
    tmpfs: tuple[tuple[str, str], ...] = ()


def container_mounts(
    definition: Definition,
    service: Service,
    engine: EngineInfo,
    host_files: Mapping[str, HostFile],
    *,
    anonymous: AnonymousVolumes | None = None,
    image: ObservedImage | None = None,
) -> Mounts:
    """All mounts of a container of `service`, with its `anonymous` volumes (None: the engine creates them
    without labels). Raises EngineError for a mount that the engine is too old for."""
    binds: list[str] = []
    mounts: dict[str, dict[str, Any]] = {}
    for index, mount in enumerate(service.volumes):
        _check_target(definition, service, index, engine)
        bind = _bind(definition, mount)
        if bind:
            binds.append(bind)
        else:
            mounts[clean(mount.target)] = _mount(definition, mount, engine, anonymous)
    taken = {clean(mount.target) for mount in service.volumes}
    for target, mount_body in _file_mounts(definition, service, host_files):
        if clean(target) not in taken:
            mounts.setdefault(clean(target), mount_body)
    tmpfs = tuple((path, options) for path, _, options in (entry.partition(":") for entry in service.tmpfs))
    if anonymous and image:
        taken |= {*mounts, *(clean(path) for path, _ in tmpfs)}
        mounts |= {item["Target"]: item for item in anonymous.image_mounts(image.volumes, taken)}
    return Mounts(tuple(binds), tuple(mounts.values()), tmpfs)


def _check_target(definition: Definition, service: Service, index: int, engine: EngineInfo) -> None:
    target = service.volumes[index].target or ""
    if engine.os == "windows" or target.startswith("/"):
        return
    origin = definition.origins.get(f"services.{service.name}.volumes[{index}]")
    drive, _, path = target.partition(":")
    hint = "Write the path in the container from its root: `/…`."
    if len(drive) == 1 and path:
        hint = (
            f"`{drive}:` is read as a Windows drive. Call the volume by a longer name, or write "
            f"`{{type: volume, source: {drive}, target: {path}}}`."
        )
    raise DefinitionError(
        f"`{service.name}` mounts a volume at `{target}`, which is not an absolute path",
        hint=hint,
        position=origin.position if origin else None,
    )


def _bind(definition: Definition, mount: Mount) -> str:
    """The mount as an entry of `Binds`, or "" where only `Mounts` can express it."""
    if mount.type == "bind" and not bind_needs_mount(mount.bind):
        return _bind_line(mount.source or "", mount)
    if mount.type == "volume" and mount.source and not _volume_needs_mount(mount.volume):
        return _bind_line(volume_name(definition, mount.source), mount)
    return ""


def _bind_line(source: str, mount: Mount) -> str:
    options = ["ro" if mount.read_only else "rw"]
    if mount.bind and mount.bind.selinux:
        options.append(mount.bind.selinux)
    return f"{source}:{mount.target}:{','.join(options)}"


def bind_needs_mount(bind: BindOptions | None) -> bool:
    """Whether only `Mounts` can express it."""
    return bind is not None and bool(not bind.create_host_path or bind.propagation or bind.recursive)


def _volume_needs_mount(volume: VolumeOptions | None) -> bool:
    return volume is not None and bool(volume.labels or volume.subpath or volume.nocopy)


def volume_name(definition: Definition, key: str) -> str:
    """The name on the engine of the volume `key` of the definition."""
    volume = definition.volumes.get(key)
    return volume.name if volume else key


def volume_body(definition: Definition, key: str, volume: Volume) -> dict[str, Any]:
    """The body of `POST /volumes/create`."""
    own = dict(volume.labels) | {
        labels.VOLUME: key,
        labels.PROJECT: definition.name,
        labels.VERSION: labels.COMPOSE_VERSION,
        labels.CONFIG_HASH: volume_hash(volume),
        labels.DIRECTORY: str(definition.working_dir),
    }
    optional = {"Driver": volume.driver, "DriverOpts": dict(volume.driver_opts)}
    return {"Name": volume.name, "Labels": own} | filled(optional)


def _mount(
    definition: Definition, mount: Mount, engine: EngineInfo, anonymous: AnonymousVolumes | None
) -> dict[str, Any]:
    if mount.type == "image" and engine.api < _IMAGE_MOUNTS:
        raise EngineError(
            f"{engine.name} {engine.version} cannot mount an image (at {mount.target})",
            hint="Upgrade to Docker Engine 28 or later, or remove the volume of `type: image`.",
        )
    if mount.volume and mount.volume.subpath and engine.api < _SUBPATHS:
        raise EngineError(
            f"{engine.name} {engine.version} cannot mount a `subpath` of a volume (at {mount.target}); it "
            f"would mount the whole volume",
            hint="Upgrade to Docker Engine 26 or later, or remove `subpath`.",
        )
    named = mount.type == "volume" and mount.source
    optional = {
        "Source": volume_name(definition, mount.source) if named and mount.source else mount.source,
        "ReadOnly": mount.read_only,
        "Consistency": mount.consistency,
    }
    body = {"Type": mount.type, "Target": mount.target} | filled(optional) | _mount_options(mount)
    if mount.type == "volume" and not mount.source and anonymous:
        return _with_place(body, anonymous.mount(clean(mount.target)))
    return body


def _with_place(body: dict[str, Any], anonymous: dict[str, Any]) -> dict[str, Any]:
    """The mount that the definition declares, of the volume that belongs there."""
    options = {**anonymous["VolumeOptions"], **body.get("VolumeOptions", {})}
    options["Labels"] = {**options["Labels"], **anonymous["VolumeOptions"]["Labels"]}
    return {**anonymous, **body, "VolumeOptions": options}


def _mount_options(mount: Mount) -> dict[str, Any]:
    if mount.type == "bind" and mount.bind is not None:
        return {"BindOptions": _bind_options(mount.bind)}
    if mount.type == "volume" and mount.volume is not None:
        volume = mount.volume
        options = {"NoCopy": volume.nocopy, "Labels": dict(volume.labels), "Subpath": volume.subpath}
        return {"VolumeOptions": filled(options)}
    if mount.type == "tmpfs" and mount.tmpfs is not None:
        return {"TmpfsOptions": filled({"SizeBytes": int(mount.tmpfs.size or 0), "Mode": mount.tmpfs.mode})}
    if mount.type == "image" and mount.image is not None:
        return {"ImageOptions": filled({"Subpath": mount.image.subpath})}
    return {}


_RECURSIVE = {
    "disabled": "NonRecursive",
    "writable": "ReadOnlyNonRecursive",
    "readonly": "ReadOnlyForceRecursive",
}


def _bind_options(bind: BindOptions) -> dict[str, Any]:
    options = filled({"Propagation": bind.propagation, "CreateMountpoint": bind.create_host_path})
    return options | ({_RECURSIVE[bind.recursive]: True} if bind.recursive in _RECURSIVE else {})


def _file_mounts(
    definition: Definition, service: Service, host_files: Mapping[str, HostFile]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Secrets and configs from files on the host, each as a read-only bind mount, unless it is copied. Raises
    DefinitionError for a file that does not exist."""
    for reference in service.secrets:
        secret = _file_object(definition.secrets.get(reference.source), "secret", reference.source)
        if secret.file is not None and not _copy_of(secret.file, reference, service, host_files):
            require_host_file(definition, "secret", reference.source, host_files)
            target = secret_target(reference)
            yield target, _file_mount(secret.file, target) | {"BindOptions": {}}
    for reference in service.configs:
        config = _file_object(definition.configs.get(reference.source), "config", reference.source)
        if config.file is not None and not _copy_of(config.file, reference, service, host_files):
            require_host_file(definition, "config", reference.source, host_files)
            target = config_target(reference)
            yield target, _file_mount(config.file, target)


def _copy_of(
    path: str | None, reference: FileReference, service: Service, host_files: Mapping[str, HostFile]
) -> HostFile | None:
    """The file, if it must be copied into the container to have the owner and mode of the reference."""
    file = host_files.get(path or "")
    return file if file and is_copied(reference, service, file) else None


def _file_mount(source: str, target: str) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True}


def _file_object(found: FileObject | None, kind: str, name: str) -> FileObject:
    """Raises DefinitionError for one that only a swarm has."""
    if found is None:
        raise DefinitionError(f"{kind} `{name}` is not declared", hint=f"Add it under `{kind}s:`.")
    if found.external or found.driver or found.template_driver:
        raise DefinitionError(
            f"{kind} `{name}` comes from a swarm or a driver, which a single engine does not support",
            hint=f"Set `file`, `environment` or `content` in `{kind}s.{name}`.",
        )
    return found


def config_target(reference: FileReference) -> str:
    """The path of a config in the container. Compose Specification, "configs", long syntax."""
    target = reference.target or reference.source
    return target if is_absolute(target) else f"/{target}"


def injected_files(
    definition: Definition, service: Service, host_files: Mapping[str, HostFile]
) -> tuple[InjectedFile, ...]:
    """Secrets and configs that are written into the container before it starts: those with inline content,
    and those whose file on the host has another owner or mode. Raises DefinitionError if the container's
    file system is read-only."""
    files: list[InjectedFile] = []
    for reference in service.secrets:
        secret = _file_object(definition.secrets.get(reference.source), "secret", reference.source)
        if content := _content(secret, reference, service, host_files):
            files.append(_injected(reference, secret_target(reference), content, secret=True))
    for reference in service.configs:
        config = _file_object(definition.configs.get(reference.source), "config", reference.source)
        if content := _content(config, reference, service, host_files):
            files.append(_injected(reference, config_target(reference), content))
    if files and service.read_only:
        raise DefinitionError(
            f"cannot write {files[0].path} into `{service.name}`, because it is `read_only`",
            hint="Use `file:` for that secret or config: it is then mounted, which `read_only` allows.",
        )
    return tuple(files)


def _content(
    found: FileObject, reference: FileReference, service: Service, host_files: Mapping[str, HostFile]
) -> bytes | None:
    copied = _copy_of(found.file, reference, service, host_files)
    return copied.content if copied else (found.content or "").encode()


def _injected(reference: FileReference, path: str, content: bytes, *, secret: bool = False) -> InjectedFile:
    mode = int(reference.mode, 8) if reference.mode else 0o444
    uid, gid = id_number(reference.uid) or 0, id_number(reference.gid) or 0
    return InjectedFile(path, content, mode, uid, gid, secret)

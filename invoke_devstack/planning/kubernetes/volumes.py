"""A pod's volumes: claims, files of Secrets and ConfigMaps, memory, and directories of the node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from invoke_devstack.definition.model import Definition, FileObject, FileReference, Mount, Service
from invoke_devstack.planning.kubernetes.containers import Manifest, filled
from invoke_devstack.planning.kubernetes.names import dns_name, is_annotation
from invoke_devstack.records import record

_CLAIM_SIZE = "1Gi"


@record
class PodVolume:
    """A volume of a pod, and where its container mounts it."""

    volume: Manifest
    mount: Manifest


def pod_volumes(service: Service, definition: Definition) -> list[PodVolume]:
    """Everything that a service in its deploy form mounts."""
    found = [_mount(item, number, definition) for number, item in enumerate(service.volumes, 1)]
    found += _references("secret", service.secrets, definition)
    found += _references("configMap", service.configs, definition)
    return found


def unique(volumes: list[PodVolume]) -> list[Manifest]:
    """The volumes, each once: a pod may mount one at two places."""
    return list({item.volume["name"]: item.volume for item in volumes}.values())


def _mount(item: Mount, number: int, definition: Definition) -> PodVolume:
    if item.type == "bind":
        return _at(item, {"name": f"host-{number}", "hostPath": {"path": item.source}})
    if item.type == "tmpfs":
        size = str(int(item.tmpfs.size)) if item.tmpfs and item.tmpfs.size else None
        return _at(
            item, {"name": f"memory-{number}", "emptyDir": filled({"medium": "Memory", "sizeLimit": size})}
        )
    if item.type == "image":
        image = {"reference": item.source, "pullPolicy": "IfNotPresent"}
        return _at(
            item, {"name": f"image-{number}", "image": image}, item.image.subpath if item.image else None
        )
    if not item.source:
        return _at(item, {"name": f"empty-{number}", "emptyDir": {}})
    claim = {"claimName": claim_name(item.source, definition)}
    subpath = item.volume.subpath if item.volume else None
    return _at(item, {"name": f"data-{dns_name(item.source)}"[:63], "persistentVolumeClaim": claim}, subpath)


def _at(item: Mount, volume: Manifest, subpath: str | None = None) -> PodVolume:
    mount = {"name": volume["name"], "mountPath": item.target, "subPath": subpath, "readOnly": item.read_only}
    return PodVolume(volume, filled(mount))


def _references(
    kind: str, references: tuple[FileReference, ...], definition: Definition
) -> Iterator[PodVolume]:
    known = definition.secrets if kind == "secret" else definition.configs
    for reference in references:
        own = known.get(reference.source)
        name = object_name(reference.source, own)
        mode = int(reference.mode, 8) if reference.mode else None
        source = {"secretName" if kind == "secret" else "name": name, **filled({"defaultMode": mode})}
        volume = {"name": f"{kind.lower()}-{dns_name(reference.source)}"[:63], kind: source}
        target = reference.target or f"/{reference.source}"
        if kind == "secret" and not target.startswith("/"):
            target = f"/run/secrets/{target}"
        key = file_key(reference.source)
        yield PodVolume(
            volume, {"name": volume["name"], "mountPath": target, "subPath": key, "readOnly": True}
        )


def object_name(key: str, own: FileObject | None) -> str:
    """What the Secret or ConfigMap is called; an external one by its own name."""
    return dns_name(own.name if own and own.external and own.name else key)


def file_key(key: str) -> str:
    """The name of the only file in a Secret or ConfigMap."""
    return dns_name(key)


def claim_name(key: str, definition: Definition) -> str:
    own = definition.volumes.get(key)
    return dns_name(own.name if own and own.external and own.name else key)


def claims(definition: Definition, shared: frozenset[str]) -> Iterator[Manifest]:
    """A claim for each volume that is not external; those in `shared` are mounted by several pods."""
    for key, volume in definition.volumes.items():
        if volume.external:
            continue
        annotations = {name: value for name, value in volume.labels.items() if is_annotation(name)}
        spec: dict[str, Any] = {
            "accessModes": ["ReadWriteMany" if key in shared else "ReadWriteOnce"],
            "resources": {"requests": {"storage": _CLAIM_SIZE}},
        }
        metadata = filled({"name": claim_name(key, definition), "annotations": annotations})
        yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}

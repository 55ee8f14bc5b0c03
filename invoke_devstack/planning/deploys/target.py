"""What a stack on a swarm should be: from the definition, or as it was at an earlier deploy."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning.bodies.plain_keys import filled
from invoke_devstack.planning.deploys import names
from invoke_devstack.planning.deploys.observed import ObservedStack, network_body
from invoke_devstack.planning.deploys.service_spec import ImagePin, References, service_spec
from invoke_devstack.planning.graph import dependencies
from invoke_devstack.planning.plan import Body
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, FileObject, Network

FORMAT = 1
COMPLETED = "service_completed_successfully"


class FileKind(StrEnum):
    """As the swarm's API calls them."""

    CONFIG = "configs"
    SECRET = "secrets"

    @property
    def reference(self) -> str:
        """The member of a container's spec that lists them; without its last letter, that of their names."""
        return self.value.capitalize()


@record
class WantedFile:
    """A config or secret that a service mounts. `content` None: it is there already."""

    kind: FileKind
    name: str
    key: str = ""
    content: bytes | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@record
class Target:
    """`services` are specs by the names in the Compose file. `needs` is service -> dependency -> condition.
    `networks` are the bodies of those that belong to the stack, by name."""

    stack: str
    services: Mapping[str, Body]
    needs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    networks: Mapping[str, Body] = field(default_factory=dict)
    files: tuple[WantedFile, ...] = ()

    def to_bytes(self) -> bytes:
        """As it is kept in the swarm, to come back to. What configs and secrets hold is not in it."""
        value = {
            "format": FORMAT,
            "services": self.services,
            "needs": self.needs,
            "networks": self.networks,
            "files": [[item.kind, item.name] for item in self.files],
        }
        return gzip.compress(json.dumps(value, sort_keys=True).encode(), mtime=0)

    @classmethod
    def from_bytes(cls, stack: str, content: bytes) -> Target:
        """Raises ValueError for what is none."""
        try:
            value = json.loads(gzip.decompress(content))
            files = tuple(WantedFile(FileKind(kind), name) for kind, name in value["files"])
            return cls(stack, value["services"], value["needs"], value["networks"], files)
        except (OSError, EOFError, LookupError, TypeError) as error:
            raise ValueError(f"it is no revision: {error}") from error


def target_of(
    definition: Definition,
    observed: ObservedStack,
    contents: Mapping[tuple[FileKind, str], bytes],
    images: Mapping[str, ImagePin],
    holds: Callable[[Body, bytes], bool],
) -> Target:
    """The target that the definition describes. `contents` are those of configs and secrets by kind and key;
    `holds` tells whether a secret of the swarm has a content."""
    networks = {
        key: _network_name(definition, key, item, observed) for key, item in definition.networks.items()
    }
    files = [
        _file(
            FileKind.CONFIG,
            key,
            item,
            contents,
            observed,
            lambda found, content: found_data(found) == content,
        )
        for key, item in definition.configs.items()
    ]
    files += [
        _file(FileKind.SECRET, key, item, contents, observed, holds)
        for key, item in _mounted_secrets(definition).items()
    ]
    by_key = {kind: {item.key: item.name for item in files if item.kind is kind} for kind in FileKind}
    references = References(networks, by_key[FileKind.CONFIG], by_key[FileKind.SECRET], images)
    services = {
        name: service_spec(definition, item, references) for name, item in definition.services.items()
    }
    return Target(
        definition.name,
        {name: _keeping_local_image(spec, observed.services.get(name)) for name, spec in services.items()},
        {
            name: {
                other: item.depends_on[other].condition if other in item.depends_on else "service_started"
                for other in dependencies(item)
                if other in definition.services
            }
            for name, item in definition.services.items()
        },
        {
            networks[key]: {**wanted_network(definition.name, item), "Name": networks[key]}
            for key, item in definition.networks.items()
            if not item.external and networks[key] not in ("host", "none")
        },
        tuple(files),
    )


def _mounted_secrets(definition: Definition) -> dict[str, FileObject]:
    """Without those of builds alone."""
    used = {item.source for service in definition.services.values() for item in service.secrets}
    return {key: item for key, item in definition.secrets.items() if key in used}


def _file(
    kind: FileKind,
    key: str,
    item: FileObject,
    contents: Mapping[tuple[FileKind, str], bytes],
    observed: ObservedStack,
    holds: Callable[[Body, bytes], bool],
) -> WantedFile:
    """Under the name that it has, if that holds the same: `docker stack` has no hashes in names."""
    if item.external:
        return WantedFile(kind, item.name, key)
    content = contents[kind, key]
    there = observed.files[kind].get(item.name)
    is_same = there is not None and _belongs(there, observed.stack) and holds(there, content)
    name = item.name if is_same else names.hashed_name(item.name, content)
    labels = {**item.labels, names.STACK: observed.stack, names.KEY: key}
    return WantedFile(kind, name, key, content, labels)


def found_data(found: Body) -> bytes:
    """What a config holds."""
    import base64

    return base64.b64decode(found["Spec"].get("Data") or "")


def _belongs(found: Body, stack: str) -> bool:
    return bool((found["Spec"].get("Labels") or {}).get(names.STACK) == stack)


def wanted_network(stack: str, network: Network) -> dict[str, Any]:
    """The body of `POST /networks/create`, without its name."""
    pools = [
        filled({"Subnet": pool.subnet, "Gateway": pool.gateway, "IPRange": pool.ip_range})
        for pool in network.ipam.config
    ]
    return filled(
        {
            "Driver": network.driver or "overlay",
            "Options": dict(network.driver_opts),
            "Internal": network.internal,
            "Attachable": network.attachable,
            "EnableIPv6": bool(network.enable_ipv6),
            "IPAM": filled({"Driver": network.ipam.driver, "Config": pools}),
            "Labels": {**network.labels, names.STACK: stack},
        }
    )


def _network_name(definition: Definition, key: str, network: Network, observed: ObservedStack) -> str:
    """A network cannot be changed: where it is another one, the new one has another name."""
    if network.external:
        return network.name
    wanted = wanted_network(definition.name, network)
    content = json.dumps(wanted, sort_keys=True).encode()
    there = observed.networks.get(network.name)
    if there is None or is_same_network(there, wanted):
        return network.name
    return names.hashed_name(network.name, content)


def is_same_network(found: Body, wanted: Body) -> bool:
    """Whether a network is as wanted. What the file leaves open, the swarm has filled in."""
    own = network_body(found)
    if "IPAM" not in wanted:
        own.pop("IPAM", None)
    return own == {key: value for key, value in wanted.items() if key != "Name"}


def _keeping_local_image(spec: dict[str, Any], found: Body | None) -> dict[str, Any]:
    """Of a service that `docker stack` made, nobody knows which local image it has: it stays as it is."""
    container = spec["TaskTemplate"]["ContainerSpec"]
    theirs = found["Spec"]["TaskTemplate"]["ContainerSpec"] if found else {}
    same = theirs.get("Image") == container["Image"]
    if (
        same
        and names.LOCAL_IMAGE in container["Labels"]
        and names.LOCAL_IMAGE not in (theirs.get("Labels") or {})
    ):
        del container["Labels"][names.LOCAL_IMAGE]
    return spec


def target_as_observed(
    observed: ObservedStack, needs: Mapping[str, Mapping[str, str]] | None = None
) -> Target:
    """What is there now, to come back to."""
    specs = {name: dict(found["Spec"]) for name, found in observed.services.items()}
    used = {item for spec in specs.values() for item in files_of(spec)}
    joined = {
        item["Target"] for spec in specs.values() for item in spec["TaskTemplate"].get("Networks") or ()
    }
    networks = {
        name: {**network_body(found), "Name": name}
        for name, found in observed.networks.items()
        if name in joined and (found.get("Labels") or {}).get(names.STACK) == observed.stack
    }
    files = tuple(WantedFile(kind, name) for kind, name in sorted(used))
    return Target(observed.stack, specs, needs or {}, networks, files)


def files_of(spec: Body) -> Iterable[tuple[FileKind, str]]:
    """The configs and secrets that a service mounts."""
    container = spec["TaskTemplate"]["ContainerSpec"]
    for kind in FileKind:
        for item in container.get(kind.reference) or ():
            yield kind, str(item[f"{kind.reference[:-1]}Name"])

"""What becomes of keys whose value decides it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

from invoke_devstack.definition.attributes.given import Given
from invoke_devstack.definition.attributes.mounts import TmpfsOptions
from invoke_devstack.definition.model import Bytes, Definition, Mount, Service, Volume
from invoke_devstack.definition.syntax.units import parse_size
from invoke_devstack.planning.preflight.fates import Remark, Scene
from invoke_devstack.planning.preflight.findings import FindingKind, Level

RESTART_CONDITIONS = {"no": "none", "always": "any", "unless-stopped": "any", "on-failure": "on-failure"}
"""`restart` -> `deploy.restart_policy.condition`."""
MODES = ("replicated", "global", "replicated-job", "global-job")
_ONE_NODE = re.compile(r"\s*node\.(id|hostname)\s*==")
_SHARED = ("nfs", "nfs4", "cifs", "glusterfs", "ceph")
_PRIVILEGE_API = (1, 46)
_PIN = "deploy: {placement: {constraints: [node.hostname == NODE]}}"


def remark_ignored(text: str, hint: str = "") -> Remark:
    return Remark(FindingKind.IGNORED, Level.WARNING, text, hint)


def remark_different(text: str, hint: str = "") -> Remark:
    return Remark(FindingKind.DIFFERENT, Level.WARNING, text, hint)


def remark_impossible(text: str, hint: str = "") -> Remark:
    return Remark(FindingKind.IMPOSSIBLE, Level.ERROR, text, hint)


def remark_translated(target: str) -> Remark:
    return Remark(FindingKind.TRANSLATED, Level.INFO, f"carried out as {target}")


def build_without_name(given: Given, scene: Scene) -> Iterator[Remark]:
    if scene.service and not scene.service.image:
        yield remark_impossible(
            "the service has no `image`: nodes need a name to pull what is built",
            f"Add `image: REGISTRY/{scene.service.name}:TAG`",
        )


def period_without_quota(given: Given, scene: Scene) -> Iterator[Remark]:
    if scene.service and scene.service.cpu_quota:
        yield remark_translated("deploy.resources.limits.cpus")
    else:
        yield remark_ignored("it has no effect without `cpu_quota`", "Use `deploy.resources.limits.cpus`")


def cleared_command(given: Given, scene: Scene) -> Iterator[Remark]:
    if given.value == ():
        yield remark_different(
            "Swarm takes an empty one for none and uses the image's",
            "Write the command to run, or clear it in the image",
        )


def unknown_mode(given: Given, scene: Scene) -> Iterator[Remark]:
    if given.value not in MODES:
        yield remark_impossible(f"unknown mode `{given.value}`", f"Use one of {', '.join(MODES)}")


def renaming_links(given: Given, scene: Scene) -> Iterator[Remark]:
    renamed = [link for link in given.value if ":" in link and len(set(link.split(":"))) > 1]
    if renamed:
        yield remark_ignored(
            f"a swarm knows no links, so `{renamed[0].partition(':')[2]}` is not found",
            "Give the other service this name as an alias of a network",
        )


def network_mode(given: Given, scene: Scene) -> Iterator[Remark]:
    mode = str(given.value)
    if mode.startswith(("service:", "container:")):
        yield remark_impossible(
            "a task shares its network with no other container",
            "Join the same network, and use the service's name",
        )
    elif mode == "host":
        yield remark_different(
            "it is the network of the node on which a task runs; other services do not find it by its name"
        )
    elif mode != "none":
        yield remark_different("the service joins the stack's own network instead", "Use `networks`")


def host_ip(given: Given, scene: Scene) -> Iterator[Remark]:
    if is_loopback(str(given.value)):
        yield remark_different(
            "the port is not published: on a swarm it would be open to everyone, not to one machine alone",
            "Services reach each other without it; to open it to everyone, leave out the address",
        )
    else:
        yield remark_different(
            "Swarm publishes the port on every address of the nodes", "Restrict it with the nodes' firewall"
        )


def is_loopback(address: str) -> bool:
    """Whether a port at an address is for its own machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def port_range(given: Given, scene: Scene) -> Iterator[Remark]:
    if "-" in str(given.value):
        yield remark_impossible(
            "Swarm does not choose a port out of a range", "Write one port, or none for any free one"
        )


def pull_policy(given: Given, scene: Scene) -> Iterator[Remark]:
    if given.value in ("never", "build"):
        yield remark_different("a node without the image pulls it")


def restart(given: Given, scene: Scene) -> Iterator[Remark]:
    own = scene.service.deploy if scene.service else None
    if own and own.restart_policy:
        yield remark_ignored("`deploy.restart_policy` takes precedence", "Remove one of them")
    elif str(given.value).partition(":")[0] not in RESTART_CONDITIONS:
        yield remark_impossible(
            f"unknown policy `{given.value}`", f"Use one of {', '.join(RESTART_CONDITIONS)}"
        )
    else:
        yield remark_translated("deploy.restart_policy")


def awaited_end(given: Given, scene: Scene) -> Iterator[Remark]:
    name = given.key.split(".")[-2]
    awaited = scene.definition.services.get(name)
    own = awaited.deploy.mode if awaited and awaited.deploy else None
    if given.value != "service_completed_successfully":
        return
    if own is None:
        yield remark_translated(f"deploy.mode: replicated-job of {name}")
    elif not own.endswith("-job"):
        yield remark_impossible(f"`{name}` has the mode {own}, so it never completes", "Use replicated-job")


def tmpfs(given: Given, scene: Scene) -> Iterator[Remark]:
    yield remark_translated("a mount of type tmpfs")
    for entry in given.value:
        path, _, options = entry.partition(":")
        try:
            lost = unknown_tmpfs_options(options)
        except ValueError as error:
            yield remark_impossible(f"{path}: {error}")
        else:
            if lost:
                yield remark_ignored(f"{path} is mounted without {', '.join(lost)}")


def tmpfs_options(options: str) -> TmpfsOptions:
    """The `size` and the `mode` of a tmpfs. Raises ValueError."""
    pairs = _pairs(options)
    size = Bytes(parse_size(pairs["size"])) if pairs.get("size") else None
    return TmpfsOptions(size=size, mode=int(pairs["mode"], 8) if pairs.get("mode") else None)


def unknown_tmpfs_options(options: str) -> list[str]:
    """The options that a mount of a swarm does not have. Raises ValueError for an invalid one."""
    tmpfs_options(options)
    return [name for name in _pairs(options) if name not in ("size", "mode", "rw", "")]


def _pairs(options: str) -> dict[str, str]:
    return {name: value for name, _, value in (option.partition("=") for option in options.split(","))}


def security_options(given: Given, scene: Scene) -> Iterator[Remark]:
    for option in given.value:
        name = re.split("[:=]", option)[0]
        if name == "label" or (
            name in ("no-new-privileges", "seccomp", "apparmor") and scene.api >= _PRIVILEGE_API
        ):
            continue
        yield remark_ignored(f"the engines of the swarm do not support `{name}` for services")


def network_driver(given: Given, scene: Scene) -> Iterator[Remark]:
    if given.value == "bridge":
        yield remark_different("it becomes an overlay network, which reaches all nodes")
    elif given.value in ("host", "none", "macvlan", "ipvlan"):
        yield remark_impossible(
            f"a swarm creates no network with the driver `{given.value}`",
            "Create it by hand, and make it `external`",
        )


def without_ipv4(given: Given, scene: Scene) -> Iterator[Remark]:
    if given.value is False:
        yield remark_ignored("the networks of a cluster always have IPv4")


def network_options(given: Given, scene: Scene) -> Iterator[Remark]:
    for name in given.value:
        if name.startswith("com.docker.network.bridge."):
            yield remark_ignored(f"overlay networks have no option `{name}`")


def mount(given: Given, scene: Scene) -> Iterator[Remark]:
    for item in given.value:
        if item.type == "bind":
            yield _bind(item, scene.definition)
        elif item.type == "image":
            yield remark_impossible(
                f"a swarm mounts no images ({item.target})", "Copy the files into the service's image"
            )
        elif item.type == "volume" and scene.service:
            yield from _volume(item, scene.service, scene.definition)


def _bind(item: Mount, definition: Definition) -> Remark:
    return bind_of_project(item, definition) or remark_different(
        f"each node mounts its own `{item.source}`, and a task fails on a node without it",
        f"Create it on every node, or keep the service on one node: {_PIN}",
    )


def bind_of_project(item: Mount, definition: Definition) -> Remark | None:
    """What is said about a mounted file of the project, which is on no node."""
    if not Path(item.source or "").is_relative_to(definition.working_dir):
        return None
    return remark_impossible(
        f"`{item.source}` is a path of this machine, which the nodes do not have",
        "Copy the files into the image, or use `configs`, `secrets` or a volume",
    )


def _volume(item: Mount, service: Service, definition: Definition) -> Iterator[Remark]:
    if is_pinned(service):
        return
    if not item.source:
        yield remark_different(
            f"each new task gets a new, empty volume at {item.target}", "Give the volume a name"
        )
    elif not _is_shared(definition.volumes.get(item.source)):
        yield remark_different(
            f"each node has its own volume `{item.source}`: a task that moves to another node finds it empty",
            f"Use a driver with shared storage, or keep the service on one node: {_PIN}",
        )


def is_pinned(service: Service) -> bool:
    """Whether a service runs on one node only."""
    constraints = service.deploy.placement.constraints if service.deploy else ()
    return any(_ONE_NODE.match(constraint) for constraint in constraints)


def _is_shared(volume: Volume | None) -> bool:
    """Whether all nodes see the same data in a volume, as far as the files say."""
    if volume is None:
        return False
    return volume.driver not in (None, "local") or volume.driver_opts.get("type") in _SHARED

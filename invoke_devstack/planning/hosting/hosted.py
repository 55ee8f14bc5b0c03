"""What the process of a service on this machine gets: its variables, with each change and the reason, its
files, and what cannot be carried over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from invoke_devstack.planning.connections import ReadFile, injected
from invoke_devstack.planning.hosting.addresses import Local, Rewrite, Rewriter
from invoke_devstack.planning.hosting.names import known_names, tcp_ports
from invoke_devstack.planning.hosting.paths import Places, PrivateFile, private_files
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.definition.processes.process import Process

_WITHOUT_EFFECT = (
    "cap_add", "cap_drop", "cpus", "devices", "dns", "extra_hosts", "gpus", "group_add", "hostname", "ipc",
    "mem_limit", "pid", "pids_limit", "privileged", "read_only", "security_opt", "shm_size", "sysctls", "tty",
    "ulimits", "user",
)  # fmt: skip

OpenPort = Callable[[str, int], int]
"""(service, port) -> the free port of this machine at which the forwarder opens it."""


@record(kw_only=True)
class HostedService:
    """`opened`: port of this machine -> (service, port) that the forwarder opens there. `served`: port of the
    container -> port of the process. `left_behind` are sentences about what a process does not get."""

    process: Process
    variables: Mapping[str, str]
    rewrites: tuple[Rewrite, ...] = ()
    files: tuple[PrivateFile, ...] = ()
    opened: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    served: Mapping[int, int] = field(default_factory=dict)
    left_behind: tuple[str, ...] = ()


@record(kw_only=True)
class Surroundings:
    """What the environment of a process depends on beside the definition. `processes` are those of all hosted
    services, `published` is (service, port) -> address of this machine, `open_port` chooses one for a port
    that is not published, `folder` is where its files go, `read` reads a file of this machine."""

    processes: Mapping[str, Process]
    published: Mapping[tuple[str, int], Local]
    open_port: OpenPort
    folder: str
    read: ReadFile


def host_service(definition: Definition, name: str, around: Surroundings) -> HostedService:
    """What the process of the service `name` gets."""
    service, process = definition.services[name], around.processes[name]
    locator = _Locator(definition, around)
    rewriter = Rewriter(known_names(definition, service), locator.locate)
    files = private_files(definition, service, around.folder)
    places = Places(service, files, around.folder)
    variables = rewriter.variables(_container_variables(definition, service))
    variables, moved = places.variables(variables)
    own = {key: value for key, value in process.environment.items() if value is not None}
    rewrites = [item for item in (*rewriter.rewrites, *moved) if item.variable not in own]
    return HostedService(
        process=process,
        variables=dict(sorted({**variables, **own}.items())),
        rewrites=tuple(dict.fromkeys(rewrites)),
        files=files,
        left_behind=(
            *_unread_files(places, files),
            *_unread_mounts(places, service),
            *_addresses_in_files(files, service, rewriter, around.read),
            *_keys_without_effect(service),
        ),
        opened=locator.opened,
        served=served_ports(definition, service, process),
    )


def _container_variables(definition: Definition, service: Service) -> dict[str, str]:
    said = {**injected(definition, service), **service.environment}
    return {name: value for name, value in said.items() if value is not None}


def served_ports(definition: Definition, service: Service, process: Process) -> dict[int, int]:
    """Port of the container -> port of the process. As the program is the same, so is the port, unless
    `x-devstack.host.ports` says otherwise."""
    said = {port.container: port.process for port in process.ports}
    ready = process.ready.port if process.ready else None
    known = tcp_ports(definition, service) or ((ready,) if ready and not said else ())
    return {**{port: port for port in known if port is not None}, **said}


class _Locator:
    def __init__(self, definition: Definition, around: Surroundings) -> None:
        self._definition = definition
        self._around = around
        self.opened: dict[int, tuple[str, int]] = {}

    def locate(self, service: str, port: int) -> Local | None:
        """A hosted process itself, else the published port, else one that the forwarder opens."""
        process = self._around.processes.get(service)
        other = self._definition.services[service]
        if process is not None:
            mine = served_ports(self._definition, other, process).get(port, port)
            return Local("127.0.0.1", mine, f"`{service}` runs on this machine")
        if other.network_mode == "host":
            return Local("127.0.0.1", port, f"`{service}` is in the network of this machine")
        published = self._around.published.get((service, port))
        if published:
            return published
        mine = self._around.open_port(service, port)
        self.opened[mine] = (service, port)
        return Local("127.0.0.1", mine, f"`{service}` publishes no port {port}, so one is opened for this")


def _unread_files(places: Places, files: tuple[PrivateFile, ...]) -> Iterator[str]:
    unread = set(places.unused(file.target for file in files))
    for file in files:
        if file.target in unread:
            yield f"the {file.what} is at {file.path}, not at {file.target}, and no variable says so"


def _unread_mounts(places: Places, service: Service) -> Iterator[str]:
    mounts = {mount.target: mount for mount in service.volumes if mount.target}
    for target in places.unused(iter(mounts)):
        mount = mounts[target]
        if mount.type == "bind":
            yield f"{target} is {mount.source} on this machine, and no variable says so"
        elif mount.type == "volume":
            what = f"the volume `{mount.source}`" if mount.source else "an anonymous volume"
            yield f"{target} is {what}, which this machine does not have"


def _addresses_in_files(
    files: tuple[PrivateFile, ...], service: Service, rewriter: Rewriter, read: ReadFile
) -> Iterator[str]:
    """Files are handed over as they are."""
    texts = [(f"the {file.what}", file.content or read(file.source)) for file in files]
    texts += [
        (mount.source, read(mount.source))
        for mount in service.volumes
        if mount.type == "bind" and mount.source
    ]
    for what, text in texts:
        for address, local in rewriter.found_in(text):
            yield f"{what} names {address}, which is {local} on this machine"


def _keys_without_effect(service: Service) -> Iterator[str]:
    named = [f"`{key}`" for key in _WITHOUT_EFFECT if key in service.given]
    if named:
        yield f"{', '.join(named)}: only containers have that"

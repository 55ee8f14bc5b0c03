"""Makes processes of the services that are to run on this machine: reads their blocks, chooses ports, and
puts their forwarders into the definition."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.model import Dependency
from invoke_devstack.definition.processes.process import Process, Ready
from invoke_devstack.definition.reading.block import position_of, read_process
from invoke_devstack.definition.reading.unset import UnsetVariables
from invoke_devstack.engine.builds.dockerfile import instructions
from invoke_devstack.engine.processes.folders import directory_of, folder_of, make_private
from invoke_devstack.errors import DefinitionError, FileError, UsageError
from invoke_devstack.local_files.reading import read_bytes, read_text
from invoke_devstack.local_files.replacing import PRIVATE, replaced
from invoke_devstack.planning import labels
from invoke_devstack.planning.connections import EXTENSION
from invoke_devstack.planning.graph import sharing
from invoke_devstack.planning.hosting.forwarder import forwarders, opened_before
from invoke_devstack.planning.hosting.hosted import HostedService, Surroundings, host_service
from invoke_devstack.planning.hosting.proposal import build_folder, proposed_block
from invoke_devstack.planning.hosting.published import published_places
from invoke_devstack.planning.ports import WantedPort, choose_ports
from invoke_devstack.planning.processes.as_service import process_service
from invoke_devstack.records import record
from invoke_devstack.running.hosting.relay import find_relay
from invoke_devstack.running.observing import observe
from invoke_devstack.running.ports import free_ports

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.definition.syntax.dotenv import OnBlank
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.observed import Observed
    from invoke_devstack.settings import Settings

_STEPS = (EXTENSION, "host")
_LARGEST_CONFIG = 64 << 10  # bytes of a mounted file in which addresses are looked for


@record
class Hosting:
    """A definition in which services run on this machine, and what each of them gets."""

    definition: Definition
    services: Mapping[str, HostedService]


def host_services(
    definition: Definition,
    engine: Engine,
    settings: Settings,
    names: Iterable[str],
    *,
    without: Iterable[str] = (),
    ports: str = "",
) -> Hosting:
    """The definition with processes in place of the services `names`, and with nothing in place of those
    `without`: if they have a block, their forwarders wait for a process that somebody else starts. `ports`
    is the flag. Raises UsageError for a service without `x-devstack.host`, and for an engine on another
    machine."""
    left_out = frozenset(without)
    known = [name for name in left_out if has_block(definition.all_services[name])]
    unset = UnsetVariables(definition.unset)
    processes = {name: read_host(definition, name, unset.add_at) for name in dict.fromkeys([*names, *known])}
    definition = _without(definition, left_out).copy_with({"unset": unset.positions()})
    if not processes:
        return Hosting(definition, {})
    _refuse_windows(next(iter(processes)))
    if not engine.endpoint.is_local:
        raise UsageError(
            f"`{next(iter(processes))}` cannot run on the host: the engine is on another machine, "
            f"{engine.endpoint.host}",
            hint="Use an engine on this machine: `docker context use default`.",
        )
    _refuse_shared(definition, processes)
    observed = observe(definition, engine)
    chosen = free_ports.choose_free_ports(definition, observed, engine, settings.bind, settings.ports, ports)
    published = published_places(definition, chosen, settings.bind)
    hosted = {
        name: host_service(
            definition,
            name,
            Surroundings(
                processes=processes,
                published=published,
                open_port=OpenPorts(definition, engine, observed, name),
                folder=str(files_folder(engine, definition.name, name)),
                read=_read_small,
            ),
        )
        for name in processes
    }
    return Hosting(_with_processes(definition, engine, observed, hosted, left_out), hosted)


def _refuse_windows(name: str) -> None:
    if sys.platform == "win32":
        raise UsageError(
            f"`{name}` cannot run on the host: that is not supported on Windows, where the supervisor of "
            "processes does not run",
            hint="Run the stack in WSL 2.",
        )


def _refuse_shared(definition: Definition, names: Iterable[str]) -> None:
    """A process has no namespaces or volumes that a container could share."""
    for name in names:
        for other in definition.services.values():
            if name in sharing(other):
                raise UsageError(
                    f"`{name}` cannot run on the host: `{other.name}` shares its container",
                    hint=f"Run `{other.name}` on the host too, or look at its `network_mode`, `ipc`, `pid`, "
                    "`volumes_from` and `links`.",
                )


def _without(definition: Definition, names: Iterable[str]) -> Definition:
    """Nobody waits for a service that is wanted 0 times, and its containers are removed."""
    changed = {name: definition.services[name].copy_with({"scale": 0}) for name in names}
    return definition.copy_with({"services": {**definition.services, **changed}})


def has_block(service: Service) -> bool:
    """Whether it says how it runs on this machine."""
    extension = service.extensions.get(EXTENSION)
    return isinstance(extension, Mapping) and "host" in extension


def read_host(definition: Definition, name: str, on_blank: OnBlank | None = None) -> Process:
    """The process that the service says it is on this machine. `on_blank` is as for `read_env_file`. Raises
    UsageError if it does not say so, with what to add."""
    service = definition.all_services[name]
    if not has_block(service):
        raise _no_block(definition, service)
    block = service.extensions[EXTENSION]["host"]
    process = read_process(definition, name, block, ("services", name, *_STEPS), on_blank)
    return _completed(definition, service, process)


def _completed(definition: Definition, service: Service, process: Process) -> Process:
    """What the block leaves out is as for the container. Raises DefinitionError for a missing folder."""
    folder = process.working_dir or build_folder(service) or str(definition.working_dir)
    if not Path(folder).is_dir():
        raise DefinitionError(
            f"the process of `{service.name}` cannot run in {folder}: there is no such folder",
            hint=f"Fix `working_dir` below `services.{service.name}.{EXTENSION}.host`.",
            position=position_of(definition, ("services", service.name, *_STEPS, "working_dir")),
        )
    changes: dict[str, object] = {"working_dir": folder}
    if process.stop_signal is None and service.stop_signal:
        changes["stop_signal"] = service.stop_signal
    if process.stop_grace_period is None and service.stop_grace_period is not None:
        changes["stop_grace_period"] = service.stop_grace_period
    return process.copy_with(changes)


def _no_block(definition: Definition, service: Service) -> UsageError:
    position = position_of(definition, ("services", service.name))
    lines = proposed_block(definition, service, _dockerfile(service))
    return UsageError(
        f"`{service.name}` does not say how it runs on the host",
        hint=f"Add these lines below `services.{service.name}` in {position.file.name}.",
        details=lines,
    )


def _dockerfile(service: Service) -> tuple[str, ...]:
    """The instructions that its image is built from, if they can be read."""
    build, folder = service.build, build_folder(service)
    if build is None:
        return ()
    text = build.dockerfile_inline or ""
    if not text and folder:
        with suppress(FileError):
            text = read_text(Path(folder, build.dockerfile or "Dockerfile"))
    return tuple(item.text for item in instructions(text))


class OpenPorts:
    """Chooses ports for the forwarder of a service: those that it has now, else the same as in the container
    if that is free here."""

    def __init__(self, definition: Definition, engine: Engine, observed: Observed, name: str) -> None:
        self._project = definition.name
        self._engine = engine
        self._forwarder = f"{name}-forwarder"
        self._chosen: dict[tuple[str, int], int] = {}
        for container in observed.of_service(self._forwarder):
            self._chosen |= opened_before(container.labels.get(labels.FORWARDER, ""))
        self._published = {("tcp", port) for port in self._fixed(definition)}

    def _fixed(self, definition: Definition) -> Iterable[int]:
        for service in definition.services.values():
            for port in service.ports:
                if (port.published or "").isdecimal():
                    yield int(port.published or 0)

    def __call__(self, service: str, port: int) -> int:
        if (service, port) not in self._chosen:
            wanted = WantedPort(self._forwarder, port, port, host_ip="127.0.0.1")
            taken = (
                free_ports.listening(self._engine)
                | self._published
                | {("tcp", item) for item in self._chosen.values()}
            )
            self._chosen[service, port] = choose_ports(self._project, [wanted], taken, {})[wanted]
        return self._chosen[service, port]


def _with_processes(
    definition: Definition,
    engine: Engine,
    observed: Observed,
    hosted: Mapping[str, HostedService],
    left_out: frozenset[str],
) -> Definition:
    relay = find_relay(definition, engine, observed)
    services = dict(definition.services)
    for name, item in hosted.items():
        added = forwarders(definition, name, item, relay)
        services |= added
        if name not in left_out:
            process = _ready_to_run(definition.services[name], item, added)
            services[name] = process_service(process, ports=item.served)
    return definition.copy_with({"services": services})


def _ready_to_run(service: Service, hosted: HostedService, added: Iterable[str]) -> Process:
    """The process with all that it depends on and gets."""
    process = hosted.process
    first, *others = added
    waited = {
        first: Dependency(condition="service_healthy", required=True),
        **{name: Dependency(condition="service_started", required=True) for name in others},
    }
    changes: dict[str, object] = {
        "environment": dict(hosted.variables),
        "env_file": (),
        "depends_on": {**service.depends_on, **process.depends_on, **waited},
    }
    if process.ready is None and hosted.served:
        changes["ready"] = Ready(port=next(iter(hosted.served.values())))
    return process.copy_with(changes)


def files_folder(engine: Engine, project: str, name: str) -> Path:
    """Where the secrets and configs of the process are."""
    return folder_of(directory_of(engine.endpoint.url), project) / "files" / name


def _read_small(path: str) -> str:
    """The text of a small file; "" for everything else."""
    file = Path(path)
    try:
        if file.is_file() and file.stat().st_size <= _LARGEST_CONFIG:
            return read_text(file)
    except (OSError, FileError):
        pass
    return ""


def write_files(hosting: Hosting) -> None:
    """Puts the secrets and configs where their processes find them, for this user alone. Raises FileError."""
    for hosted in hosting.services.values():
        for file in hosted.files:
            place = Path(file.path)
            make_private(place.parent)
            with replaced(place, PRIVATE) as opened:
                opened.write(read_bytes(Path(file.source)) if file.source else file.content.encode())

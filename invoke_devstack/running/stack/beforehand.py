"""What is known to prevent an `up`, before anything is built or started: all of it, not only the first."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.attributes.paths import is_remote_context
from invoke_devstack.engine.protocol import GO_DIRECTORY
from invoke_devstack.errors import (
    DefinitionError,
    DevstackError,
    EngineUnavailableError,
    NotFoundError,
    PortTakenError,
    blocked,
)
from invoke_devstack.planning import labels
from invoke_devstack.planning.host_files import HostFile, referenced_files, require_host_file
from invoke_devstack.planning.names import container_name
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import COMPLETED, BuildImage
from invoke_devstack.planning.plans.images import image_actions
from invoke_devstack.planning.plans.networks_and_volumes import networks_and_volumes
from invoke_devstack.planning.ports import WantedPort, remembered_ports, wanted_ports
from invoke_devstack.planning.processes.image import is_process
from invoke_devstack.planning.selection import is_wanted
from invoke_devstack.planning.verdicts.port_clashes import narrow_ranges, port_clashes
from invoke_devstack.running.executing.replaced_files import replaced_file
from invoke_devstack.running.ports.addresses import with_holder
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.images_beforehand import unavailable_images

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Mount, Service

_SHARED = {"network_mode": "network", "ipc": "shared memory", "pid": "processes", "volumes_from": "volumes"}
_ANY = ("", "0.0.0.0")
_HINT = "Stop what uses it, publish another port, or use a free one: `invoke up --ports auto`"


def refuse_what_is_blocked(
    session: Session,
    definition: Definition,
    names: Sequence[str],
    observed: Observed,
    options: PlanningOptions,
    *,
    oneoffs: Sequence[str] = (),
) -> None:
    """Raises what prevents the containers of the services `names` from being created or started: an error as
    it is, or a BlockedError for several. Services that run already are not looked at. `oneoffs` are services
    that get a container without ports."""
    pending = tuple(name for name in names if _is_pending(definition, name, observed))
    problems: list[DevstackError] = [*definition.missing]
    problems += _missing(definition, (*pending, *oneoffs), observed, options)
    problems += unavailable_images(session, definition, (*pending, *oneoffs), observed, options)
    every = wanted_ports(definition, names, options.bind, observed.containers)
    problems += port_clashes(definition, every, options.ports)
    problems += narrow_ranges(definition, names)
    certain = tuple(name for name in pending if not _is_prepared(definition, name, options))
    problems += _missing_containers(session, definition, (*certain, *oneoffs))
    if session.engine.endpoint.is_local:
        problems += _missing_paths(definition, (*certain, *oneoffs))
        problems += _unable_processes(definition, names, observed, options)
        problems += _missing_sources(definition, (*certain, *oneoffs), observed, options)
        wanted = wanted_ports(definition, certain, options.bind, observed.containers)
        problems += _taken_ports(session, observed, [port for port in wanted if port not in options.ports])
    if problems:
        raise blocked(problems)


def refuse_what_blocks_start(session: Session, observed: Observed, names: Sequence[str]) -> None:
    """Raises what prevents existing containers of the services `names` from being started, as above. One that
    the files no longer describe as it is may need something else, and is not looked at."""
    definition = session.definition
    problems: list[DevstackError] = [*definition.missing]
    same = [
        name for name in names if name in definition.services and _is_as_written(definition, name, observed)
    ]
    if session.engine.endpoint.is_local:
        certain = tuple(name for name in same if not _is_prepared(definition, name, _hooks_of(session)))
        problems += _missing_paths(definition, certain)
        problems += _missing_mounted(definition, certain, observed)
        problems += _replaced_mounted(session, definition, certain, observed)
        problems += _unable_processes(definition, same, observed, _hooks_of(session))
        elsewhere = {service for service, _, _ in remembered_ports(observed.containers)}
        fixed = [name for name in certain if name not in elsewhere]
        wanted = wanted_ports(definition, fixed, session.settings.bind, observed.containers)
        problems += _taken_ports(session, observed, list(wanted))
    if problems:
        raise blocked(problems)


def _hooks_of(session: Session) -> PlanningOptions:
    return PlanningOptions(
        hooks=session.hooks.names(always=False), always_hooks=session.hooks.names(always=True)
    )


def _unable_processes(
    definition: Definition, names: Sequence[str], observed: Observed, options: PlanningOptions
) -> Iterator[DevstackError]:
    """Those that do not run yet, and for which nobody prepares anything."""
    processes = [
        name
        for name in names
        if is_process(definition.services[name])
        and is_wanted(definition.services[name])
        and not any(item.is_active for item in observed.of_service(name))
        and not _is_prepared(definition, name, options)
    ]
    if processes:
        from invoke_devstack.running.stack.processes_beforehand import unable_processes

        yield from unable_processes(definition, processes)


def _is_as_written(definition: Definition, name: str, observed: Observed) -> bool:
    """Whether the files still say of a service what its containers were made from."""
    from invoke_devstack.definition import config_hash

    wanted = config_hash(definition, name)
    return all(item.labels.get(labels.CONFIG_HASH) == wanted for item in observed.of_service(name))


def _is_pending(definition: Definition, name: str, observed: Observed) -> bool:
    """Whether it gets a container that did not run before."""
    service = definition.services[name]
    is_active = any(item.is_active for item in observed.of_service(name))
    return is_wanted(service) and not is_active and not is_process(service)


def _is_prepared(definition: Definition, name: str, options: PlanningOptions) -> bool:
    """Whether a hook or a one-shot runs first, which may create a path or free a port."""
    hooks = options.hooks | options.always_hooks
    conditions = {how.condition for how in definition.services[name].depends_on.values()}
    return bool(hooks & {"before up", f"before {name}"}) or COMPLETED in conditions


def _missing(
    definition: Definition, names: Sequence[str], observed: Observed, options: PlanningOptions
) -> Iterator[DevstackError]:
    """Images that may not be pulled, external networks and volumes, files of secrets and configs."""
    for name in names:
        service = definition.services[name]
        yield from _raised(image_actions, definition, (name,), observed, options)
        yield from _raised(networks_and_volumes, definition, (service,), observed)
        for kind, references, known in (
            ("secret", service.secrets, definition.secrets),
            ("config", service.configs, definition.configs),
        ):
            for source in (item.source for item in references if item.source in known):
                yield from _raised(require_host_file, definition, kind, source, options.host_files)


def _raised(check: Callable[..., object], *arguments: object) -> Iterator[DevstackError]:
    try:
        check(*arguments)
    except DevstackError as error:
        yield error


def _missing_containers(
    session: Session, definition: Definition, names: Sequence[str]
) -> Iterator[DevstackError]:
    """Containers outside the stack whose network, ipc, pid or volumes services share."""
    services = definition.services.values()
    own = {
        container_name(definition.name, item, n + 1) for item in services for n in range(item.scale_count())
    }
    for name in names:
        for key, container in _shared_containers(definition.services[name]):
            try:
                if container not in own:
                    session.engine.inspect_container(container)
            except NotFoundError:
                place = definition.origins.get(f"services.{name}.{key}")
                yield DefinitionError(
                    f"no container `{container}`, whose {_SHARED[key]} {name} shares",
                    hint=f"Start it first, or name a service of the stack: "
                    f"`{key}: {'[NAME]' if key == 'volumes_from' else 'service:NAME'}`.",
                    position=place.position if place else None,
                )


def _shared_containers(service: Service) -> Iterator[tuple[str, str]]:
    """(key, container) of each container that the service names itself."""
    for key in ("network_mode", "ipc", "pid"):
        kind, _, container = (getattr(service, key) or "").partition(":")
        if kind == "container" and container:
            yield key, container
    for entry in service.volumes_from:
        kind, _, rest = entry.partition(":")
        if kind == "container":
            yield "volumes_from", rest.partition(":")[0]


def _missing_paths(definition: Definition, names: Sequence[str]) -> Iterator[DevstackError]:
    """Bind mounts of paths that do not exist and that nobody creates."""
    for name in names:
        for index, mount in enumerate(definition.services[name].volumes):
            if _must_exist(mount) and not _exists(Path(mount.source or "")):
                yield _no_path(definition, f"services.{name}.volumes[{index}]", name, mount)


def _missing_mounted(
    definition: Definition, names: Sequence[str], observed: Observed
) -> Iterator[DevstackError]:
    """Files of secrets and configs that existing containers mount. Copies of others are in them."""
    for name in names:
        service = definition.services[name]
        mounted = {mount.source for item in observed.of_service(name) for mount in item.mounts}
        for reference, path in referenced_files(definition, service):
            if path in mounted and not _exists(Path(path)):
                kind = "secret" if reference in service.secrets else "config"
                gone = {path: HostFile(exists=False)}
                yield from _raised(require_host_file, definition, kind, reference.source, gone)


def _replaced_mounted(
    session: Session, definition: Definition, names: Sequence[str], observed: Observed
) -> Iterator[DevstackError]:
    """The same of which one is a directory now, and was none when the container was created."""
    for name in names:
        service = definition.services[name]
        mounts = [(item.id, mount) for item in observed.of_service(name) for mount in item.mounts]
        for reference, path in referenced_files(definition, service):
            targets = [(container, mount.target) for container, mount in mounts if mount.source == path]
            if targets and Path(path).is_dir() and not _is_folder_in(session, *targets[0]):
                yield replaced_file(definition, service, reference, path)


def _is_folder_in(session: Session, container: str, target: str) -> bool:
    """The engine fails to look at what it cannot mount."""
    try:
        found = session.engine.stat_path(container, target)
    except EngineUnavailableError:
        raise
    except DevstackError:
        return False
    return found is not None and bool(int(found.get("mode", 0)) & GO_DIRECTORY)


def _missing_sources(
    definition: Definition, names: Sequence[str], observed: Observed, options: PlanningOptions
) -> Iterator[DevstackError]:
    """Folders and Dockerfiles from which images are to be built."""
    builds: dict[str, BuildImage] = {}
    for name in names:
        with suppress(DevstackError):  # an image that cannot be had is told elsewhere
            found = image_actions(definition, (name,), observed, options).items()
            builds |= {image: action for image, action in found if isinstance(action, BuildImage)}
    for action in builds.values():
        request, service = action.build, action.service
        path = Path(request.context, request.dockerfile)
        if is_remote_context(request.context):
            continue
        if not _exists(Path(request.context)):
            text = f"no such directory: {request.context}, from which {service} is built"
            yield _no_source(definition, f"services.{service}.build", "context", text)
        elif not request.dockerfile_inline and not _exists(path):
            text = f"no such Dockerfile: {path}, from which {service} is built"
            yield _no_source(definition, f"services.{service}.build", "dockerfile", text)


def _no_source(definition: Definition, entry: str, key: str, text: str) -> DefinitionError:
    place = definition.origins.get(f"{entry}.{key}") or definition.origins.get(entry)
    hint = f"Create it, or fix `build.{key}`."
    return DefinitionError(text, hint=hint, position=place.position if place else None)


def _must_exist(mount: Mount) -> bool:
    is_created = mount.bind is not None and mount.bind.create_host_path
    return mount.type == "bind" and bool(mount.source) and not is_created


def _exists(path: Path) -> bool:
    """What this user may not look at, the engine may."""
    try:
        path.lstat()
    except OSError as error:
        return not isinstance(error, FileNotFoundError | NotADirectoryError)
    return True


def _no_path(definition: Definition, entry: str, service: str, mount: Mount) -> DefinitionError:
    place = definition.origins.get(f"{entry}.source") or definition.origins.get(entry)
    return DefinitionError(
        f"no such file or directory: {mount.source}, which {service} mounts",
        hint="Create it, or set `bind.create_host_path: true` for an empty directory.",
        position=place.position if place else None,
    )


def _taken_ports(session: Session, observed: Observed, wanted: list[WantedPort]) -> Iterator[DevstackError]:
    """Those in use by others than the project's own containers, which `up` may replace."""
    own = {(port.protocol, port.host_port) for item in observed.containers for port in item.ports}
    services = session.definition.services
    for port in wanted:
        is_published = services[port.service].network_mode != "host" if port.service in services else True
        if is_published and (port.protocol, port.host_port) not in own and _is_taken(port):
            error = PortTakenError("", hint=_HINT, host_ip=port.host_ip, port=port.host_port)
            yield with_holder(error, session.engine, port.service)


def _is_taken(port: WantedPort) -> bool:
    """Whether this machine refuses the address. Any other answer is left to the engine."""
    kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in port.host_ip else socket.AF_INET
    try:
        with socket.socket(family, kind) as tried:
            if sys.platform != "win32":  # elsewhere it would take a port in use
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("0.0.0.0" if port.host_ip in _ANY else port.host_ip, port.host_port))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False

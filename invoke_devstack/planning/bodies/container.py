"""A service -> the body of `POST /containers/create`, as Docker Compose 2.40 sends it.

A test compares `docker inspect` of both containers, which may differ only in ids, times and our own labels.
https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerCreate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.anonymous_volumes import AnonymousVolumes
from invoke_devstack.planning.bodies.mounts import container_mounts
from invoke_devstack.planning.bodies.networks import Networking, networking, shared_mode
from invoke_devstack.planning.bodies.plain_keys import CONFIG, HOST_CONFIG, filled, plain_values
from invoke_devstack.planning.bodies.resources import resources
from invoke_devstack.planning.bodies.tracing import trace_variables
from invoke_devstack.planning.connections import injected
from invoke_devstack.planning.host_files import HostFile
from invoke_devstack.planning.names import container_name
from invoke_devstack.planning.observed import EngineInfo, ObservedImage
from invoke_devstack.planning.ports import WantedPort, exposed_ports, port_bindings
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Healthcheck, Service

_ANNOTATIONS = (1, 43)
_START_INTERVAL = (1, 44)
_NANO = 10**9

_RESTART_NAMES = {"none": "no", "any": "always"}


@record
class BodyOptions:
    """What a body depends on, beside the definition.

    `bind` is the host address of published ports that set none ("" leaves it to the engine, as Compose
    does). `ports` are the host ports used in place of the wanted ones. `environment` are variables that the
    Docker client's configuration gives every container (its proxies). `seccomp` is path -> compact JSON of
    the profiles in `security_opt`. `containers` is service -> id or name of the container that others mean
    by `service:NAME`, in `volumes_from` and in `links`. `host_files` are the files of this machine from
    which secrets and configs come, by path.
    """

    engine: EngineInfo
    bind: str = ""
    ports: Mapping[WantedPort, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    seccomp: Mapping[str, str] = field(default_factory=dict)
    host_files: Mapping[str, HostFile] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)
    oneoff: bool = False
    aliases: bool = True


@record
class ContainerBody:
    """The body, and the networks that are joined after the creation."""

    body: dict[str, Any]
    more_networks: dict[str, dict[str, Any]]


def container_body(
    definition: Definition,
    service: Service,
    number: int,
    options: BodyOptions,
    *,
    own_labels: Mapping[str, str],
    image: ObservedImage | None = None,
    anonymous: AnonymousVolumes | None = None,
) -> ContainerBody:
    """The body of container `number` of `service`, with `own_labels` and its `anonymous` volumes; those at
    paths of the image only if that is known.

    Raises EngineError for what the engine is too old for, DefinitionError for what no single engine does.
    """
    links = container_links(definition, service, number)
    network = networking(
        definition,
        service,
        number,
        options.engine,
        containers=options.containers,
        links=links,
        aliases=options.aliases,
    )
    mounts = container_mounts(
        definition, service, options.engine, options.host_files, anonymous=anonymous, image=image
    )
    host = _host_config(service, number, options, network, links) | resources(service)
    host |= filled({"Binds": list(mounts.binds), "Mounts": list(mounts.mounts), "Tmpfs": dict(mounts.tmpfs)})
    body = _config(definition, service, number, options, network) | {
        "Labels": dict(own_labels),
        "HostConfig": host,
    }
    if network.endpoints:
        body["NetworkingConfig"] = {"EndpointsConfig": network.endpoints}
    return ContainerBody(body, network.later)


def service_labels(
    definition: Definition, service: Service, number: int, config_hash: str, *, oneoff: bool = False
) -> dict[str, str]:
    """The service's labels and those of Compose. One-off containers have no number (`number` 0)."""
    own = dict(service.labels) | labels.project_labels(definition, service.name, oneoff=oneoff)
    own[labels.CONFIG_HASH] = config_hash
    own[labels.DEPENDS_ON] = labels.depends_on_label(definition, service)
    if number:
        own[labels.NUMBER] = str(number)
    return own


def container_links(definition: Definition, service: Service, number: int) -> list[str]:
    """`links` and `external_links` as `CONTAINER:ALIAS`, each link under Compose's three names."""
    links: list[str] = []
    for link in service.links:
        name, _, alias = link.partition(":")
        linked = definition.services.get(name)
        for index in range(1, (linked.scale_count() if linked else 0) + 1):
            container = container_name(definition.name, linked, index) if linked else name
            links += [
                f"{container}:{alias or name}",
                f"{container}:{name}-{number}",
                f"{container}:{definition.name}-{name}-{number}",
            ]
    for link in service.external_links:
        name, _, alias = link.partition(":")
        links.append(f"{name}:{alias or name}")
    return links


def _config(
    definition: Definition, service: Service, number: int, options: BodyOptions, network: Networking
) -> dict[str, Any]:
    environment: dict[str, str | None] = {
        **options.environment,
        **injected(definition, service),
        **trace_variables(definition, service, number),
        **service.environment,
    }
    body: dict[str, Any] = {
        "Image": service.image_name(definition.name),
        "Cmd": None if service.command is None else list(service.command),
        "Entrypoint": None if service.entrypoint is None else list(service.entrypoint),
        "Tty": service.tty,
        "OpenStdin": service.stdin_open,
        "AttachStdout": True,
        "AttachStderr": True,
    }
    return (
        body
        | filled(
            {
                "Env": [name if value is None else f"{name}={value}" for name, value in environment.items()],
                "ExposedPorts": exposed_ports(service),
                **plain_values(service, CONFIG),
                "MacAddress": network.mac_address,
                "NetworkDisabled": service.network_mode == "disabled",
                "Healthcheck": _healthcheck(service.healthcheck, options.engine),
            }
        )
        | ({} if service.stop_grace_period is None else {"StopTimeout": int(service.stop_grace_period)})
    )


def _host_config(
    service: Service, number: int, options: BodyOptions, network: Networking, links: list[str]
) -> dict[str, Any]:
    security, unconfined = _security(service, options.seccomp)
    host: dict[str, Any] = {
        "NetworkMode": network.mode,
        "RestartPolicy": _restart_policy(service),
        "Annotations": dict(service.annotations) if options.engine.api >= _ANNOTATIONS else {},
        "CapAdd": _capabilities(service.cap_add),
        "CapDrop": _capabilities(service.cap_drop),
        "IpcMode": shared_mode(service.ipc or "", options.containers),
        "PidMode": shared_mode(service.pid or "", options.containers),
        "VolumesFrom": _volumes_from(service, options.containers),
        "SecurityOpt": security,
        "Links": links,
        **plain_values(service, HOST_CONFIG),
    }
    if service.logging:
        host["LogConfig"] = {"Type": service.logging.driver or "", "Config": dict(service.logging.options)}
    body = filled(host) | {
        "PortBindings": port_bindings(service, options.bind, options.ports, number),
        "ExtraHosts": [host.replace("=", ":", 1) for host in service.extra_hosts],
    }
    if service.init is not None:
        body["Init"] = service.init
    if unconfined:
        body |= {"MaskedPaths": [], "ReadonlyPaths": []}
    return body


def _capabilities(names: tuple[str, ...]) -> list[str]:
    """As Docker's client sends them: `CAP_NET_ADMIN` for `net_admin`, sorted; `ALL` replaces all others."""
    full = {name.upper() for name in names}
    if "ALL" in full:
        return ["ALL"]
    return sorted(name if name.startswith("CAP_") else f"CAP_{name}" for name in full)


def _restart_policy(service: Service) -> dict[str, Any]:
    policy = service.deploy.restart_policy if service.deploy else None
    if policy:
        name, attempts = policy.condition or "", policy.max_attempts or 0
    else:
        name, _, number = (service.restart or "").partition(":")
        attempts = int(number) if number.isdecimal() else 0
    return filled({"Name": _RESTART_NAMES.get(name, name), "MaximumRetryCount": attempts})


def _healthcheck(check: Healthcheck | None, engine: EngineInfo) -> dict[str, Any] | None:
    """Times are in nanoseconds. An engine without `start_interval` does not need it: we probe ourselves."""
    if check is None:
        return None
    body: dict[str, Any] = {
        "Test": ["NONE"] if check.disable else list(check.test),
        "Interval": _nanoseconds(check.interval),
        "Timeout": _nanoseconds(check.timeout),
        "StartPeriod": _nanoseconds(check.start_period),
        "Retries": check.retries or 0,
    }
    if engine.api >= _START_INTERVAL and check.start_interval:
        body["StartInterval"] = _nanoseconds(check.start_interval)
    return filled(body)


def _nanoseconds(seconds: float | None) -> int:
    return round((seconds or 0) * _NANO)


def _volumes_from(service: Service, containers: Mapping[str, str]) -> list[str]:
    """`SERVICE[:MODE]` and `container:NAME[:MODE]` as `CONTAINER[:MODE]`."""
    found: list[str] = []
    for entry in service.volumes_from:
        first, _, rest = entry.partition(":")
        if first == "container":
            found.append(rest)
        else:
            found.append(f"{containers[first]}:{rest}" if rest else containers[first])
    return found


def _security(service: Service, profiles: Mapping[str, str]) -> tuple[list[str], bool]:
    """The options with seccomp profiles inserted, and whether system paths are unconfined."""
    options: list[str] = []
    for option in service.security_opt:
        if option == "systempaths=unconfined":
            continue
        path = seccomp_path(option)
        if path and path not in profiles:
            raise DefinitionError(
                f"cannot read the seccomp profile `{path}` of `{service.name}`",
                hint=f"Fix the path in `services.{service.name}.security_opt`.",
            )
        options.append(f"seccomp={profiles[path]}" if path else option)
    return options, "systempaths=unconfined" in service.security_opt


def seccomp_path(option: str) -> str:
    """The file in an entry of `security_opt`, relative to the project directory; "" if there is none."""
    kind, separator, value = option.partition("=" if "=" in option else ":")
    named = kind == "seccomp" and separator and value not in ("unconfined", "builtin")
    return value if named else ""

"""A service -> the body of `POST /containers/create`, as Docker Compose 2.40 makes it.

What is judged by: `docker inspect` of our container equals that of Compose's, but for ids, times and
our own labels. https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerCreate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.connections import injected
from invoke_devstack.planning.mounts import container_mounts
from invoke_devstack.planning.names import container_name
from invoke_devstack.planning.networks import Networking, networking, shared_mode
from invoke_devstack.planning.observed import EngineInfo, ObservedContainer, ObservedImage
from invoke_devstack.planning.ports import WantedPort, exposed_ports, port_bindings
from invoke_devstack.planning.resources import resources
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Healthcheck, Service

_ANNOTATIONS = (1, 43)
_START_INTERVAL = (1, 44)
_NANO = 10**9
_API_SOCKET = "/var/run/docker.sock"

_RESTART_NAMES = {"none": "no", "any": "always"}


@record
class BodyOptions:
    """What a body depends on beside the definition.

    `bind` is the host address of published ports that name none ("" leaves it to the engine, as
    Compose does). `ports` are host ports that stand for the wanted ones. `environment` is what the
    Docker client's configuration gives every container (its proxies). `seccomp` is path -> compact
    JSON of the profiles that `security_opt` names. `containers` is service -> id or name of the
    container that stands for it in `service:x`, `volumes_from` and `links`.
    """

    engine: EngineInfo
    bind: str = ""
    ports: Mapping[WantedPort, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    seccomp: Mapping[str, str] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)
    oneoff: bool = False


@record
class ContainerBody:
    """`body` for the creation, and the networks that are joined after it."""

    body: dict[str, Any]
    more_networks: dict[str, dict[str, Any]]


def container_body(
    definition: Definition,
    service: Service,
    number: int,
    options: BodyOptions,
    *,
    labels: Mapping[str, str],
    image: ObservedImage | None = None,
    replaces: ObservedContainer | None = None,
) -> ContainerBody:
    """The body of container `number` of `service`, with `labels`. `replaces` gives its anonymous volumes.

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
        aliases=not options.oneoff,
    )
    mounts = container_mounts(definition, service, options.engine, replaces=replaces, image=image)
    host = _host_config(service, options, network, links) | resources(service)
    binds = [*mounts.binds, *([f"{_API_SOCKET}:{_API_SOCKET}:rw"] if service.use_api_socket else [])]
    host |= _filled({"Binds": binds, "Mounts": list(mounts.mounts), "Tmpfs": dict(mounts.tmpfs)})
    body = _config(definition, service, options, network) | {"Labels": dict(labels), "HostConfig": host}
    if network.endpoints:
        body["NetworkingConfig"] = {"EndpointsConfig": network.endpoints}
    return ContainerBody(body, network.later)


def service_labels(
    definition: Definition, service: Service, number: int, config_hash: str, *, oneoff: bool = False
) -> dict[str, str]:
    """The service's own labels, and Compose's. One-off containers have no number (`number` 0)."""
    labels = dict(service.labels) | label.project_labels(definition, service.name, oneoff=oneoff)
    labels[label.CONFIG_HASH] = config_hash
    labels[label.DEPENDS_ON] = label.depends_on_label(service)
    if number:
        labels[label.NUMBER] = str(number)
    return labels


def container_links(definition: Definition, service: Service, number: int) -> list[str]:
    """`links` and `external_links` as `CONTAINER:ALIAS`, a link under each of Compose's three names."""
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
    definition: Definition, service: Service, options: BodyOptions, network: Networking
) -> dict[str, Any]:
    environment: dict[str, str | None] = {
        **options.environment,
        **injected(definition, service),
        **service.environment,
    }
    if service.use_api_socket:
        environment.setdefault("DOCKER_CONFIG", "/run/secrets/docker")
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
        | _filled(
            {
                "Env": [name if value is None else f"{name}={value}" for name, value in environment.items()],
                "ExposedPorts": exposed_ports(service),
                "Hostname": service.hostname,
                "Domainname": service.domainname,
                "User": service.user,
                "WorkingDir": service.working_dir,
                "StopSignal": service.stop_signal,
                "MacAddress": network.mac_address,
                "NetworkDisabled": service.network_mode == "disabled",
                "Healthcheck": _healthcheck(service.healthcheck, options.engine),
            }
        )
        | ({} if service.stop_grace_period is None else {"StopTimeout": int(service.stop_grace_period)})
    )


def _host_config(
    service: Service, options: BodyOptions, network: Networking, links: list[str]
) -> dict[str, Any]:
    security, unconfined = _security(service, options.seccomp)
    host: dict[str, Any] = {
        "NetworkMode": network.mode,
        "RestartPolicy": _restart_policy(service),
        "Annotations": dict(service.annotations) if options.engine.api >= _ANNOTATIONS else {},
        "CapAdd": _capabilities(service.cap_add),
        "CapDrop": _capabilities(service.cap_drop),
        "CgroupnsMode": service.cgroup,
        "IpcMode": shared_mode(service.ipc or "", options.containers),
        "PidMode": shared_mode(service.pid or "", options.containers),
        "UTSMode": service.uts,
        "UsernsMode": service.userns_mode,
        "ReadonlyRootfs": service.read_only,
        "Privileged": service.privileged,
        "ShmSize": int(service.shm_size or 0),
        "Sysctls": dict(service.sysctls),
        "VolumesFrom": _volumes_from(service, options.containers),
        "Dns": list(service.dns),
        "DnsSearch": list(service.dns_search),
        "DnsOptions": list(service.dns_opt),
        "SecurityOpt": security,
        "StorageOpt": dict(service.storage_opt),
        "Isolation": service.isolation,
        "Runtime": service.runtime,
        "GroupAdd": list(service.group_add),
        "Links": links,
        "OomScoreAdj": service.oom_score_adj,
    }
    if service.logging:
        host["LogConfig"] = {"Type": service.logging.driver or "", "Config": dict(service.logging.options)}
    body = _filled(host) | {
        "PortBindings": port_bindings(service, options.bind, options.ports),
        "ExtraHosts": [host.replace("=", ":", 1) for host in service.extra_hosts],
    }
    if service.init is not None:
        body["Init"] = service.init
    if unconfined:
        body |= {"MaskedPaths": [], "ReadonlyPaths": []}
    return body


def _capabilities(names: tuple[str, ...]) -> list[str]:
    """As Docker's client writes them: `CAP_NET_ADMIN` for `net_admin`, sorted, `ALL` alone if it is there."""
    full = {name.upper() for name in names}
    if "ALL" in full:
        return ["ALL"]
    return sorted(name if name.startswith("CAP_") else f"CAP_{name}" for name in full)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty, which the engine takes as not given."""
    return {key: value for key, value in values.items() if value}


def _restart_policy(service: Service) -> dict[str, Any]:
    policy = service.deploy.restart_policy if service.deploy else None
    if policy:
        name, attempts = policy.condition or "", policy.max_attempts or 0
    else:
        name, _, number = (service.restart or "").partition(":")
        attempts = int(number) if number.isdecimal() else 0
    return _filled({"Name": _RESTART_NAMES.get(name, name), "MaximumRetryCount": attempts})


def _healthcheck(check: Healthcheck | None, engine: EngineInfo) -> dict[str, Any] | None:
    """Times are in nanoseconds. Where the engine knows no `start_interval`, the probe stands in for it."""
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
    return _filled(body)


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
    """The options with seccomp profiles put in, and whether the system's paths are to be laid open."""
    options: list[str] = []
    for option in service.security_opt:
        if option == "systempaths=unconfined":
            continue
        path = seccomp_path(option)
        if path and path not in profiles:
            raise DefinitionError(
                f"the seccomp profile `{path}` of `{service.name}` cannot be read",
                hint="`security_opt` names a JSON file beside the Compose file. Correct the path.",
            )
        options.append(f"seccomp={profiles[path]}" if path else option)
    return options, "systempaths=unconfined" in service.security_opt


def seccomp_path(option: str) -> str:
    """The file that a line of `security_opt` names, or "". Relative to the project's directory."""
    kind, separator, value = option.partition("=" if "=" in option else ":")
    named = kind == "seccomp" and separator and value not in ("unconfined", "builtin")
    return value if named else ""

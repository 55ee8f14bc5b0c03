"""`services`: all keys of a service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from invoke_devstack.definition.attributes import decode, merge, paths
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.build import BUILD, Build, Develop
from invoke_devstack.definition.attributes.deploy import Deploy, DeviceRequest, device_requests
from invoke_devstack.definition.attributes.mounts import MOUNTS, Mount
from invoke_devstack.definition.attributes.networks import SERVICE_NETWORKS, ServiceNetwork
from invoke_devstack.definition.attributes.part import ANY_NAME, Part, ValueType, derived, dropped, key
from invoke_devstack.definition.attributes.ports import PORTS, Port
from invoke_devstack.definition.attributes.service_parts import (
    DEPENDS_ON,
    DEVICES,
    ENV_FILES,
    EXTRA_HOSTS,
    LOGGING,
    BlkioConfig,
    CredentialSpec,
    Dependency,
    Device,
    EnvFile,
    Extends,
    FileReference,
    Healthcheck,
    Hook,
    Logging,
    PreStartHook,
    Provider,
    ServiceModel,
    Ulimit,
    default_secret_target,
    file_references,
    ulimits_of,
)
from invoke_devstack.definition.syntax.tree import Location, Steps, dotted, fail, items_of, kind_of, table_of
from invoke_devstack.definition.syntax.units import Bytes, Seconds

_CONTAINER_NAME = t.TEXT.but(
    pattern=re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
    expected="two or more letters, digits, `.`, `_` or `-`",
)
_PULL_POLICY = t.TEXT.but(
    pattern=re.compile(
        r"always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+"
    ),
    expected="`always`, `never`, `missing`, `build`, `daily`, `weekly` or `every_<duration>`",
)
_MODELS: ValueType[Mapping[str, ServiceModel | None]] = t.named_or_nothing(
    t.part(ServiceModel),
    items=t.TEXT,
    distinct=True,
    lenient=True,
    promote=merge.by_name,
    expand=merge.by_name,
)
_LABEL_FILES: ValueType[tuple[str, ...]] = t.TEXTS.but(
    text=True, items=t.TEXT.but(resolve=paths.path), promote=merge.as_list, expand=t.listed
)
_STORAGE_OPTIONS = t.TEXT_OPTIONS.but(values=t.TEXT.but(integer=True, nothing=True), names=ANY_NAME)
_NUMBERS: ValueType[tuple[str, ...]] = t.TEXTS.but(items=t.NUMBER.but(cast=None), distinct=True)


def _exposed_port(value: Any, location: Location, steps: Steps) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise fail(f"`{dotted(steps)}` must be a port, not {kind_of(value)}", location, steps)


def _expand_gpus(value: Any, location: Location, steps: Steps) -> Any:
    if not isinstance(value, str):
        return value
    return items_of([(table_of({"count": value}, location), location)], location)


class Service(Part):
    """One service. `command` and `entrypoint` None leave the image's; an empty one clears it."""

    name: str = derived("")
    extends: None = dropped(t.part(Extends, text=True))
    pull_refresh_after: str | None = key(t.TEXT, hashed=False, printed=False, carried_out=False)

    profiles: tuple[str, ...] = key(t.unique(t.DISTINCT_TEXTS), hashed=False)
    annotations: Mapping[str, str] = key(t.merged(t.LABELS))
    attach: bool | None = key(t.SWITCH, default=None, keep_zero=True)
    build: Build | None = key(BUILD, keep_zero=True, hashed=False)
    develop: Develop | None = key(t.part(Develop, nothing=True), keep_zero=True)
    blkio_config: BlkioConfig | None = key(t.part(BlkioConfig), keep_zero=True)
    cap_add: tuple[str, ...] = key(t.unique(t.DISTINCT_TEXTS))
    cap_drop: tuple[str, ...] = key(t.unique(t.DISTINCT_TEXTS))
    cgroup_parent: str | None = key(t.TEXT)
    cgroup: str | None = key(t.one_of("host", "private"))
    cpu_count: int | None = key(t.between(t.COUNT, 0))
    cpu_percent: float | None = key(t.between(t.FRACTION.but(number=False, integer=True), 0, 100))
    cpu_period: int | None = key(t.NUMBER)
    cpu_quota: int | None = key(t.NUMBER)
    cpu_rt_period: int | None = key(t.NUMBER)
    cpu_rt_runtime: int | None = key(t.NUMBER)
    cpus: float | None = key(t.FRACTION)
    cpuset: str | None = key(t.TEXT)
    cpu_shares: int | None = key(t.NUMBER)
    command: tuple[str, ...] | None = key(t.replaced(t.COMMAND), always=True)
    configs: tuple[FileReference, ...] = key(file_references(""))
    container_name: str | None = key(_CONTAINER_NAME)
    credential_spec: CredentialSpec | None = key(t.part(CredentialSpec), keep_zero=True, carried_out=False)
    depends_on: Mapping[str, Dependency] = key(DEPENDS_ON, hashed=False)
    deploy: Deploy | None = key(t.part(Deploy, nothing=True), keep_zero=True)
    device_cgroup_rules: tuple[str, ...] = key(t.DISTINCT_TEXTS)
    devices: tuple[Device, ...] = key(DEVICES)
    dns: tuple[str, ...] = key(t.merged(t.TEXT_OR_LIST).but(expand=t.without_empty))
    dns_opt: tuple[str, ...] = key(t.merged(t.DISTINCT_TEXTS))
    dns_search: tuple[str, ...] = key(t.merged(t.TEXT_OR_LIST))
    domainname: str | None = key(t.TEXT)
    entrypoint: tuple[str, ...] | None = key(t.replaced(t.COMMAND), always=True)
    provider: Provider | None = key(t.part(Provider), keep_zero=True, carried_out=False)
    environment: Mapping[str, str | None] = key(t.merged(t.VARIABLES))
    inline_environment: Mapping[str, str | None] = derived({})  # without `env_file`
    env_file: tuple[EnvFile, ...] = key(ENV_FILES, printed=False)  # its values are in `environment`
    expose: tuple[str, ...] = key(
        _NUMBERS.but(decode=decode.shown_texts, unique=merge.unique_by(_exposed_port))
    )
    external_links: tuple[str, ...] = key(t.DISTINCT_TEXTS)
    extra_hosts: tuple[str, ...] = key(EXTRA_HOSTS)  # `name=address`
    group_add: tuple[str, ...] = key(_NUMBERS)
    gpus: tuple[DeviceRequest, ...] = key(
        device_requests(lenient=True, text=True, choices=("all",), expand=_expand_gpus)
    )
    hostname: str | None = key(t.TEXT)
    healthcheck: Healthcheck | None = key(t.part(Healthcheck), keep_zero=True)
    image: str | None = key(t.TEXT)
    init: bool | None = key(t.SWITCH, default=None, keep_zero=True)
    ipc: str | None = key(t.TEXT)
    isolation: str | None = key(t.TEXT)
    labels: Mapping[str, str] = key(t.merged(t.LABELS))
    label_file: tuple[str, ...] = key(_LABEL_FILES, printed=False)  # its values are in `labels`
    links: tuple[str, ...] = key(t.unique(t.DISTINCT_TEXTS))
    logging: Logging | None = key(LOGGING, keep_zero=True)
    mem_limit: Bytes | None = key(t.SIZE)
    mem_reservation: Bytes | None = key(t.WHOLE_SIZE)
    memswap_limit: Bytes | None = key(t.SIZE)
    mem_swappiness: Bytes | None = key(t.WHOLE_SIZE)  # a percentage, printed as Compose prints sizes
    mac_address: str | None = key(t.TEXT)
    models: Mapping[str, ServiceModel | None] = key(_MODELS, carried_out=False)
    network_mode: str | None = key(t.TEXT)
    networks: Mapping[str, ServiceNetwork | None] = key(SERVICE_NETWORKS)
    oom_kill_disable: bool = key(t.SWITCH)
    oom_score_adj: int | None = key(t.between(t.COUNT, -1000, 1000))
    pid: str | None = key(t.TEXT.but(nothing=True))
    pids_limit: int | None = key(t.NUMBER)
    platform: str | None = key(t.TEXT)
    ports: tuple[Port, ...] = key(PORTS)
    privileged: bool = key(t.SWITCH)
    pull_policy: str | None = key(_PULL_POLICY, hashed=False)
    read_only: bool = key(t.SWITCH)
    restart: str | None = key(t.TEXT)
    runtime: str | None = key(t.TEXT)
    scale: int | None = key(t.COUNT, keep_zero=True, hashed=False)
    secrets: tuple[FileReference, ...] = key(file_references("/run/secrets", complete=default_secret_target))
    security_opt: tuple[str, ...] = key(t.DISTINCT_TEXTS)
    shm_size: Bytes | None = key(t.SIZE)
    stdin_open: bool = key(t.SWITCH)
    stop_grace_period: Seconds | None = key(t.DURATION, keep_zero=True)
    stop_signal: str | None = key(t.TEXT)
    storage_opt: Mapping[str, str] = key(_STORAGE_OPTIONS)
    sysctls: Mapping[str, str] = key(t.merged(t.LABELS))
    tmpfs: tuple[str, ...] = key(t.merged(t.TEXT_OR_LIST))
    tty: bool = key(t.SWITCH)
    ulimits: Mapping[str, int | Ulimit] = key(ulimits_of(Ulimit, merge=merge.replace))
    use_api_socket: bool = key(t.FLAG)
    user: str | None = key(t.TEXT)
    userns_mode: str | None = key(t.TEXT)
    uts: str | None = key(t.TEXT)
    volumes: tuple[Mount, ...] = key(MOUNTS)
    volumes_from: tuple[str, ...] = key(t.DISTINCT_TEXTS)
    working_dir: str | None = key(t.TEXT)
    pre_start: tuple[PreStartHook, ...] = key(t.list_of(t.part(PreStartHook)))
    post_start: tuple[Hook, ...] = key(t.list_of(t.part(Hook)))
    pre_stop: tuple[Hook, ...] = key(t.list_of(t.part(Hook)))

    def scale_count(self) -> int:
        """How many containers the service has: `scale`, else `deploy.replicas`, else 1."""
        if self.scale is not None:
            return self.scale
        if self.deploy is not None and self.deploy.replicas is not None:
            return self.deploy.replicas
        return 1

    def image_name(self, project: str) -> str:
        """The image that its containers run: `image`, else `PROJECT-SERVICE` as Compose names built ones."""
        return self.image or f"{project}-{self.name}"

    def networks_by_priority(self) -> tuple[str, ...]:
        """The networks' keys in the order in which they are joined: by priority, then by name."""

        def rank(key: str) -> tuple[int, str]:
            joined = self.networks[key]
            return (-joined.priority if joined else 0, key)

        return tuple(sorted(self.networks, key=rank))

"""The normalised Compose model: every attribute in its long form, as `docker compose config` shows it.

Fields are named as the Compose Specification's keys and stand in the order in which Compose prints
them, because the hash that marks a container (`config_hash`) is made over that order. Durations are
seconds, sizes are bytes. A field that a file leaves out is None, empty or False.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from invoke_devstack.definition.origin import Origin
from invoke_devstack.definition.part import Part, key
from invoke_devstack.definition.parts import (
    BindOptions,
    BlkioConfig,
    Build,
    Condition,
    CredentialSpec,
    Dependency,
    Deploy,
    Develop,
    Device,
    DeviceRequest,
    DiscreteResource,
    EnvFile,
    FileReference,
    GenericResource,
    Healthcheck,
    Hook,
    ImageOptions,
    Ipam,
    IpamPool,
    Logging,
    Mount,
    Placement,
    PlacementPreference,
    Port,
    Provider,
    Resource,
    Resources,
    RestartPolicy,
    ServiceModel,
    ServiceNetwork,
    SshKey,
    ThrottleDevice,
    TmpfsOptions,
    Ulimit,
    UpdateConfig,
    VolumeOptions,
    WatchRule,
    WeightDevice,
)
from invoke_devstack.definition.units import Bytes, Seconds

__all__ = [
    "BindOptions",
    "BlkioConfig",
    "Build",
    "Bytes",
    "Condition",
    "CredentialSpec",
    "Definition",
    "Dependency",
    "Deploy",
    "Develop",
    "Device",
    "DeviceRequest",
    "DiscreteResource",
    "EnvFile",
    "FileObject",
    "FileReference",
    "GenericResource",
    "Healthcheck",
    "Hook",
    "ImageOptions",
    "Ipam",
    "IpamPool",
    "Logging",
    "ModelProvision",
    "Mount",
    "Network",
    "Part",
    "Placement",
    "PlacementPreference",
    "Port",
    "Provider",
    "Resource",
    "Resources",
    "RestartPolicy",
    "Seconds",
    "Service",
    "ServiceModel",
    "ServiceNetwork",
    "SshKey",
    "ThrottleDevice",
    "TmpfsOptions",
    "Ulimit",
    "UpdateConfig",
    "Volume",
    "VolumeOptions",
    "WatchRule",
    "WeightDevice",
]


class Service(Part):
    """One service. `command` and `entrypoint` None leave the image's; an empty one clears it."""

    name: str = key(default="", exclude=True)

    profiles: tuple[str, ...] = ()
    annotations: Mapping[str, str] = {}
    attach: bool | None = None
    build: Build | None = None
    develop: Develop | None = None
    blkio_config: BlkioConfig | None = None
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    cgroup_parent: str | None = None
    cgroup: str | None = None
    cpu_count: int | None = None
    cpu_percent: float | None = None
    cpu_period: int | None = None
    cpu_quota: int | None = None
    cpu_rt_period: int | None = None
    cpu_rt_runtime: int | None = None
    cpus: float | None = None
    cpuset: str | None = None
    cpu_shares: int | None = None
    command: tuple[str, ...] | None = None
    configs: tuple[FileReference, ...] = ()
    container_name: str | None = None
    credential_spec: CredentialSpec | None = None
    depends_on: Mapping[str, Dependency] = {}
    deploy: Deploy | None = None
    device_cgroup_rules: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    dns: tuple[str, ...] = ()
    dns_opt: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    domainname: str | None = None
    entrypoint: tuple[str, ...] | None = None
    provider: Provider | None = None
    environment: Mapping[str, str | None] = {}
    inline_environment: Mapping[str, str | None] = key(default={}, exclude=True)  # without `env_file`
    env_file: tuple[EnvFile, ...] = key(default=(), exclude=True)  # its values are in `environment`
    expose: tuple[str, ...] = ()
    external_links: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()  # `name=address`
    group_add: tuple[str, ...] = ()
    gpus: tuple[DeviceRequest, ...] = ()
    hostname: str | None = None
    healthcheck: Healthcheck | None = None
    image: str | None = None
    init: bool | None = None
    ipc: str | None = None
    isolation: str | None = None
    labels: Mapping[str, str] = {}
    label_file: tuple[str, ...] = key(default=(), exclude=True)  # its values are in `labels`
    links: tuple[str, ...] = ()
    logging: Logging | None = None
    mem_limit: Bytes | None = None
    mem_reservation: Bytes | None = None
    memswap_limit: Bytes | None = None
    mem_swappiness: Bytes | None = None  # a percentage, printed as Compose prints sizes
    mac_address: str | None = None
    models: Mapping[str, ServiceModel | None] = {}
    network_mode: str | None = None
    networks: Mapping[str, ServiceNetwork | None] = {}
    oom_kill_disable: bool = False
    oom_score_adj: int | None = None
    pid: str | None = None
    pids_limit: int | None = None
    platform: str | None = None
    ports: tuple[Port, ...] = ()
    privileged: bool = False
    pull_policy: str | None = None
    read_only: bool = False
    restart: str | None = None
    runtime: str | None = None
    scale: int | None = None
    secrets: tuple[FileReference, ...] = ()
    security_opt: tuple[str, ...] = ()
    shm_size: Bytes | None = None
    stdin_open: bool = False
    stop_grace_period: Seconds | None = None
    stop_signal: str | None = None
    storage_opt: Mapping[str, str] = {}
    sysctls: Mapping[str, str] = {}
    tmpfs: tuple[str, ...] = ()
    tty: bool = False
    ulimits: Mapping[str, int | Ulimit] = {}
    use_api_socket: bool = False
    user: str | None = None
    userns_mode: str | None = None
    uts: str | None = None
    volumes: tuple[Mount, ...] = ()
    volumes_from: tuple[str, ...] = ()
    working_dir: str | None = None
    pre_start: tuple[Hook, ...] = ()
    post_start: tuple[Hook, ...] = ()
    pre_stop: tuple[Hook, ...] = ()

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


class Network(Part):
    """A network. `name` is what the engine calls it; an external one is made by somebody else."""

    name: str = ""
    driver: str | None = None
    driver_opts: Mapping[str, str] = {}
    ipam: Ipam = Ipam()
    external: bool = False
    internal: bool = False
    attachable: bool = False
    labels: Mapping[str, str] = {}
    enable_ipv4: bool | None = None
    enable_ipv6: bool | None = None


class Volume(Part):
    """A named volume. `name` is what the engine calls it; an external one is made by somebody else."""

    name: str = ""
    driver: str | None = None
    driver_opts: Mapping[str, str] = {}
    external: bool = False
    labels: Mapping[str, str] = {}


class FileObject(Part):
    """A secret or config: from a `file` (absolute path), a variable of the `environment`, or its `content`.

    The content of one that comes from the environment is in `content` too.
    """

    name: str = ""
    file: str | None = None
    environment: str | None = None
    content: str | None = key(default=None, shown=False)
    external: bool = False
    labels: Mapping[str, str] = {}
    driver: str | None = None
    driver_opts: Mapping[str, str] = {}
    template_driver: str | None = None


class ModelProvision(Part):
    """A model that a provider serves; not carried out."""

    name: str | None = None
    model: str = ""
    context_size: int | None = None
    runtime_flags: tuple[str, ...] = ()


class Definition(Part):
    """All that a project's files say, read, merged and checked.

    `services` are those of the active profiles, `disabled_services` those left out. `files` are the
    absolute paths in the order in which they were merged. `not_carried_out` names, as dotted keys,
    what belongs to a swarm or a provider alone. `origins` says where values come from (`explain`), and
    `environment` has the variables that went into them: the process's and those of the `.env` files.
    """

    name: str
    working_dir: Path
    files: tuple[Path, ...] = ()
    env_files: tuple[Path, ...] = ()  # the `.env` files that were read
    read_files: tuple[Path, ...] = ()  # `files`, and those that they include and extend
    profiles: tuple[str, ...] = ()  # the active ones
    services: Mapping[str, Service] = {}
    disabled_services: Mapping[str, Service] = {}
    networks: Mapping[str, Network] = {}
    volumes: Mapping[str, Volume] = {}
    secrets: Mapping[str, FileObject] = {}
    configs: Mapping[str, FileObject] = {}
    models: Mapping[str, ModelProvision] = {}
    not_carried_out: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = key(default={}, shown=False, checked=False)
    environment: Mapping[str, str] = key(default={}, shown=False, checked=False)

    @property
    def project_name(self) -> str:
        """The project's name, as containers carry it."""
        return self.name

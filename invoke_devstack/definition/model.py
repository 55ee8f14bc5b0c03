"""The normalised Compose model: every attribute in its long form, as `docker compose config` shows it.

Fields are named as the Compose Specification's keys and stand in the order in which Compose prints
them, because the hash that marks a container (`config_hash`) is made over that order. Durations are
seconds, sizes are bytes. A field that a file leaves out is None, empty or False.

Importing this module costs the import of pydantic: what needs no model imports from
`invoke_devstack.definition` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from invoke_devstack.definition.origin import Origin
from invoke_devstack.definition.units import Bytes, Seconds

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


class Part(BaseModel):
    """Base of all parts of a definition: frozen. `extensions` are its `x-*` keys, as they were written."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, populate_by_name=True)

    extensions: Mapping[str, Any] = Field({}, exclude=True, repr=False)


class Ulimit(Part):
    """`ulimits`, long form. A single value stands for both; `single` is then set."""

    single: int | None = Field(None, exclude=True)
    soft: int = 0
    hard: int = 0


class FileReference(Part):
    """A secret or config as a service uses it. `mode` is an octal text such as `0440`."""

    source: str = ""
    target: str | None = None
    uid: str | None = None
    gid: str | None = None
    mode: str | None = None


class SshKey(Part):
    """A key or agent that a build may use. Without `path`, the agent of the user."""

    id: str
    path: str | None = None


class Build(Part):
    """How a service's image is built. `context` is an absolute path or a URL."""

    context: str | None = None
    dockerfile: str | None = None
    dockerfile_inline: str | None = None
    entitlements: tuple[str, ...] = ()
    args: Mapping[str, str | None] = {}
    provenance: str | None = None
    sbom: str | None = None
    ssh: tuple[SshKey, ...] = ()
    labels: Mapping[str, str] = {}
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    additional_contexts: Mapping[str, str] = {}
    pull: bool = False
    extra_hosts: tuple[str, ...] = ()
    isolation: str | None = None
    network: str | None = None
    target: str | None = None
    secrets: tuple[FileReference, ...] = ()
    shm_size: Bytes | None = None
    tags: tuple[str, ...] = ()
    ulimits: Mapping[str, int | Ulimit] = {}
    platforms: tuple[str, ...] = ()
    privileged: bool = False


class Hook(Part):
    """A command run in (`post_start`, `pre_stop`) or before (`pre_start`) a container."""

    command: tuple[str, ...] | None = None
    user: str | None = None
    privileged: bool = False
    working_dir: str | None = None
    environment: Mapping[str, str | None] = {}
    image: str | None = None
    per_replica: bool = False


class WatchRule(Part):
    """One rule of `develop.watch`: what to do when something under `path` (absolute) changes."""

    path: str
    action: Literal["sync", "rebuild", "restart", "sync+restart", "sync+exec"]
    target: str | None = None
    exec: Hook | None = None
    include: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    initial_sync: bool = False


class Develop(Part):
    """What the watch does for a service."""

    watch: tuple[WatchRule, ...] = ()


class WeightDevice(Part):
    """A block device and its share of I/O."""

    path: str = Field("", alias="Path")
    weight: int = Field(0, alias="Weight")


class ThrottleDevice(Part):
    """A block device and its highest rate, in bytes or operations a second."""

    path: str = Field("", alias="Path")
    rate: Bytes = Field(Bytes(0), alias="Rate")


class BlkioConfig(Part):
    """Limits of block I/O."""

    weight: int | None = None
    weight_device: tuple[WeightDevice, ...] = ()
    device_read_bps: tuple[ThrottleDevice, ...] = ()
    device_read_iops: tuple[ThrottleDevice, ...] = ()
    device_write_bps: tuple[ThrottleDevice, ...] = ()
    device_write_iops: tuple[ThrottleDevice, ...] = ()


class CredentialSpec(Part):
    """Credentials of a managed Windows service account."""

    config: str | None = None
    file: str | None = None
    registry: str | None = None


class Dependency(Part):
    """What a service waits for of another one, and whether it restarts with it."""

    condition: Condition = "service_started"
    restart: bool = False
    required: bool = True


class DeviceRequest(Part):
    """Devices asked from a driver. `count` -1 is all of them."""

    capabilities: tuple[str, ...] = ()
    driver: str | None = None
    count: int | None = None
    device_ids: tuple[str, ...] = ()
    options: Mapping[str, str] = {}


class DiscreteResource(Part):
    """A number of units of a resource that has no size."""

    kind: str = ""
    value: int = 0


class GenericResource(Part):
    """A resource that the user named; for a swarm alone."""

    discrete_resource_spec: DiscreteResource | None = None


class Resource(Part):
    """Limits or reservations. `cpus` are a number of processors."""

    cpus: float | None = None
    memory: Bytes | None = None
    pids: int | None = None
    devices: tuple[DeviceRequest, ...] = ()
    generic_resources: tuple[GenericResource, ...] = ()


class Resources(Part):
    """`deploy.resources`."""

    limits: Resource | None = None
    reservations: Resource | None = None


class UpdateConfig(Part):
    """How a swarm updates a service; not carried out on one engine."""

    parallelism: int | None = None
    delay: Seconds | None = None
    failure_action: str | None = None
    monitor: Seconds | None = None
    max_failure_ratio: float | None = None
    order: str | None = None


class RestartPolicy(Part):
    """`deploy.restart_policy`."""

    condition: str | None = None
    delay: Seconds | None = None
    max_attempts: int | None = None
    window: Seconds | None = None


class PlacementPreference(Part):
    """A label over whose values a swarm spreads a service."""

    spread: str | None = None


class Placement(Part):
    """Where a swarm puts a service; not carried out on one engine."""

    constraints: tuple[str, ...] = ()
    preferences: tuple[PlacementPreference, ...] = ()
    max_replicas_per_node: int | None = None


class Deploy(Part):
    """`deploy`: replicas, resources and the restart policy; the rest is a swarm's."""

    mode: str | None = None
    replicas: int | None = None
    labels: Mapping[str, str] = {}
    update_config: UpdateConfig | None = None
    rollback_config: UpdateConfig | None = None
    resources: Resources = Resources.model_construct()
    restart_policy: RestartPolicy | None = None
    placement: Placement = Placement.model_construct()
    endpoint_mode: str | None = None


class Device(Part):
    """A host device in a container."""

    source: str = ""
    target: str = ""
    permissions: str = ""


class Provider(Part):
    """A service that another program provides; not carried out."""

    type: str = ""
    options: Mapping[str, tuple[str, ...]] = {}


class EnvFile(Part):
    """A file of environment variables. `format` None is Compose's own; `raw` takes values as they are."""

    path: str = ""
    required: bool = True
    format: str | None = None


class Healthcheck(Part):
    """How an engine finds out that a container is healthy. `test` starts with NONE, CMD or CMD-SHELL."""

    test: tuple[str, ...] = ()
    timeout: Seconds | None = None
    interval: Seconds | None = None
    retries: int | None = None
    start_period: Seconds | None = None
    start_interval: Seconds | None = None
    disable: bool = False


class Logging(Part):
    """The log driver of a container."""

    driver: str | None = None
    options: Mapping[str, str] = {}


class ServiceModel(Part):
    """The variables that tell a service about a model; not carried out."""

    endpoint_var: str | None = None
    model_var: str | None = None


class ServiceNetwork(Part):
    """How a service joins a network. The network of the highest `priority` is joined first."""

    aliases: tuple[str, ...] = ()
    driver_opts: Mapping[str, str] = {}
    gw_priority: int = 0
    interface_name: str | None = None
    ipv4_address: str | None = None
    ipv6_address: str | None = None
    link_local_ips: tuple[str, ...] = ()
    mac_address: str | None = None
    priority: int = 0


class Port(Part):
    """A published port. `published` is a text: a port, a range of them, or None for any free one."""

    name: str | None = None
    mode: str | None = None
    host_ip: str | None = None
    target: int = 0
    published: str | None = None
    protocol: str = "tcp"
    app_protocol: str | None = None


class BindOptions(Part):
    """Options of a mount of type bind."""

    selinux: str | None = None
    propagation: str | None = None
    create_host_path: bool = False
    recursive: str | None = None


class VolumeOptions(Part):
    """Options of a mount of type volume."""

    labels: Mapping[str, str] = {}
    nocopy: bool = False
    subpath: str | None = None


class TmpfsOptions(Part):
    """Options of a mount of type tmpfs."""

    size: Bytes | None = None
    mode: int | None = None


class ImageOptions(Part):
    """Options of a mount of type image."""

    subpath: str | None = None


class Mount(Part):
    """A mount. Of a volume `source` is its key in `volumes` (None: anonymous), of a bind an absolute path."""

    type: Literal["bind", "volume", "tmpfs", "cluster", "npipe", "image"]
    source: str | None = None
    target: str | None = None
    read_only: bool = False
    consistency: str | None = None
    bind: BindOptions | None = None
    volume: VolumeOptions | None = None
    tmpfs: TmpfsOptions | None = None
    image: ImageOptions | None = None


class Service(Part):
    """One service. `command` and `entrypoint` None leave the image's; an empty one clears it."""

    name: str = Field("", exclude=True)

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
    inline_environment: Mapping[str, str | None] = Field({}, exclude=True)  # without what `env_file` adds
    env_file: tuple[EnvFile, ...] = Field((), exclude=True)  # its values are in `environment`
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
    label_file: tuple[str, ...] = ()
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


class IpamPool(Part):
    """A subnet of a network."""

    subnet: str | None = None
    gateway: str | None = None
    ip_range: str | None = None
    aux_addresses: Mapping[str, str] = {}


class Ipam(Part):
    """How a network gives addresses."""

    driver: str | None = None
    config: tuple[IpamPool, ...] = ()
    options: Mapping[str, str] = {}


class Network(Part):
    """A network. `name` is what the engine calls it; an external one is made by somebody else."""

    name: str = ""
    driver: str | None = None
    driver_opts: Mapping[str, str] = {}
    ipam: Ipam = Ipam.model_construct()
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
    content: str | None = Field(None, repr=False)
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
    origins: SkipValidation[Mapping[str, Origin]] = Field({}, repr=False)
    environment: SkipValidation[Mapping[str, str]] = Field({}, repr=False)

    @property
    def project_name(self) -> str:
        """The project's name, as containers carry it."""
        return self.name

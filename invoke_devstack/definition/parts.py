"""The parts of services and resources, as the model has them; `model.py` is what the rooms above import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from invoke_devstack.definition.part import Part, key
from invoke_devstack.definition.units import Bytes, Seconds

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


class Ulimit(Part):
    """`ulimits`, long form. A single value stands for both; `single` is then set."""

    single: int | None = key(default=None, exclude=True)
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

    path: str = key(default="", written_as="Path")
    weight: int = key(default=0, written_as="Weight")


class ThrottleDevice(Part):
    """A block device and its highest rate, in bytes or operations a second."""

    path: str = key(default="", written_as="Path")
    rate: Bytes = key(default=Bytes(0), written_as="Rate")


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
    resources: Resources = Resources()
    restart_policy: RestartPolicy | None = None
    placement: Placement = Placement()
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

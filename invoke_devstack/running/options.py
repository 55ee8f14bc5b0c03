"""The options and results of the entry points of `running`."""

from __future__ import annotations

from typing import Literal

from invoke_devstack.planning.options import BuildFlags
from invoke_devstack.planning.plan import Plan
from invoke_devstack.records import record


@record(kw_only=True)
class UpOptions:
    """No `services` means all of the active profiles. `ports` "" and `wait_timeout` (seconds) None mean as in
    the settings. `build` also builds services that have an image. `only_dependencies`: not `services`
    themselves; `alone`: nothing else is created or changed. `pull` overrides every `pull_policy`. `no_build`,
    `start`, `rerun`, `broken`, `recreate_dependencies`, `keep_existing`, `timeout` and `renew_all` are as in
    `PlanningOptions`."""

    services: tuple[str, ...] = ()
    build: bool = False
    pull: str = ""
    ports: str = ""
    wait_timeout: float | None = None
    no_build: bool = False
    start: bool = True
    rerun: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    force_recreate: bool = False
    recreate_dependencies: bool = False
    keep_existing: bool = False
    timeout: float | None = None
    renew_all: bool = False
    remove_orphans: bool = False
    only_dependencies: bool = False
    alone: bool = False
    tunnel: bool = False


@record(kw_only=True)
class UpResult:
    plan: Plan
    changed: bool
    services: tuple[str, ...]  # including dependencies
    seconds: float


@record(kw_only=True)
class DownOptions:
    """`timeout` (seconds) replaces every `stop_grace_period`. The caller must ask for consent to delete
    volumes, which `down.plan` names. `images`: also remove the images of services, those that were `built`
    here without an `image` or all."""

    volumes: bool = False
    timeout: float | None = None
    images: Literal["", "built", "all"] = ""


@record(kw_only=True)
class DownResult:
    """`kept_anonymous` and `deleted_anonymous` are places, `SERVICE-NUMBER:PATH`."""

    removed: tuple[str, ...]
    kept_volumes: tuple[str, ...]
    deleted_volumes: tuple[str, ...]
    kept_anonymous: tuple[str, ...]
    deleted_anonymous: tuple[str, ...]
    seconds: float


@record(kw_only=True)
class LogOptions:
    """No `services` means every service that has containers. `tail`: lines of each container, None for all.
    `since`, `until`: `10m` (ago), RFC 3339, or seconds since the epoch. `grep`: a regular expression.
    `prefixes`: lines begin with the service's name. `number`: only the container with this number of each
    service (0: all)."""

    services: tuple[str, ...] = ()
    follow: bool = False
    tail: int | None = None
    timestamps: bool = False
    since: str = ""
    until: str = ""
    grep: str = ""
    prefixes: bool = True
    number: int = 0


@record(kw_only=True)
class BuildOptions(BuildFlags):
    """No `services` means every service with `build:`. `with_dependencies`: also what they depend on."""

    services: tuple[str, ...] = ()
    with_dependencies: bool = False
    push: bool = False


@record(kw_only=True)
class BuiltImage:
    """`size` is in bytes. `cached_steps` of the `steps` came from the cache; `ran` are the others. `builder`:
    buildx or classic."""

    service: str
    tag: str
    image_id: str
    size: int
    layers: int
    cached_steps: int
    steps: int
    ran: tuple[str, ...]
    builder: str


@record(kw_only=True)
class ExecOptions:
    """A command in a running service; `SERVICE.N` is its Nth container. `tty` None: as our own input and
    output are. `detached`: return at once, and leave the command running."""

    service: str
    command: tuple[str, ...]
    tty: bool | None = None
    user: str = ""
    working_dir: str = ""
    environment: tuple[str, ...] = ()
    privileged: bool = False
    detached: bool = False


@record(kw_only=True)
class AttachOptions:
    """The main process of a running service; `SERVICE.N` is its Nth container. `stdin`: pass input on;
    `signals`: pass signals on. `detach_keys` as `ctrl-p,ctrl-q`, which is the default ("")."""

    service: str
    stdin: bool = True
    signals: bool = True
    detach_keys: str = ""


@record(kw_only=True)
class RunOptions:
    """A one-off container of a service. No `command` means the service's own. `volumes`:
    `SOURCE:TARGET[:ro]`. `publish`: `[HOST:]CONTAINER` ports. `dependencies`: start them first. `detached`:
    return once it runs; it is removed when its command ends. The others are as in `OneoffOptions`."""

    service: str
    command: tuple[str, ...] = ()
    tty: bool | None = None
    user: str = ""
    working_dir: str = ""
    environment: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None  # which gets the command as arguments
    dependencies: bool = True
    detached: bool = False
    build: bool = False
    pull: str = ""
    remove_orphans: bool = False
    name: str = ""
    labels: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    service_ports: bool = False
    use_aliases: bool = False

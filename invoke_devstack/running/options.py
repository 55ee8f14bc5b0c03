"""What the tasks may ask of each entry of this room, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from invoke_devstack.planning.plan import Plan
from invoke_devstack.records import record


@record(kw_only=True)
class UpOptions:
    """`services` empty is all of the active profiles. `ports` "" and `wait_timeout` None (seconds) are
    those of the settings. `build` builds also what has an image already."""

    services: tuple[str, ...] = ()
    build: bool = False
    ports: str = ""
    wait_timeout: float | None = None
    force_recreate: bool = False
    remove_orphans: bool = False


@record(kw_only=True)
class UpResult:
    plan: Plan
    changed: bool
    services: tuple[str, ...]  # those that are up, dependencies included
    seconds: float


@record(kw_only=True)
class DownOptions:
    """`timeout` (seconds) stands for every service's stop_grace_period. Consent to lose volumes is the
    caller's business: `down.plan` names them."""

    volumes: bool = False
    timeout: float | None = None


@record(kw_only=True)
class DownResult:
    removed: tuple[str, ...]
    kept_volumes: tuple[str, ...]
    deleted_volumes: tuple[str, ...]
    seconds: float


@record(kw_only=True)
class LogOptions:
    """`services` empty is every service that the project has containers of. `tail`: lines of each
    service, None is all. `since`/`until`: `10m`, RFC 3339, or seconds since the epoch. `grep`: a
    regular expression that a line must match."""

    services: tuple[str, ...] = ()
    follow: bool = False
    tail: int | None = None
    timestamps: bool = False
    since: str = ""
    until: str = ""
    grep: str = ""


@record(kw_only=True)
class BuildOptions:
    """`services` empty is every service with a `build`. `tag` is one more name for the image; `target`
    stands for `build.target`."""

    services: tuple[str, ...] = ()
    target: str = ""
    args: Mapping[str, str | None] = field(default_factory=dict)
    no_cache: bool = False
    pull: bool = False
    tag: str = ""
    push: bool = False


@record(kw_only=True)
class BuiltImage:
    """`size` is in bytes; `cached_steps` of `steps` came from the cache, the steps `ran` did not; `builder`
    is buildx or classic."""

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
    """A command in a running service. `tty` None: a terminal if ours is one. `service` may be followed
    by `.N` for its Nth container."""

    service: str
    command: tuple[str, ...]
    tty: bool | None = None
    user: str = ""
    working_dir: str = ""
    environment: tuple[str, ...] = ()


@record(kw_only=True)
class RunOptions:
    """A one-off container of a service. `command` empty is the service's own. `volumes` are
    `SOURCE:TARGET[:ro]`, `publish` are `[HOST:]CONTAINER` ports; `dependencies` False starts none."""

    service: str
    command: tuple[str, ...] = ()
    tty: bool | None = None
    user: str = ""
    working_dir: str = ""
    environment: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    entrypoint: str = ""  # one program; the command's words are its arguments
    dependencies: bool = True

"""What a plan that creates containers depends on, beside the definition and what is on the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Literal

from invoke_devstack.planning.host_files import HostFile
from invoke_devstack.planning.ports import WantedPort
from invoke_devstack.records import record


@record(kw_only=True)
class PlanningOptions:
    """`services` empty means all active ones. Of what they depend on, `dependencies` says: bring it `up` too;
    bring up `only` that, for a one-off container; or `settle` what is there, that is start and await it.
    `build` also builds images that exist, `no_build` none at all. `pull` overrides every `pull_policy`.
    `images_ready`: a first plan has already brought the images. Without `start`, containers are created and
    none is started.

    `rerun` are services that run again although they have completed. `broken` are the ids of containers that
    the engine cannot start any more: they are recreated.

    `force_recreate` recreates the containers of `services`, `recreate_dependencies` those of what they depend
    on; `keep_existing` leaves them as they are, although their definition changed. `timeout` (seconds)
    replaces every `stop_grace_period`.

    `renewed_volumes` are pairs of service and path: the anonymous volumes that are not taken over;
    `renew_all`: none is, of any container that is created.

    `hooks` are the names of the team's hooks (`before web`, `after web`) that run if their service is
    created or started; `always_hooks` run each time. `bind`, `ports`, `environment`, `seccomp` and
    `host_files` are those of `bodies.container.BodyOptions`. `logins` is the `config.json` of services with
    `use_api_socket`. `wait_timeout` is in seconds. `now` (with a time zone) decides whether
    `pull_policy: daily` and the like pull again.
    """

    services: tuple[str, ...] = ()
    dependencies: Literal["up", "only", "settle"] = "up"
    build: bool = False
    no_build: bool = False
    pull: str = ""
    images_ready: bool = False
    start: bool = True
    rerun: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    force_recreate: bool = False
    recreate_dependencies: bool = False
    keep_existing: bool = False
    timeout: float | None = None
    renewed_volumes: frozenset[tuple[str, str]] = frozenset()
    renew_all: bool = False
    remove_orphans: bool = False
    no_cache: bool = False
    bind: str = "127.0.0.1"
    wait_timeout: float = 120.0
    hooks: frozenset[str] = frozenset()
    always_hooks: frozenset[str] = frozenset()
    ports: Mapping[WantedPort, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    seccomp: Mapping[str, str] = field(default_factory=dict)
    host_files: Mapping[str, HostFile] = field(default_factory=dict)
    logins: str = ""
    now: datetime | None = None


@record
class BuildFlags:
    """The flags of `invoke build`. `tag` is an additional name; `target` overrides `build.target`, `ssh`
    (each `ID` or `ID=PATH`) `build.ssh`."""

    args: Mapping[str, str | None] | None = None
    no_cache: bool = False
    pull: bool = False
    tag: str = ""
    target: str = ""
    ssh: tuple[str, ...] = ()


@record(kw_only=True)
class CommitFlags:
    """The flags of `invoke commit`, as in `CommitContainer`."""

    reference: str = ""
    author: str = ""
    message: str = ""
    changes: tuple[str, ...] = ()
    pause: bool = True


@record
class TransferFlags:
    """The flags of `invoke pull` and `push`. `with_dependencies`: also the images of what named services
    depend on; `without_buildable`: no image that can be built here; `optional`: a failure is a warning."""

    with_dependencies: bool = False
    without_buildable: bool = False
    optional: bool = False

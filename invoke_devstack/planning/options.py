"""What a plan of `up` and its kin depends on beside the definition and what is observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from invoke_devstack.planning.ports import WantedPort
from invoke_devstack.records import record


@record(kw_only=True)
class UpOptions:
    """`services` empty is all that are active. `build` builds images that are there too. `pull` stands
    for every `pull_policy`. `images_ready` says that a first plan has already brought the images.

    `hooks` are the names of the team's hooks (`before web`, `after web`) that run when their service
    is created or started; `always_hooks` those that run each time. `bind`, `ports`, `environment` and
    `seccomp` are those of `planning.body.BodyOptions`. `wait_timeout` is in seconds. `now` (with its zone)
    is what `pull_policy: daily` and its kin are measured by.
    """

    services: tuple[str, ...] = ()
    dependencies: bool = True
    build: bool = False
    pull: str = ""
    images_ready: bool = False
    force_recreate: bool = False
    renew_volumes: bool = False
    remove_orphans: bool = False
    no_cache: bool = False
    bind: str = "127.0.0.1"
    wait_timeout: float = 120.0
    hooks: frozenset[str] = frozenset()
    always_hooks: frozenset[str] = frozenset()
    ports: Mapping[WantedPort, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    seccomp: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None

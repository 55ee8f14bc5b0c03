"""`invoke create` and `invoke scale`: containers that are only created, and another number of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.tasks import flags
from invoke_devstack.tasks.declare import WAIT_HELP, task
from invoke_devstack.tasks.hosts import Hosts, on_host_now
from invoke_devstack.tasks.tracing import as_it_traces

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "create",
    json="events",
    gathers=True,
    plans=True,
    flags={
        "service": "Only this service and its dependencies. Repeat it, or separate names with commas.",
        "build": "Build images first, even if they exist.",
        "no_build": "Build no image. One that is missing is an error.",
        "pull": "`always`, `missing` or `never`, instead of every `pull_policy`; `build` is --build.",
        "scale": "Another number of containers, as SERVICE=N; repeatable.",
        "force_recreate": "Recreate containers even if nothing changed.",
        "no_recreate": "Keep containers that exist as they are, even if their definition changed.",
        "remove_orphans": "Remove containers of services that are no longer in the Compose files.",
    },
)
def create(
    work: Work,
    service: tuple[str, ...] = (),
    build: bool = False,
    no_build: bool = False,
    pull: str = "",
    scale: tuple[str, ...] = (),
    force_recreate: bool = False,
    no_recreate: bool = False,
    remove_orphans: bool = False,
) -> None:
    """Create containers, but start none."""
    from invoke_devstack.running.options import UpOptions
    from invoke_devstack.running.stack import create as creating

    flags.at_most_one(build=build, no_build=no_build)
    flags.at_most_one(force_recreate=force_recreate, no_recreate=no_recreate)
    policy = flags.choice("pull", pull, ("always", "missing", "never", "build")) if pull else ""
    hosts = Hosts(work, on_host_now(work), scale=flags.scales(scale))
    options = UpOptions(
        services=hosts.with_hosted(work.services(service)),
        build=build or policy == "build",
        no_build=no_build,
        pull="" if policy == "build" else policy,
        force_recreate=force_recreate,
        keep_existing=no_recreate,
        remove_orphans=remove_orphans,
    )
    with work.session(as_it_traces(work).applied(hosts.prepared())) as session:
        creating.create(session, options)


@task(
    "scale",
    json="events",
    gathers=True,
    plans=True,
    words="scale",
    flags={
        "scale": "SERVICE=N, such as `web=3`, as words after the task or with this flag. Repeatable.",
        "no_deps": "Do not start what these services depend on.",
        "wait_timeout": WAIT_HELP,
    },
)
def scale(
    work: Work,
    scale: tuple[str, ...] = (),
    no_deps: bool = False,
    wait_timeout: str = "",
) -> None:
    """Run another number of containers: `scale web=3`.

    Until the next `up`, which goes by the Compose files again.
    """
    from invoke_devstack.running.options import UpOptions
    from invoke_devstack.running.stack.up import bring_up

    counts = flags.scales(scale)
    if not counts:
        raise UsageError("no service given", hint="Example: `invoke scale web=3`.")
    hosts = Hosts(work, on_host_now(work), scale=counts)
    options = UpOptions(
        services=work.services(tuple(counts)),
        alone=no_deps,
        wait_timeout=flags.seconds("wait-timeout", wait_timeout),
    )
    with work.session(as_it_traces(work).applied(hosts.prepared())) as session, _advising(counts):
        bring_up(session, options)


@contextmanager
def _advising(counts: Mapping[str, int]) -> Iterator[None]:
    """Hints to use `up` instead keep the numbers that were asked for."""
    try:
        yield
    except DevstackError as error:
        scale = " ".join(f"--scale {name}={number}" for name, number in counts.items())
        error.hint = error.hint.replace("`invoke up --", f"`invoke up {scale} --")
        raise

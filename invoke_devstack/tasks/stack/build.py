"""Images of services: build, pull, push."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import assignments, choice

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work

_DEPENDENCIES_HELP = "Also those of what the named services depend on."


@task(
    "build",
    json="events",
    plans=True,
    shorts={"build_arg": "a", "tag": "t"},
    flags={
        "build_arg": "A build argument as KEY=VALUE; repeatable.",
        "no_cache": "Do not use the build cache.",
        "pull": "Pull newer base images first.",
        "target": "Build this stage of the Dockerfile instead of `build.target`.",
        "tag": "An additional name for the image.",
        "push": "Push the images after building them.",
        "ssh": "An ssh agent or key for the build, as `default` or ID=PATH; repeatable.",
        "with_dependencies": "Also build what the named services depend on.",
    },
)
def build(
    work: Work,
    service: tuple[str, ...] = (),
    build_arg: tuple[str, ...] = (),
    no_cache: bool = False,
    pull: bool = False,
    target: str = "",
    tag: str = "",
    push: bool = False,
    ssh: tuple[str, ...] = (),
    with_dependencies: bool = False,
) -> None:
    """Build the images of services that have `build`."""
    from invoke_devstack.running.images.build import build_images
    from invoke_devstack.running.options import BuildOptions

    options = BuildOptions(
        services=work.services(service),
        args=assignments("build-arg", build_arg),
        no_cache=no_cache,
        pull=pull,
        target=target,
        tag=tag,
        push=push,
        ssh=tuple(ssh),
        with_dependencies=with_dependencies,
    )
    with work.session() as session:
        built = build_images(session, options)
    rows: list[dict[str, object]] = [
        {**asdict(image), "image": image.tag, "cached": f"{image.cached_steps} of {image.steps} steps"}
        for image in built
    ]
    columns = ("service", "image", "size", "layers", "cached", "ran")
    work.table("built", columns, rows, "no service has `build`")


@task(
    "pull",
    json="events",
    plans=True,
    flags={
        "include_deps": _DEPENDENCIES_HELP,
        "ignore_buildable": "Pull no image that can be built here.",
        "ignore_pull_failures": "Go on if an image cannot be pulled, with a warning.",
        "policy": "`always` (default) or `missing`: only images that are not here yet.",
    },
)
def pull(
    work: Work,
    service: tuple[str, ...] = (),
    include_deps: bool = False,
    ignore_buildable: bool = False,
    ignore_pull_failures: bool = False,
    policy: str = "always",
) -> None:
    """Pull the images of services."""
    from invoke_devstack.planning.options import TransferFlags
    from invoke_devstack.running.images import build as images

    only_missing = choice("policy", policy, ("always", "missing")) == "missing"
    flags = TransferFlags(include_deps, ignore_buildable, ignore_pull_failures)
    with work.session() as session:
        images.pull(session, work.services(service), flags, only_missing=only_missing)


@task(
    "push",
    json="events",
    plans=True,
    flags={
        "include_deps": _DEPENDENCIES_HELP,
        "ignore_push_failures": "Go on if an image cannot be pushed, with a warning.",
    },
)
def push(
    work: Work,
    service: tuple[str, ...] = (),
    include_deps: bool = False,
    ignore_push_failures: bool = False,
) -> None:
    """Push the images that are built here."""
    from invoke_devstack.planning.options import TransferFlags
    from invoke_devstack.running.images import build as images

    flags = TransferFlags(with_dependencies=include_deps, optional=ignore_push_failures)
    with work.session() as session:
        images.push(session, work.services(service), flags)

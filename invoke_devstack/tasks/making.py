"""Images got, made and given; and the watch: build, pull, push, watch."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work


@command(
    "build",
    json="events",
    shorts={"build_arg": "a", "tag": "t"},
    flags={
        "build_arg": "A build argument, as KEY=VALUE; may be repeated.",
        "no_cache": "Run every step again.",
        "pull": "Get newer versions of the base images first.",
        "target": "Build up to this stage of the Dockerfile, in place of `build.target`.",
        "tag": "One more name for the image.",
        "push": "Push the images when they are built.",
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
    explain: bool = False,
    json: bool = False,
) -> None:
    """Build the images that have a `build`."""
    from invoke_devstack.running import build as running
    from invoke_devstack.running.options import BuildOptions

    options = BuildOptions(
        services=work.services(service),
        args=values.assignments("build-arg", build_arg),
        no_cache=no_cache,
        pull=pull,
        target=target,
        tag=tag,
        push=push,
    )
    with work.session(explain=explain) as session:
        built = running.build_images(session, options)
    rows: list[dict[str, object]] = [
        {**asdict(image), "image": image.tag, "cached": f"{image.cached_steps} of {image.steps} steps"}
        for image in built
    ]
    columns = ("service", "image", "size", "layers", "cached", "ran")
    work.table("built", columns, rows, "no service has a `build`")


@command("pull", json="events")
def pull(work: Work, service: tuple[str, ...] = (), explain: bool = False, json: bool = False) -> None:
    """Get the services' images from their registries."""
    from invoke_devstack.running import images

    with work.session(explain=explain) as session:
        images.pull(session, work.services(service))


@command("push", json="events")
def push(work: Work, service: tuple[str, ...] = (), explain: bool = False, json: bool = False) -> None:
    """Push the images that are built here."""
    from invoke_devstack.running import images

    with work.session(explain=explain) as session:
        images.push(session, work.services(service))


@command(
    "watch",
    json="events",
    flags={
        "apply_definitions": "Carry out changes of the Compose files too, instead of telling them.",
    },
)
def watch(
    work: Work,
    service: tuple[str, ...] = (),
    apply_definitions: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Keep what runs as the files are, until Ctrl-C."""
    from invoke_devstack.running import watch as running

    options = running.WatchOptions(
        services=work.services(service), apply_definitions=apply_definitions, reload=work.load_definition
    )
    with work.session(explain=explain) as session:
        running.watch(session, options)

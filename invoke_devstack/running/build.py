"""Builds the images of services, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import BuildResult
from invoke_devstack.errors import UsageError
from invoke_devstack.planning.images import BuildFlags
from invoke_devstack.planning.plan import BuildImage
from invoke_devstack.planning.rebuild import plan_build
from invoke_devstack.planning.select import activated
from invoke_devstack.running import images
from invoke_devstack.running.executor import carry_out
from invoke_devstack.running.options import BuildOptions, BuiltImage
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service


def build_images(session: Session, options: BuildOptions) -> tuple[BuiltImage, ...]:
    """Builds all of them at once, then pushes them if asked. An image that services share is built once.

    Raises UsageError for a service that is unknown or has no `build`, BuildError with the step that
    failed and the end of its output.
    """
    definition = activated(session.definition, options.services)
    _check_buildable(definition.services, options.services)
    flags = BuildFlags(
        args=options.args,
        no_cache=options.no_cache,
        pull=options.pull,
        tag=options.tag,
        target=options.target,
    )
    plan = plan_build(definition, options.services, flags)
    services = tuple(action.service for action in plan)
    results = carry_out(session, plan).built
    if options.push:
        images.push(session, services, tag=options.tag)
    return tuple(
        _describe(session, action, results[action.target])
        for action in plan
        if isinstance(action, BuildImage)
    )


def _check_buildable(services: Mapping[str, Service], asked: tuple[str, ...]) -> None:
    for name in asked:
        if services[name].build is None:
            able = sorted(key for key, service in services.items() if service.build is not None)
            raise UsageError(
                f"`{name}` has no `build`",
                hint=f"Services with one: {', '.join(able) or 'none'}. `invoke pull` gets the other images.",
            )


def _describe(session: Session, action: BuildImage, result: BuildResult) -> BuiltImage:
    inspected = session.engine.inspect_image(action.target)
    return BuiltImage(
        service=action.service,
        tag=action.target,
        image_id=result.image_id,
        size=int(inspected.get("Size") or 0),
        layers=len((inspected.get("RootFS") or {}).get("Layers") or ()),
        cached_steps=result.cached_steps,
        steps=result.steps,
        ran=result.ran,
        builder=result.builder,
    )

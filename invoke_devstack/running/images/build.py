"""Builds the images of services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import BuildResult
from invoke_devstack.errors import UsageError
from invoke_devstack.events import Notice
from invoke_devstack.planning.graph import with_dependencies
from invoke_devstack.planning.options import TransferFlags
from invoke_devstack.planning.plan import BuildImage, Plan
from invoke_devstack.planning.plans.images import plan_pull, plan_push
from invoke_devstack.planning.plans.rebuild import plan_build
from invoke_devstack.planning.selection import activated
from invoke_devstack.running.executing.executor import announce_and_execute
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import BuildOptions, BuiltImage
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service


def build_images(session: Session, options: BuildOptions) -> tuple[BuiltImage, ...]:
    """Builds all images in parallel, then pushes them if asked. An image that services share is built once.

    Raises UsageError for a service that is unknown or has no `build`, BuildError with the step that failed
    and the end of its output.
    """
    definition = activated(session.definition, options.services)
    if options.with_dependencies and options.services:
        options = replace(options, services=_with_buildable(definition.services, options.services))
    _check_buildable(definition.services, options.services)
    plan = plan_build(definition, options.services, options)
    services = options.services or tuple(action.service for action in plan)
    results = announce_and_execute(session, plan).built
    if options.push:
        push(session, services, tag=options.tag)
    return tuple(
        _describe(session, action, results[action.target])
        for action in plan
        if isinstance(action, BuildImage)
    )


def _with_buildable(services: Mapping[str, Service], asked: tuple[str, ...]) -> tuple[str, ...]:
    needed = sorted(with_dependencies(services, asked) - {*asked})
    return (*asked, *(name for name in needed if services[name].build is not None))


def _check_buildable(services: Mapping[str, Service], asked: tuple[str, ...]) -> None:
    for name in asked:
        if services[name].build is None:
            able = sorted(key for key, service in services.items() if service.build is not None)
            raise UsageError(
                f"`{name}` has no `build`",
                hint=f"Services with `build`: {', '.join(able) or 'none'}. Pull the others: `invoke pull`.",
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


def pull(
    session: Session,
    services: tuple[str, ...] = (),
    flags: TransferFlags | None = None,
    *,
    only_missing: bool = False,
) -> tuple[str, ...]:
    """Carries out `plan_pull` and returns the images. `only_missing`: not those that are on the engine.
    Raises ImageUnavailableError."""
    present = observe(session.definition, session.engine).images if only_missing else ()
    plan = plan_pull(session.definition, services, flags, present=present)
    why = "every image is here, or built locally" if only_missing else "every image is built locally"
    return _transfer(session, plan, f"nothing to pull: {why}")


def push(
    session: Session,
    services: tuple[str, ...] = (),
    flags: TransferFlags | None = None,
    *,
    tag: str = "",
) -> tuple[str, ...]:
    """Carries out `plan_push` and returns the images. Raises ImageUnavailableError and what `plan_push`
    raises."""
    plan = plan_push(session.definition, services, flags, tag=tag)
    nothing = "nothing to push: no service has both `build` and `image`"
    return _transfer(session, plan, nothing)


def _transfer(session: Session, plan: Plan, nothing: str) -> tuple[str, ...]:
    actions = tuple(plan)
    if not actions:
        session.emit(Notice(text=nothing))
        return ()
    announce_and_execute(session, plan)
    return tuple(action.target for action in actions)

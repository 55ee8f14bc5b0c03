"""Which images are pulled or built before the containers are made."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from invoke_devstack.errors import ImageUnavailableError, UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.causes import Cause, CauseKind, by_command, by_option, missing
from invoke_devstack.planning.graph import with_dependencies
from invoke_devstack.planning.observed import Observed, ObservedImage
from invoke_devstack.planning.options import BuildFlags, CommitFlags, PlanningOptions, TransferFlags
from invoke_devstack.planning.plan import (
    Action,
    BuildImage,
    BuildRequest,
    CommitContainer,
    Plan,
    PublishDefinition,
    PullImage,
    PushImage,
)
from invoke_devstack.planning.processes.image import is_process
from invoke_devstack.planning.publishing.artifact import config_of, layers_of, manifest_of
from invoke_devstack.planning.selection import activated

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Build, Definition, Service

_EVERY = {"daily": "24h", "weekly": "168h"}
_SPAN = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def image_actions(
    definition: Definition, services: Iterable[str], observed: Observed, options: PlanningOptions
) -> dict[str, Action]:
    """Image -> the action that pulls or builds it, for the images of `services` that are missing or must be
    refreshed. Raises ImageUnavailableError for one that is missing and may not be pulled."""
    built = {
        service.image_name(definition.name): service
        for service in definition.services.values()
        if service.build is not None
    }
    actions: dict[str, Action] = {}
    names = deque(services)
    while names:
        service = definition.all_services[names.popleft()]
        reference = service.image_name(definition.name)
        builder = service if service.build is not None else built.get(reference)
        found = observed.images.get(reference)
        if builder is not None and (cause := _build_cause(service, found, options)):
            actions.setdefault(reference, build_action(definition, builder, cause))
            names += (name for name in built_before(definition, builder) if name not in names)
        elif builder is None and (cause := _pull_cause(service, found, options)):
            actions.setdefault(
                reference,
                PullImage(
                    target=reference, cause=cause, service=service.name, platform=service.platform or ""
                ),
            )
        actions |= _other_images(service, observed, actions)
    return with_build_order(actions)


def built_before(definition: Definition, service: Service) -> tuple[str, ...]:
    """The services whose images the build of `service` uses (`additional_contexts: service:NAME`)."""
    contexts = service.build.additional_contexts.values() if service.build else ()
    names = (_service_in(definition, value) for value in contexts)
    return tuple(name for name in names if name and definition.all_services[name].build is not None)


def _service_in(definition: Definition, context: str) -> str:
    """The service that an additional context names, "" for another context."""
    kind, _, name = context.partition(":")
    return name if kind == "service" and name in definition.all_services else ""


def build_action(
    definition: Definition, service: Service, cause: Cause, flags: BuildFlags | None = None
) -> BuildImage:
    """Builds the image of `service`, which has a `build`."""
    tag = service.image_name(definition.name)
    return BuildImage(
        target=tag, cause=cause, service=service.name, build=build_request(definition, service, flags)
    )


def build_request(definition: Definition, service: Service, flags: BuildFlags | None = None) -> BuildRequest:
    """What the image of `service` is built from, with the labels that Compose sets."""
    build, flags = service.build, flags or BuildFlags()
    if build is None:
        raise ImageUnavailableError(
            f"`{service.name}` has no `build`", hint="Add `build:` to it, or run `invoke pull`."
        )
    own = dict(build.labels) | {
        labels.PROJECT: definition.name,
        labels.SERVICE: service.name,
        labels.VERSION: labels.COMPOSE_VERSION,
    }
    return BuildRequest(
        context=build.context or str(definition.working_dir),
        tag=service.image_name(definition.name),
        dockerfile=build.dockerfile or "Dockerfile",
        dockerfile_inline=build.dockerfile_inline or "",
        target=flags.target or build.target or "",
        args={**build.args, **(flags.args or {})},
        labels=own,
        additional_contexts=_contexts(definition, build),
        cache_from=build.cache_from,
        cache_to=build.cache_to,
        secrets=_build_secrets(definition, build),
        ssh=flags.ssh or tuple(f"{key.id}={key.path}" if key.path else key.id for key in build.ssh),
        network=build.network or "",
        platforms=build.platforms or ((service.platform,) if service.platform else ()),
        extra_hosts=build.extra_hosts,
        extra_tags=(*build.tags, *((flags.tag,) if flags.tag else ())),
        shm_size=int(build.shm_size or 0),
        ulimits={name: _ulimit(value) for name, value in build.ulimits.items()},
        privileged=build.privileged,
        isolation=build.isolation or "",
        no_cache=build.no_cache or flags.no_cache,
        no_cache_filter=build.no_cache_filter,
        entitlements=build.entitlements,
        pull=build.pull or flags.pull,
    )


def _ulimit(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    soft, hard = getattr(value, "soft", 0), getattr(value, "hard", 0)
    single = getattr(value, "single", None) or 0
    return f"{soft or single}:{hard or single}"


def _contexts(definition: Definition, build: Build) -> dict[str, str]:
    """Named contexts; `service:NAME` is the image of another service, which is built first."""
    return {
        name: f"docker-image://{definition.all_services[other].image_name(definition.name)}"
        if (other := _service_in(definition, value))
        else value
        for name, value in build.additional_contexts.items()
    }


def _build_secrets(definition: Definition, build: Build) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for reference in build.secrets:
        secret = definition.secrets.get(reference.source)
        if secret is not None:
            origin = secret.file or f"env:{secret.environment}"
            found.append((reference.target or reference.source, origin))
    return tuple(found)


def _build_cause(service: Service, found: ObservedImage | None, options: PlanningOptions) -> Cause | None:
    """Why the image is built now; None if it is not."""
    if options.no_build:
        _check_is_here(service, found)
        return None
    if found is None:
        return missing("image")
    if options.images_ready:
        return None
    if options.build:
        return by_option("--build")
    return _policy_cause("build") if service.pull_policy == "build" else None


def _check_is_here(service: Service, found: ObservedImage | None) -> None:
    if found is None:
        raise ImageUnavailableError(
            f"`{service.name}` has no image yet, and `--no-build` builds none",
            hint=f"Build it: `invoke build {service.name}`.",
        )


def _policy_cause(policy: str) -> Cause:
    return Cause(CauseKind.IMAGE, f"pull_policy: {policy}")


def _pull_cause(service: Service, found: ObservedImage | None, options: PlanningOptions) -> Cause | None:
    """Why the image is pulled now; None if it is not. Compose Specification, "pull_policy"."""
    policy = options.pull or service.pull_policy or "missing"
    if found is None:
        if policy == "never":
            raise ImageUnavailableError(
                f"image `{service.image}` of `{service.name}` not found (`pull_policy: never`)",
                hint="Load the image with `docker load`, or change `pull_policy`.",
            )
        return missing("image")
    if options.images_ready or policy in ("never", "missing", "if_not_present", "build"):
        return None
    if policy == "always":
        return _policy_cause(policy)
    return _refresh_cause(policy, found, options.now)


def _refresh_cause(policy: str, found: ObservedImage, now: datetime | None) -> Cause | None:
    """For `daily`, `weekly` and `every_12h`, by the time since the image was last tagged on the engine."""
    parts = _SPAN.findall(_EVERY.get(policy, policy.removeprefix("every_")))
    if now is None or not parts or not found.tagged_at:
        return None
    span = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    # The engine sends nanoseconds, which `fromisoformat` rejects.
    tagged = datetime.fromisoformat(re.sub(r"\.\d+", "", found.tagged_at))
    return _policy_cause(policy) if now - tagged > span else None


def other_images(service: Service) -> tuple[str, ...]:
    """The images that a service mounts, and those of its hooks, sorted."""
    mounted = {mount.source for mount in service.volumes if mount.type == "image" and mount.source}
    return tuple(sorted(mounted | {hook.image for hook in service.pre_start if hook.image}))


def _other_images(service: Service, observed: Observed, planned: Mapping[str, Action]) -> dict[str, Action]:
    """Pulls those of `other_images` that are missing."""
    return {
        image: PullImage(target=image, cause=missing("image"), service=service.name)
        for image in other_images(service)
        if image not in observed.images and image not in planned
    }


def with_build_order(actions: Mapping[str, Action]) -> dict[str, Action]:
    """Makes a build wait for the builds whose images it uses as named contexts."""
    ordered: dict[str, Action] = {}
    for reference, action in actions.items():
        contexts = action.build.additional_contexts.values() if isinstance(action, BuildImage) else ()
        bases = {context.removeprefix("docker-image://") for context in contexts}
        needs = frozenset(actions[base].id for base in bases if base in actions and base != reference)
        ordered[reference] = replace(action, needs=action.needs | needs)
    return ordered


def plan_pull(
    definition: Definition,
    services: tuple[str, ...],
    flags: TransferFlags | None = None,
    *,
    present: Container[str] = (),
) -> Plan:
    """Pulls the images of `services` (all, if empty), except those that are `present`. Images that are built
    locally are pulled only if their service is named and has an `image`."""
    flags = flags or TransferFlags()

    def action(service: Service, image: str) -> Action | None:
        named = service.name in services and not flags.without_buildable
        if image in present or (service.build is not None and (not named or service.image is None)):
            return None
        return PullImage(
            target=image,
            cause=by_command("pull"),
            service=service.name,
            platform=service.platform or "",
            optional=flags.optional,
        )

    return _plan(definition, _chosen(definition, services, flags), action)


def _chosen(definition: Definition, services: tuple[str, ...], flags: TransferFlags) -> tuple[str, ...]:
    if not (services and flags.with_dependencies):
        return services
    needed = with_dependencies(activated(definition, services).services, services)
    return (*services, *sorted(needed - {*services}))


def plan_push(
    definition: Definition,
    services: tuple[str, ...],
    flags: TransferFlags | None = None,
    *,
    tag: str = "",
) -> Plan:
    """Pushes the images that are built locally, under the name `tag` if one is given. Raises UsageError for a
    named service that has no `build`, or no `image` to name the registry."""
    flags = flags or TransferFlags()

    def action(service: Service, image: str) -> Action | None:
        if service.build is None or not (service.image or tag):
            _refuse_push(service, named=service.name in services)
            return None
        return PushImage(
            target=tag or image,
            cause=by_command("push"),
            service=service.name,
            optional=flags.optional,
        )

    return _plan(definition, _chosen(definition, services, flags), action)


def plan_publish(
    definition: Definition, reference: str, files: Iterable[tuple[str, bytes]], created: str, oci_version: str
) -> Plan:
    """Pushes the images that are built locally (a failure is a warning, as in Compose), then publishes
    `files`, each (name, content), as `reference`."""
    pushes = tuple(plan_push(definition, (), TransferFlags(optional=True)))
    layers = layers_of(files)
    publish = PublishDefinition(
        target=reference,
        cause=by_command("publish"),
        needs=frozenset(action.id for action in pushes),
        manifest=manifest_of(layers, created, oci_version),
        layers=(config_of(oci_version), *layers),
    )
    return Plan((*pushes, publish), project=definition.name)


def plan_commit(observed: Observed, service: str, number: int, step: CommitFlags, *, hint: str = "") -> Plan:
    """Makes an image of the container of `service` with this number (0: the first). Raises UsageError, with
    `hint`, if there is none."""
    found = [item for item in observed.of_service(service) if number in (0, item.number)]
    if not found:
        raise UsageError(
            f"`{service}{f'.{number}' if number else ''}` has no container",
            hint=hint,
        )
    action = CommitContainer(
        target=found[0].name,
        cause=by_command("commit"),
        service=service,
        reference=step.reference,
        author=step.author,
        message=step.message,
        changes=step.changes,
        pause=step.pause,
    )
    return Plan((action,), project=observed.project)


def _refuse_push(service: Service, *, named: bool) -> None:
    if not named:
        return
    if service.build is None:
        raise UsageError(
            f"`{service.name}` has no `build`: its image comes from a registry",
            hint=f"Only images that are built locally can be pushed. Add `build:` to `{service.name}`.",
        )
    raise UsageError(
        f"`{service.name}` has no `image`, so its registry is unknown",
        hint=f"Set `image: registry.example.com/{service.name}:latest` next to its `build`.",
    )


def _plan(
    definition: Definition, services: tuple[str, ...], make: Callable[[Service, str], Action | None]
) -> Plan:
    active = activated(definition, services)
    actions: dict[str, Action] = {}
    for name in services or tuple(active.services):
        service = active.services[name]
        if is_process(service):
            continue
        action = make(service, service.image_name(active.name))
        if action is not None:
            actions.setdefault(action.target, action)
    return Plan(tuple(actions.values()), project=active.name)

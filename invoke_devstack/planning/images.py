"""Which images are pulled or built before the containers are made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from invoke_devstack.errors import ImageUnavailableError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.observed import Observed, ObservedImage
from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.plan import Action, BuildImage, BuildRequest, PullImage
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Build, Definition, Service

_EVERY = {"daily": "24h", "weekly": "168h"}
_SPAN = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@record
class BuildFlags:
    """What `invoke build` was told beside the definition. `tag` is one more name for the image; `target`
    stands for `build.target`."""

    args: Mapping[str, str | None] | None = None
    no_cache: bool = False
    pull: bool = False
    tag: str = ""
    target: str = ""


def image_actions(
    definition: Definition, services: Iterable[str], observed: Observed, options: UpOptions
) -> dict[str, Action]:
    """Image -> the action that brings it, for the images of `services` that are missing or to be renewed.
    Raises ImageUnavailableError for one that is missing and may not be pulled."""
    names = tuple(services)
    built = {
        service.image_name(definition.name): service
        for service in definition.services.values()
        if service.build is not None
    }
    actions: dict[str, Action] = {}
    for name in names:
        service = definition.services[name]
        reference = service.image_name(definition.name)
        builder = service if service.build is not None else built.get(reference)
        found = observed.images.get(reference)
        cause = (
            _build_cause(service, found, options)
            if builder is not None
            else _pull_cause(service, found, options)
        )
        if cause and builder is not None:
            actions.setdefault(reference, build_action(definition, builder, cause))
        elif cause:
            actions.setdefault(
                reference,
                PullImage(target=reference, cause=cause, service=name, platform=service.platform or ""),
            )
        actions |= _other_images(service, observed, actions)
    return with_build_order(actions)


def build_action(
    definition: Definition, service: Service, cause: str, flags: BuildFlags | None = None
) -> BuildImage:
    """Builds the image of `service`, which has a `build`."""
    tag = service.image_name(definition.name)
    return BuildImage(
        target=tag, cause=cause, service=service.name, build=build_request(definition, service, flags)
    )


def build_request(definition: Definition, service: Service, flags: BuildFlags | None = None) -> BuildRequest:
    """What the image of `service` is built from, with the labels that Compose gives it."""
    build, flags = service.build, flags or BuildFlags()
    if build is None:
        raise ImageUnavailableError(f"`{service.name}` has no `build`", hint="Only its image can be pulled.")
    labels = dict(build.labels) | {
        label.PROJECT: definition.name,
        label.SERVICE: service.name,
        label.VERSION: label.COMPOSE_VERSION,
    }
    return BuildRequest(
        context=build.context or str(definition.working_dir),
        tag=service.image_name(definition.name),
        dockerfile=build.dockerfile or "Dockerfile",
        dockerfile_inline=build.dockerfile_inline or "",
        target=flags.target or build.target or "",
        args={**build.args, **(flags.args or {})},
        labels=labels,
        additional_contexts=_contexts(definition, build),
        cache_from=build.cache_from,
        cache_to=build.cache_to,
        secrets=_build_secrets(definition, build),
        ssh=tuple(f"{key.id}={key.path}" if key.path else key.id for key in build.ssh),
        network=build.network or "",
        platforms=build.platforms or ((service.platform,) if service.platform else ()),
        extra_hosts=build.extra_hosts,
        extra_tags=(*build.tags, *((flags.tag,) if flags.tag else ())),
        shm_size=int(build.shm_size or 0),
        ulimits={name: _ulimit(value) for name, value in build.ulimits.items()},
        privileged=build.privileged,
        isolation=build.isolation or "",
        no_cache=build.no_cache or flags.no_cache,
        pull=build.pull or flags.pull,
    )


def _ulimit(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    soft, hard = getattr(value, "soft", 0), getattr(value, "hard", 0)
    single = getattr(value, "single", None) or 0
    return f"{soft or single}:{hard or single}"


def _contexts(definition: Definition, build: Build) -> dict[str, str]:
    """Named contexts; `service:x` is the image of another service, which is built before."""
    return {
        name: f"docker-image://{definition.services[other].image_name(definition.name)}"
        if (other := value.removeprefix("service:")) != value and other in definition.services
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


def _build_cause(service: Service, found: ObservedImage | None, options: UpOptions) -> str:
    """Why the image is built now, or ""."""
    if found is None:
        return "no image yet"
    if options.images_ready:
        return ""
    if options.build:
        return "a build was asked for"
    return "pull_policy: build" if service.pull_policy == "build" else ""


def _pull_cause(service: Service, found: ObservedImage | None, options: UpOptions) -> str:
    """Why the image is pulled now, or "". Compose Specification, "pull_policy"."""
    policy = options.pull or service.pull_policy or "missing"
    if found is None:
        if policy == "never":
            raise ImageUnavailableError(
                f"the image `{service.image}` of `{service.name}` is missing, and may not be pulled",
                hint="`pull_policy: never` says so. Load the image with `docker load`, or change the policy.",
            )
        return "no image yet"
    if options.images_ready or policy in ("never", "missing", "if_not_present", "build"):
        return ""
    if policy == "always":
        return "pull_policy: always"
    return _refresh_cause(policy, found, options.now)


def _refresh_cause(policy: str, found: ObservedImage, now: datetime | None) -> str:
    """`daily`, `weekly` and `every_12h`: by the time since the image was last tagged here."""
    parts = _SPAN.findall(_EVERY.get(policy, policy.removeprefix("every_")))
    if now is None or not parts or not found.tagged_at:
        return ""
    span = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    # The engine gives nanoseconds, and a date no tool has set as the year 1.
    tagged = datetime.fromisoformat(re.sub(r"\.\d+", "", found.tagged_at))
    return f"pull_policy: {policy}" if now - tagged > span else ""


def other_images(service: Service) -> tuple[str, ...]:
    """The images that a service needs beside its own: those it mounts, and those of its hooks, sorted."""
    mounted = {mount.source for mount in service.volumes if mount.type == "image" and mount.source}
    return tuple(sorted(mounted | {hook.image for hook in service.pre_start if hook.image}))


def _other_images(service: Service, observed: Observed, planned: Mapping[str, Action]) -> dict[str, Action]:
    """Those of them that are missing."""
    return {
        image: PullImage(target=image, cause="no image yet", service=service.name)
        for image in other_images(service)
        if image not in observed.images and image not in planned
    }


def with_build_order(actions: Mapping[str, Action]) -> dict[str, Action]:
    """Lets a build wait for the builds whose images are its named contexts."""
    ordered: dict[str, Action] = {}
    for reference, action in actions.items():
        contexts = action.build.additional_contexts.values() if isinstance(action, BuildImage) else ()
        bases = {context.removeprefix("docker-image://") for context in contexts}
        needs = frozenset(actions[base].id for base in bases if base in actions and base != reference)
        ordered[reference] = replace(action, needs=action.needs | needs)
    return ordered

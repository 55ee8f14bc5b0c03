"""What must fit together in a definition: references, exclusive keys, the order of services.

Each rule is a function that is named after what it refuses; `check_consistency` runs them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from invoke_devstack.definition.attributes.service import Service
from invoke_devstack.definition.resolving.merged_files import MergedFiles
from invoke_devstack.definition.syntax.tree import Steps, dotted
from invoke_devstack.errors import DefinitionError, did_you_mean

Rule = Callable[[MergedFiles, Service], None]


def check_consistency(files: MergedFiles) -> None:
    """Raises DefinitionError for the first rule that the enabled services break."""
    for service in files.services.values():
        for rule in _SERVICE_RULES:
            rule(files, service)
    for name, secret in files.secrets.items():
        if not (secret.external or secret.file or secret.environment):
            raise _error(files, f"secret `{name}` needs `file` or `environment`", "secrets", name)
    _refuse_shared_container_name(files)
    _refuse_cycle(files)


def _error(files: MergedFiles, message: str, *steps: str, hint: str = "") -> DefinitionError:
    return DefinitionError(message, hint=hint, position=files.position(steps))


def _refuse_nothing_to_run(files: MergedFiles, service: Service) -> None:
    if service.build is None and not service.image and service.provider is None:
        message = f"service `{service.name}` has neither `image` nor `build`"
        hint = "Add `image` with the image to run, or `build` with the directory to build it from."
        key = ("image",) if "image" in files.root["services"][service.name] else ()
        raise _error(files, message, "services", service.name, *key, hint=hint)


def _refuse_two_dockerfiles(files: MergedFiles, service: Service) -> None:
    build = service.build
    if build and build.dockerfile and build.dockerfile_inline:
        message = f"service `{service.name}` has both `dockerfile` and `dockerfile_inline`"
        steps = ("services", service.name, "build", "dockerfile_inline")
        raise _error(files, message, *steps, hint="Keep one of them.")


def _refuse_unbuilt_context(files: MergedFiles, service: Service) -> None:
    for key, context in (service.build.additional_contexts if service.build else {}).items():
        if not context.startswith("service:"):
            continue
        steps = ("services", service.name, "build", "additional_contexts", key)
        other = context.removeprefix("service:")
        if other not in files.services:
            hint = did_you_mean(other, files.services, f"Services: {', '.join(files.services)}.")
            raise _error(files, f"`{dotted(steps)}`: unknown service `{other}`", *steps, hint=hint)
        if files.services[other].build is None:
            message = f"`{dotted(steps)}`: service `{other}` has no `build`"
            raise _error(files, message, *steps)


def _refuse_foreign_platform(files: MergedFiles, service: Service) -> None:
    platforms = service.build.platforms if service.build else ()
    if platforms and service.platform and service.platform not in platforms:
        message = f"service `{service.name}` runs on {service.platform}, but is not built for it"
        steps = ("services", service.name, "build", "platforms")
        raise _error(files, message, *steps, hint=f"Add {service.platform} to `build.platforms`.")


def _refuse_networks_beside_mode(files: MergedFiles, service: Service) -> None:
    if service.network_mode and service.networks:
        message = f"service `{service.name}` has both `network_mode` and `networks`"
        raise _error(files, message, "services", service.name, "network_mode", hint="Keep one of them.")


def _refuse_unknown_references(files: MergedFiles, service: Service) -> None:
    for kind, name, known, steps in _references(files, service):
        if name not in known:
            message = f"service `{service.name}` uses the {kind} `{name}`, which is not declared"
            declare = f"Declare it at the top level of the file: `{kind}s: {{{name}: …}}`"
            hint = did_you_mean(name, known, declare)
            raise _error(files, message, "services", service.name, *steps, hint=hint)


def _references(files: MergedFiles, service: Service) -> Iterator[tuple[str, str, Mapping[str, Any], Steps]]:
    """Kind and name of all that a service refers to, what is declared, and the place of the reference."""
    for network in service.networks:
        yield "network", network, files.networks, ("networks", network)
    for index, mount in enumerate(service.volumes):
        if mount.type == "volume" and mount.source:
            yield "volume", mount.source, files.volumes, ("volumes", f"[{index}]")
    for index, secret in enumerate(service.build.secrets if service.build else ()):
        yield "secret", secret.source, files.secrets, ("build", "secrets", f"[{index}]")
    for index, config in enumerate(service.configs):
        yield "config", config.source, files.configs, ("configs", f"[{index}]")
    for index, secret in enumerate(service.secrets):
        yield "secret", secret.source, files.secrets, ("secrets", f"[{index}]")
    for model in service.models:
        yield "model", model, files.models, ("models", model)


def _refuse_bad_test(files: MergedFiles, service: Service) -> None:
    test = service.healthcheck.test if service.healthcheck else ()
    if test and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        message = f"the healthcheck of service `{service.name}` starts with `{test[0]}`"
        hint = 'Start the list with "CMD", "CMD-SHELL" or "NONE", or write the command as one string.'
        raise _error(files, message, "services", service.name, "healthcheck", "test", hint=hint)


def _refuse_unknown_dependency(files: MergedFiles, service: Service) -> None:
    for other, dependency in service.depends_on.items():
        if other in files.services:
            continue
        steps = ("services", service.name, "depends_on", other)
        if other not in files.disabled_services:
            message = f"service `{service.name}` depends on `{other}`, which is not defined"
            hint = did_you_mean(other, files.services, f"Services: {', '.join(files.services)}.")
            raise _error(files, message, *steps, hint=hint)
        if dependency.required:
            profiles = ", ".join(files.disabled_services[other].profiles)
            message = f"service `{service.name}` depends on `{other}`, whose profiles are not active"
            hint = f"Activate one of its profiles ({profiles}), or add `required: false`."
            raise _error(files, message, *steps, hint=hint)


def _refuse_contradictions(files: MergedFiles, service: Service) -> None:
    """Values that two keys can hold must be the same in both."""
    deploy = service.deploy
    if deploy is None:
        return
    if service.scale is not None and deploy.replicas not in (None, service.scale):
        raise _contradiction(files, service, "scale", "deploy.replicas")
    limits, reservations = deploy.resources.limits, deploy.resources.reservations
    pairs = (
        ("cpus", service.cpus, limits, "limits.cpus"),
        ("mem_limit", service.mem_limit, limits, "limits.memory"),
        ("mem_reservation", service.mem_reservation, reservations, "reservations.memory"),
        ("pids_limit", service.pids_limit, limits, "limits.pids"),
    )
    for key, value, group, place in pairs:
        if value and group is not None and (getattr(group, place.partition(".")[2]) or 0) != value:
            raise _contradiction(files, service, key, f"deploy.resources.{place}")


def _contradiction(files: MergedFiles, service: Service, key: str, other: str) -> DefinitionError:
    message = f"service `{service.name}` has different values in `{key}` and `{other}`"
    return _error(files, message, "services", service.name, key, hint="Keep one of them.")


def _refuse_impossible_scale(files: MergedFiles, service: Service) -> None:
    count = service.scale_count()
    key = ("scale",) if service.scale is not None else ("deploy", "replicas")
    if count < 0:
        message = f"service `{service.name}` cannot have {count} containers"
        raise _error(files, message, "services", service.name, *key, hint="Write 0 or more.")
    if count > 1 and service.container_name:
        message = f"service `{service.name}` cannot have {count} containers with one `container_name`"
        hint = "Remove `container_name`."
        raise _error(files, message, "services", service.name, "container_name", hint=hint)


def _refuse_watch_without_target(files: MergedFiles, service: Service) -> None:
    for index, rule in enumerate(service.develop.watch if service.develop else ()):
        if not rule.target and rule.action not in ("rebuild", "restart"):
            steps = ("services", service.name, "develop", "watch", f"[{index}]")
            hint = "Add the path in the container to copy files to."
            raise _error(files, f"`{dotted(steps)}` needs a `target`", *steps, hint=hint)


def _refuse_doubled_mount(files: MergedFiles, service: Service) -> None:
    places: dict[str, str] = {}
    targets = [(("tmpfs", f"[{i}]"), text.split(":")[0]) for i, text in enumerate(service.tmpfs)]
    targets += [(("volumes", f"[{i}]"), mount.target or "") for i, mount in enumerate(service.volumes)]
    for steps, target in targets:
        place = dotted(("services", service.name, *steps))
        if target in places:
            message = f"`{places[target]}` and `{place}` have the same target, `{target}`"
            raise _error(files, message, "services", service.name, *steps, hint="Remove one of them.")
        places[target] = place


_SERVICE_RULES: tuple[Rule, ...] = (
    _refuse_nothing_to_run,
    _refuse_two_dockerfiles,
    _refuse_unbuilt_context,
    _refuse_foreign_platform,
    _refuse_networks_beside_mode,
    _refuse_unknown_references,
    _refuse_bad_test,
    _refuse_unknown_dependency,
    _refuse_contradictions,
    _refuse_impossible_scale,
    _refuse_watch_without_target,
    _refuse_doubled_mount,
)


def _refuse_shared_container_name(files: MergedFiles) -> None:
    owners: dict[str, str] = {}
    for name, service in files.services.items():
        container = service.container_name
        if container and container in owners:
            message = f"services `{owners[container]}` and `{name}` have the same `container_name`"
            raise _error(files, message, "services", name, "container_name", hint="Change one of them.")
        if container:
            owners[container] = name


def _refuse_cycle(files: MergedFiles) -> None:
    """Walks depth first with its own stack: a chain of 10,000 services is too deep for recursion."""
    done: set[str] = set()
    for first in files.services:
        path: list[str] = []
        pending: list[tuple[str, bool]] = [(first, False)]
        while pending:
            name, left = pending.pop()
            if left:
                path.pop()
                done.add(name)
            elif name in path:
                raise _cycle(files, [*path[path.index(name) :], name])
            elif name not in done and name in files.services:
                path.append(name)
                pending.append((name, True))
                pending += [(other, False) for other in files.services[name].depends_on]


def _cycle(files: MergedFiles, path: list[str]) -> DefinitionError:
    steps = ("services", path[0], "depends_on", path[1])
    message = f"circular dependency: {' -> '.join(path)}"
    return _error(files, message, *steps, hint="Remove one of these dependencies.")

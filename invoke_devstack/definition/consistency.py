"""What must fit together in a definition: references, exclusive attributes, the order of services.

Each rule is a function of the draft and is named by what it refuses; `check_consistency` runs them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from invoke_devstack.definition.shape import nearest
from invoke_devstack.definition.tree import Items, Steps, Table, dotted
from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.records import record

Values = dict[str, Any]


@record
class Draft:
    """A decoded definition before it becomes the model, and the tree it was decoded from."""

    root: Table
    services: dict[str, Values]
    disabled_services: dict[str, Values]
    networks: dict[str, Values]
    volumes: dict[str, Values]
    secrets: dict[str, Values]
    configs: dict[str, Values]
    models: dict[str, Values]

    def position(self, steps: Steps) -> Position:
        """Where the value at `steps` was written, or the nearest thing around it that was."""
        value: Any = self.root
        mark = self.root.mark
        for step in steps:
            if isinstance(value, Table) and step in value:
                mark, value = value.mark_of(step), value[step]
            elif step.startswith("[") and isinstance(value, Items) and int(step[1:-1]) < len(value):
                index = int(step[1:-1])
                mark, value = value.marks[index], value[index]
            else:
                break
        return mark.position(steps)


Rule = Callable[[Draft, str, Values], None]


def check_consistency(draft: Draft) -> None:
    """Raises DefinitionError for the first rule that the enabled services break."""
    for name, service in draft.services.items():
        for rule in _SERVICE_RULES:
            rule(draft, name, service)
    _refuse_secret_without_source(draft)
    _refuse_shared_container_name(draft)
    _refuse_cycle(draft)


def _error(draft: Draft, message: str, *steps: str, hint: str = "") -> DefinitionError:
    return DefinitionError(message, hint=hint, position=draft.position(steps))


def _refuse_nothing_to_run(draft: Draft, name: str, service: Values) -> None:
    if not (service.get("build") or "build" in service or service.get("image") or "provider" in service):
        raise _error(
            draft,
            f"service `{name}` has neither `image` nor `build`",
            "services",
            name,
            hint="Name the image to run, or the directory to build it from.",
        )


def _refuse_two_dockerfiles(draft: Draft, name: str, service: Values) -> None:
    build = service.get("build") or {}
    if build.get("dockerfile") and build.get("dockerfile_inline"):
        message = f"service `{name}` has both `dockerfile` and `dockerfile_inline`"
        raise _error(draft, message, "services", name, "build", "dockerfile_inline", hint="Keep one of them.")


def _refuse_unbuilt_context(draft: Draft, name: str, service: Values) -> None:
    for key, context in ((service.get("build") or {}).get("additional_contexts") or {}).items():
        if not context.startswith("service:"):
            continue
        steps = ("services", name, "build", "additional_contexts", key)
        other = context.removeprefix("service:")
        if other not in draft.services:
            hint = nearest(other, tuple(draft.services))
            raise _error(draft, f"`{dotted(steps)}`: no service `{other}`", *steps, hint=hint)
        if "build" not in draft.services[other]:
            raise _error(draft, f"`{dotted(steps)}`: service `{other}` is not built", *steps)


def _refuse_foreign_platform(draft: Draft, name: str, service: Values) -> None:
    platforms = (service.get("build") or {}).get("platforms")
    platform = service.get("platform")
    if platforms and platform and platform not in platforms:
        message = f"service `{name}` runs on {platform}, and is not built for it"
        hint = f"Add {platform} to `build.platforms`."
        raise _error(draft, message, "services", name, "build", "platforms", hint=hint)


def _refuse_networks_beside_mode(draft: Draft, name: str, service: Values) -> None:
    if service.get("network_mode") and service.get("networks"):
        message = f"service `{name}` has both `network_mode` and `networks`"
        raise _error(draft, message, "services", name, "network_mode", hint="Keep one of them.")


def _refuse_unknown_references(draft: Draft, name: str, service: Values) -> None:
    for kind, word, known, steps in _references(draft, service):
        if word in known:
            continue
        hint = nearest(word, tuple(known)) or f"Declare it at the top of the file: `{kind}s: {{{word}: …}}`."
        raise _error(
            draft,
            f"service `{name}` uses the {kind} `{word}`, which is not declared",
            "services",
            name,
            *steps,
            hint=hint,
        )


def _references(draft: Draft, service: Values) -> Iterator[tuple[str, str, Mapping[str, Any], Steps]]:
    """Kind, name, what is declared, and the place of all that a service refers to."""
    for network in service.get("networks") or {}:
        yield "network", network, draft.networks, ("networks", network)
    for index, mount in enumerate(service.get("volumes") or ()):
        if mount.get("type") == "volume" and mount.get("source"):
            yield "volume", mount["source"], draft.volumes, ("volumes", f"[{index}]")
    for index, secret in enumerate((service.get("build") or {}).get("secrets") or ()):
        yield "secret", secret.get("source", ""), draft.secrets, ("build", "secrets", f"[{index}]")
    for kind, known in (("config", draft.configs), ("secret", draft.secrets)):
        for index, reference in enumerate(service.get(f"{kind}s") or ()):
            yield kind, reference.get("source", ""), known, (f"{kind}s", f"[{index}]")
    for model in service.get("models") or {}:
        yield "model", model, draft.models, ("models", model)


def _refuse_bad_test(draft: Draft, name: str, service: Values) -> None:
    test = (service.get("healthcheck") or {}).get("test")
    if test and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise _error(
            draft,
            f"the healthcheck of `{name}` starts with `{test[0]}`",
            "services",
            name,
            "healthcheck",
            "test",
            hint='A list starts with "CMD", "CMD-SHELL" or "NONE"; a text is run by the shell.',
        )


def _refuse_unknown_dependency(draft: Draft, name: str, service: Values) -> None:
    for other, dependency in (service.get("depends_on") or {}).items():
        if other in draft.services:
            continue
        steps = ("services", name, "depends_on", other)
        if other not in draft.disabled_services:
            hint = nearest(other, tuple(draft.services)) or f"Services: {', '.join(draft.services)}."
            raise _error(
                draft, f"service `{name}` depends on `{other}`, which is not defined", *steps, hint=hint
            )
        if dependency.get("required", True):
            profiles = ", ".join(draft.disabled_services[other].get("profiles") or ())
            message = f"service `{name}` depends on `{other}`, which no active profile has"
            hint = f"Activate a profile of it ({profiles}), or say `required: false`."
            raise _error(draft, message, *steps, hint=hint)


def _refuse_unequal_twins(draft: Draft, name: str, service: Values) -> None:
    """Attributes that can be said in two places must say the same."""
    deploy = service.get("deploy") or {}
    scale, replicas = service.get("scale"), deploy.get("replicas")
    if scale is not None and replicas is not None and scale != replicas:
        raise _unequal(draft, name, "scale", "deploy.replicas")
    if scale is not None and "deploy" in service:
        deploy["replicas"] = scale
    resources = deploy.get("resources") or {}
    for key, group, twin in _TWINS:
        limits = resources.get(group)
        if service.get(key) and limits is not None and limits.get(twin, 0) != service[key]:
            raise _unequal(draft, name, key, f"deploy.resources.{group}.{twin}")


_TWINS = (
    ("cpus", "limits", "cpus"),
    ("mem_limit", "limits", "memory"),
    ("mem_reservation", "reservations", "memory"),
    ("pids_limit", "limits", "pids"),
)


def _unequal(draft: Draft, name: str, key: str, twin: str) -> DefinitionError:
    message = f"service `{name}` says different things in `{key}` and `{twin}`"
    return _error(draft, message, "services", name, key, hint="Keep one of them.")


def _refuse_impossible_scale(draft: Draft, name: str, service: Values) -> None:
    replicas = (service.get("deploy") or {}).get("replicas")
    scale = service.get("scale")
    key = ("scale",) if scale is not None else ("deploy", "replicas")
    wanted = scale if scale is not None else replicas
    if wanted is None:
        return
    if wanted < 0:
        raise _error(draft, f"service `{name}` cannot run {wanted} times", "services", name, *key)
    if wanted > 1 and service.get("container_name"):
        message = f"service `{name}` cannot run {wanted} times under one `container_name`"
        raise _error(draft, message, "services", name, "container_name", hint="Leave `container_name` out.")


def _refuse_watch_without_target(draft: Draft, name: str, service: Values) -> None:
    for index, rule in enumerate((service.get("develop") or {}).get("watch") or ()):
        if not rule.get("target") and rule.get("action") not in ("rebuild", "restart"):
            steps = ("services", name, "develop", "watch", f"[{index}]")
            hint = "Say the path in the container to which files are copied."
            raise _error(draft, f"`{dotted(steps)}` needs a `target`", *steps, hint=hint)


def _refuse_doubled_mount(draft: Draft, name: str, service: Values) -> None:
    places: dict[str, str] = {}
    targets = [(("tmpfs", f"[{i}]"), text.split(":")[0]) for i, text in enumerate(service.get("tmpfs") or ())]
    targets += [
        (("volumes", f"[{i}]"), mount.get("target", ""))
        for i, mount in enumerate(service.get("volumes") or ())
    ]
    for steps, target in targets:
        place = dotted(("services", name, *steps))
        if target in places:
            message = f"`{place}` mounts on `{target}`, where `{places[target]}` is mounted already"
            raise _error(draft, message, "services", name, *steps)
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
    _refuse_unequal_twins,
    _refuse_impossible_scale,
    _refuse_watch_without_target,
    _refuse_doubled_mount,
)


def _refuse_secret_without_source(draft: Draft) -> None:
    for name, secret in draft.secrets.items():
        if not (secret.get("external") or secret.get("file") or secret.get("environment")):
            message = f"the secret `{name}` needs `file` or `environment`"
            raise _error(draft, message, "secrets", name)


def _refuse_shared_container_name(draft: Draft) -> None:
    owners: dict[str, str] = {}
    for name, service in draft.services.items():
        container = service.get("container_name")
        if container and container in owners:
            message = f"services `{owners[container]}` and `{name}` have the same `container_name`"
            raise _error(draft, message, "services", name, "container_name")
        if container:
            owners[container] = name


def _refuse_cycle(draft: Draft) -> None:
    """A depth-first walk with a stack of its own: a chain of 10,000 services is no recursion."""
    done: set[str] = set()
    for first in draft.services:
        path: list[str] = []
        pending: list[tuple[str, bool]] = [(first, False)]
        while pending:
            name, left = pending.pop()
            if left:
                path.pop()
                done.add(name)
            elif name in path:
                raise _cycle(draft, [*path[path.index(name) :], name])
            elif name not in done and name in draft.services:
                path.append(name)
                pending.append((name, True))
                pending += [(other, False) for other in draft.services[name].get("depends_on") or {}]


def _cycle(draft: Draft, path: list[str]) -> DefinitionError:
    return _error(
        draft,
        f"services wait for each other: {' -> '.join(path)}",
        "services",
        path[0],
        "depends_on",
        path[1],
        hint="Take out one of these dependencies.",
    )

"""The plan of a one-off container: like a service's, with another command."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.attributes.ports import parse_ports
from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.api_socket import with_api_socket
from invoke_devstack.planning.bodies.mounts import volume_name
from invoke_devstack.planning.causes import by_command
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import Plan
from invoke_devstack.planning.plans.container_steps import PlanBuilder
from invoke_devstack.planning.plans.creation import Creation
from invoke_devstack.planning.plans.images import image_actions
from invoke_devstack.planning.plans.networks_and_volumes import networks_and_volumes
from invoke_devstack.planning.selection import activated

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class OneoffOptions:
    """What differs from the service. `slug` is 64 random hexadecimal digits. `environment` are `NAME=value`,
    `volumes` `SOURCE:TARGET[:ro]`, `publish` `[HOST:]CONTAINER`, `labels` `NAME=value`. `name` is the
    container's ("": by `oneoff_name`). `service_ports`: it publishes the service's own ports too;
    `use_aliases`: others find it under the service's name. `removes_itself`: when its command ends."""

    slug: str
    command: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    environment: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    tty: bool = False
    stdin: bool = False
    name: str = ""
    labels: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    service_ports: bool = False
    use_aliases: bool = False
    removes_itself: bool = False


def oneoff_name(project: str, service: str, slug: str) -> str:
    """`PROJECT-SERVICE-run-SLUG`, as in Compose."""
    return f"{project}-{service}-run-{slug[:12]}"


def plan_oneoff(
    definition: Definition, observed: Observed, service: str, oneoff: OneoffOptions, options: PlanningOptions
) -> Plan:
    """Creates the container (`oneoff_name`) and what it needs: image, networks, volumes. Starts neither it
    nor what it depends on. Raises UsageError for invalid options."""
    definition = with_api_socket(activated(definition, (service,)), options.logins)
    own = _changed(definition.services[service], definition.name, oneoff)
    images = image_actions(definition, (service,), observed, options)
    around = networks_and_volumes(definition, (own,), observed)
    ids = {item.service: item.id for item in reversed(observed.containers) if not item.oneoff}
    creation = Creation(
        definition, observed, options, ids, ids, frozenset(images), aliases=oneoff.use_aliases
    )
    builder = PlanBuilder()
    needs = frozenset(builder.add(action) for action in (*images.values(), *around.actions))
    name = own.container_name or ""
    step = creation.step(own, 0, name, by_command("run"), needs=needs)
    builder.add(replace(step, body=_body(definition, step.body, oneoff)))
    return builder.plan(definition.name, notices=around.notices)


def _changed(service: Service, project: str, oneoff: OneoffOptions) -> Service:
    """The service as the options say. It never restarts, and publishes its own ports only if
    they ask for it."""
    given = (variable.partition("=") for variable in oneoff.environment)
    update: dict[str, Any] = {
        "tty": oneoff.tty,
        "stdin_open": oneoff.stdin,
        "container_name": oneoff.name or oneoff_name(project, service.name, oneoff.slug),
        "environment": {**service.environment, **{name: value for name, _, value in given}},
        "ports": (*(service.ports if oneoff.service_ports else ()), *_ports(oneoff.publish)),
        "cap_add": tuple(dict.fromkeys((*service.cap_add, *oneoff.cap_add))),
        "cap_drop": tuple(dict.fromkeys((*service.cap_drop, *oneoff.cap_drop))),
        "labels": {**service.labels, **_labels(oneoff.labels)},
        "restart": None,
        "deploy": service.deploy and service.deploy.copy_with({"restart_policy": None}),
    }
    if oneoff.command:
        update["command"] = oneoff.command
    if oneoff.entrypoint is not None:
        # As in Docker, another entrypoint does not get the image's command.
        update |= {"entrypoint": oneoff.entrypoint, "command": oneoff.command}
    if oneoff.user:
        update["user"] = oneoff.user
    if oneoff.working_dir:
        update["working_dir"] = oneoff.working_dir
    return service.copy_with(update)


def _labels(texts: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def _ports(publish: tuple[str, ...]) -> tuple[Any, ...]:
    from invoke_devstack.definition.model import Port

    ports: list[Port] = []
    for text in publish:
        try:
            specs = parse_ports(text)
        except ValueError as error:
            raise UsageError(f"`{text}`: {error}", hint="Use HOST:CONTAINER, such as 8080:80.") from None
        ports += [
            Port(target=spec.target, published=spec.published, protocol=spec.protocol, host_ip=spec.host_ip)
            for spec in specs
        ]
    return tuple(ports)


def _body(definition: Definition, body: Any, oneoff: OneoffOptions) -> dict[str, Any]:
    host = dict(body["HostConfig"])
    if oneoff.removes_itself:
        host["AutoRemove"] = True
    binds = [_bind(definition, text) for text in oneoff.volumes]
    if binds:
        host["Binds"] = [*host.get("Binds", ()), *binds]
    attached = {"AttachStdin": True, "StdinOnce": True} if oneoff.stdin else {}
    return {**body, **attached, "HostConfig": host, "Labels": {**body["Labels"], labels.SLUG: oneoff.slug}}


def _bind(definition: Definition, text: str) -> str:
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source or not target.startswith("/") or mode not in ("", "ro", "rw"):
        raise UsageError(f"invalid volume `{text}`", hint="Use SOURCE:TARGET or SOURCE:TARGET:ro.")
    if source.startswith(("/", ".")):
        place = posixpath.normpath(posixpath.join(definition.working_dir.as_posix(), source))
    else:
        place = volume_name(definition, source)
    return f"{place}:{target}:{mode or 'rw'}"

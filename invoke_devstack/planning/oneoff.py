"""The plan of a one-off container: a service's, with another command, beside those that run."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.ports import parse_ports
from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.creation import Creation
from invoke_devstack.planning.images import image_actions
from invoke_devstack.planning.mounts import volume_name
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.plan import Plan
from invoke_devstack.planning.select import activated
from invoke_devstack.planning.steps import Draft
from invoke_devstack.planning.surroundings import surroundings

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class OneoffOptions:
    """What is other than in the service. `slug` is 64 hexadecimal digits that nobody else has;
    `environment` are `NAME=value`, `volumes` `SOURCE:TARGET[:ro]`, `publish` `[HOST:]CONTAINER`."""

    slug: str
    command: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    environment: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    entrypoint: str = ""
    tty: bool = False
    stdin: bool = False


def oneoff_name(project: str, service: str, slug: str) -> str:
    """`PROJECT-SERVICE-run-SLUG`, as Compose calls it."""
    return f"{project}-{service}-run-{slug[:12]}"


def plan_oneoff(
    definition: Definition, observed: Observed, service: str, oneoff: OneoffOptions, options: UpOptions
) -> Plan:
    """Makes the container (`oneoff_name`) and what it needs: image, networks, volumes. It is not started,
    and what it depends on is the business of `plan_up`. Raises UsageError for wrong options."""
    definition = activated(definition, (service,))
    own = _changed(definition.services[service], definition.name, oneoff)
    images = image_actions(definition, (service,), observed, options)
    around = surroundings(definition, (own,), observed)
    ids = {item.service: item.id for item in reversed(observed.containers) if not item.oneoff}
    creation = Creation(definition, observed, options, ids, ids, frozenset(images))
    step = creation.step(own, 0, oneoff_name(definition.name, service, oneoff.slug))
    draft = Draft()
    needs = frozenset(
        draft.add(action)
        for action in (*images.values(), *around.networks.values(), *around.volumes.values())
    )
    body = _body(definition, step.body, oneoff)
    draft.add(replace(step, body=body, needs=needs, cause="one-off"))
    return Plan(draft.finished(), project=definition.name, notices=around.notices)


def _changed(service: Service, project: str, oneoff: OneoffOptions) -> Service:
    """The service as the options say. It restarts for nobody, and publishes only what is asked for."""
    given = (variable.partition("=") for variable in oneoff.environment)
    update: dict[str, Any] = {
        "tty": oneoff.tty,
        "stdin_open": oneoff.stdin,
        "container_name": oneoff_name(project, service.name, oneoff.slug),
        "environment": {**service.environment, **{name: value for name, _, value in given}},
        "ports": _ports(oneoff.publish),
        "restart": None,
        "deploy": service.deploy and service.deploy.copy_with({"restart_policy": None}),
    }
    if oneoff.command:
        update["command"] = oneoff.command
    if oneoff.entrypoint:
        # As with Docker, the image's own command is not for another program.
        update |= {"entrypoint": (oneoff.entrypoint,), "command": oneoff.command}
    if oneoff.user:
        update["user"] = oneoff.user
    if oneoff.working_dir:
        update["working_dir"] = oneoff.working_dir
    return service.copy_with(update)


def _ports(publish: tuple[str, ...]) -> tuple[Any, ...]:
    from invoke_devstack.definition.model import Port

    ports: list[Port] = []
    for text in publish:
        try:
            specs = parse_ports(text)
        except ValueError as error:
            raise UsageError(f"`{text}`: {error}", hint="Write HOST:CONTAINER, such as 8080:80.") from None
        ports += [
            Port(target=spec.target, published=spec.published, protocol=spec.protocol, host_ip=spec.host_ip)
            for spec in specs
        ]
    return tuple(ports)


def _body(definition: Definition, body: Any, oneoff: OneoffOptions) -> dict[str, Any]:
    host = dict(body["HostConfig"])
    binds = [_bind(definition, text) for text in oneoff.volumes]
    if binds:
        host["Binds"] = [*host.get("Binds", ()), *binds]
    attached = {"AttachStdin": True, "StdinOnce": True} if oneoff.stdin else {}
    return {**body, **attached, "HostConfig": host, "Labels": {**body["Labels"], label.SLUG: oneoff.slug}}


def _bind(definition: Definition, text: str) -> str:
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source or not target.startswith("/") or mode not in ("", "ro", "rw"):
        raise UsageError(f"`{text}` is no volume", hint="Write SOURCE:TARGET, or SOURCE:TARGET:ro.")
    if source.startswith(("/", ".")):
        place = posixpath.normpath(posixpath.join(definition.working_dir.as_posix(), source))
    else:
        place = volume_name(definition, source)
    return f"{place}:{target}:{mode or 'rw'}"

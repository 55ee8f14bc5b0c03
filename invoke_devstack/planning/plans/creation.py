"""The creation of a service's container: its body, its labels, and the values that are known only later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.definition.output.render import digest
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.anonymous_volumes import AnonymousVolumes, last_volumes, volumes_for
from invoke_devstack.planning.bodies.container import BodyOptions, container_body, service_labels
from invoke_devstack.planning.bodies.hashes import hashed_text, placeholder
from invoke_devstack.planning.bodies.mounts import injected_files
from invoke_devstack.planning.bodies.tracing import trace_variables
from invoke_devstack.planning.causes import Cause
from invoke_devstack.planning.connections import injected
from invoke_devstack.planning.graph import bound_to
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer, LateValues
from invoke_devstack.planning.ports import ports_label
from invoke_devstack.planning.verdicts.fingerprint import fingerprint, label_text
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


@record
class Creation:
    """What the creations of one plan have in common.

    `aliases`: one-off containers are found under their service's name too.
    `containers` is service -> the name or id of the container that others mean by `service:NAME`; `ids`
    the same for those that exist and stay. `awaited` are images that earlier actions pull or build.
    """

    definition: Definition
    observed: Observed
    options: PlanningOptions
    containers: Mapping[str, str]
    ids: Mapping[str, str]
    awaited: frozenset[str] = frozenset()
    aliases: bool = False

    def step(
        self,
        service: Service,
        number: int,
        name: str,
        cause: Cause,
        *,
        needs: frozenset[str] = frozenset(),
        replaces: ObservedContainer | None = None,
    ) -> CreateContainer:
        """Creates container `number` of `service` under `name`; `number` 0 is a one-off one. Raises
        DefinitionError for a service whose container it would share and that has none."""
        self._check_references(service)
        reference = service.image_name(self.definition.name)
        anonymous = self._anonymous(service, number, replaces) if number else None
        late = self._late(service, reference, anonymous)
        created = container_body(
            self.definition,
            service,
            number,
            self._body_options(oneoff=not number),
            own_labels=self._labels(service, number, replaces),
            image=None if reference in self.awaited else self.observed.images.get(reference),
            anonymous=anonymous,
        )
        return CreateContainer(
            target=name,
            cause=cause,
            service=service.name,
            needs=needs,
            body=created.body,
            platform=service.platform or "",
            more_networks=created.more_networks,
            files=injected_files(self.definition, service, self.options.host_files),
            late=late if late.image or late.containers else None,
        )

    def _check_references(self, service: Service) -> None:
        for other in bound_to(service):
            if other not in self.containers:
                raise DefinitionError(
                    f"`{service.name}` uses the container of `{other}`, which has no container",
                    hint=f"Set `scale` of `{other}` to at least 1, or add `{other}` to the command.",
                )

    def _anonymous(
        self, service: Service, number: int, replaces: ObservedContainer | None
    ) -> AnonymousVolumes:
        renewed = frozenset(path for name, path in self.options.renewed_volumes if name == service.name)
        if self.options.renew_all:
            renewed |= self.left_volumes(service, number, replaces).keys()
        return volumes_for(
            self.definition, self.observed, service, number, replaces=replaces, renewed=renewed
        )

    def left_volumes(
        self, service: Service, number: int, replaces: ObservedContainer | None
    ) -> Mapping[str, str]:
        """Path -> name of the anonymous volumes that a new container does not take over (`renew_all`)."""
        if not self.options.renew_all or not number:
            return {}
        return last_volumes(self.definition, self.observed, service, number, replaces=replaces)

    def _late(self, service: Service, reference: str, anonymous: AnonymousVolumes | None) -> LateValues:
        image = reference if reference in self.awaited else ""
        names = sorted(self.containers[other] for other in bound_to(service) if other not in self.ids)
        return LateValues(image, tuple(names), self._hashed_text(service) if names else "", anonymous)

    def _hashed_text(self, service: Service) -> str:
        return hashed_text(
            service,
            {
                other: self.ids[other] if other in self.ids else placeholder(self.containers[other])
                for other in bound_to(service)
            },
        )

    def _labels(self, service: Service, number: int, replaces: ObservedContainer | None) -> dict[str, str]:
        config_hash = digest(self._hashed_text(service))
        values = service_labels(self.definition, service, number, config_hash, oneoff=not number)
        files = injected_files(self.definition, service, self.options.host_files)
        connect = injected(self.definition, service)
        traces = trace_variables(self.definition, service)
        values[labels.INPUTS] = label_text(fingerprint(service, files, self.options.bind, connect, traces))
        if ports := ports_label(service, self.options.ports, number):
            values[labels.PORTS] = ports
        reference = service.image_name(self.definition.name)
        image = self.observed.images.get(reference)
        if image and reference not in self.awaited:
            values[labels.IMAGE] = image.id
        if replaces:
            values[labels.REPLACE] = service.container_name or f"{service.name}-{number}"
        return values

    def _body_options(self, *, oneoff: bool) -> BodyOptions:
        options = self.options
        return BodyOptions(
            engine=self.observed.engine,
            bind=options.bind,
            ports=options.ports,
            environment=options.environment,
            seccomp=options.seccomp,
            host_files=options.host_files,
            containers=self.containers,
            oneoff=oneoff,
            aliases=not oneoff or self.aliases,
        )

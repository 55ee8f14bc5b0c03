"""The creation of a service's container: its body, its labels, and what is known of it only later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.body import BodyOptions, container_body, service_labels
from invoke_devstack.planning.connections import injected
from invoke_devstack.planning.graph import bound_to
from invoke_devstack.planning.hashes import digest, hashed_text
from invoke_devstack.planning.inputs import fingerprint, label_text
from invoke_devstack.planning.mounts import injected_files
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.plan import CreateContainer, Late
from invoke_devstack.planning.ports import ports_label
from invoke_devstack.planning.settle import placeholder
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


@record
class Creation:
    """What the creations of one plan have in common.

    `ids` is service -> id of the container that stands for it and stays; `containers` the same, and the
    names of those that the plan makes. `awaited` are images that are not there yet, or not for long.
    """

    definition: Definition
    observed: Observed
    options: UpOptions
    containers: Mapping[str, str]
    ids: Mapping[str, str]
    awaited: frozenset[str] = frozenset()

    def step(
        self, service: Service, number: int, name: str, *, replaces: ObservedContainer | None = None
    ) -> CreateContainer:
        """Makes container `number` of `service` under `name`, or a one-off one (`number` 0). The cause and
        the needs are left to the caller."""
        self._check_references(service)
        reference = service.image_name(self.definition.name)
        late = self._late(service, reference)
        made = container_body(
            self.definition,
            service,
            number,
            self._body_options(oneoff=not number),
            labels=self._labels(service, number, replaces),
            image=self.observed.images.get(reference),
            replaces=None if self.options.renew_volumes else replaces,
        )
        return CreateContainer(
            target=name,
            cause="",
            service=service.name,
            body=made.body,
            platform=service.platform or "",
            more_networks=made.more_networks,
            files=injected_files(self.definition, service),
            late=late if late.image or late.containers else None,
        )

    def _check_references(self, service: Service) -> None:
        for other in bound_to(service):
            if other not in self.containers:
                raise DefinitionError(
                    f"`{service.name}` uses the container of `{other}`, which has none",
                    hint=f"Let `{other}` have at least one container (`scale`), or name it in the command.",
                )

    def _late(self, service: Service, reference: str) -> Late:
        image = reference if reference in self.awaited else ""
        names = sorted(self.containers[other] for other in bound_to(service) if other not in self.ids)
        return Late(image, tuple(names), self._hashed_text(service) if names else "")

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
        labels = service_labels(self.definition, service, number, config_hash, oneoff=not number)
        files = injected_files(self.definition, service)
        connect = injected(self.definition, service)
        labels[label.INPUTS] = label_text(fingerprint(service, files, self.options.bind, connect))
        stand_ins = ports_label(service, self.options.ports)
        if stand_ins:
            labels[label.PORTS] = stand_ins
        reference = service.image_name(self.definition.name)
        image = self.observed.images.get(reference)
        if image and reference not in self.awaited:
            labels[label.IMAGE] = image.id
        if replaces:
            labels[label.REPLACE] = service.container_name or f"{service.name}-{number}"
        return labels

    def _body_options(self, *, oneoff: bool) -> BodyOptions:
        options = self.options
        return BodyOptions(
            engine=self.observed.engine,
            bind=options.bind,
            ports=options.ports,
            environment=options.environment,
            seccomp=options.seccomp,
            containers=self.containers,
            oneoff=oneoff,
        )

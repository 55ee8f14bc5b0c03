"""What stands where a container has an image, and what a process container's labels and healthcheck say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from invoke_devstack.planning.labels import PROCESS_PORTS

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

PROCESS_IMAGE = "process-on-this-machine"
PROCESS_IMAGE_ID = "sha256:" + "0" * 64
LOG_LINE = "devstack-log-line"
"""The command of a healthcheck that asks whether a line of the log matches the pattern after it."""


def ports_of(labels: Mapping[str, str]) -> list[tuple[int, int]]:
    """(port that it stands for, port of this machine) of a process container."""
    pairs = (pair.partition(":") for pair in labels.get(PROCESS_PORTS, "").split(",") if pair)
    return [(int(inside), int(outside)) for outside, _, inside in pairs]


def ports_text(ports: Iterable[tuple[int, int]]) -> str:
    """The same as a label."""
    return ",".join(f"{outside}:{inside}" for inside, outside in sorted(ports))


def is_process(service: Service) -> bool:
    """Whether its containers are processes of this machine."""
    return service.image == PROCESS_IMAGE

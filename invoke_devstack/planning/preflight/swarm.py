"""`preflight()`: what a swarm makes of a definition."""

from __future__ import annotations

from invoke_devstack.definition.model import Definition
from invoke_devstack.planning.preflight.examine import examine
from invoke_devstack.planning.preflight.fates import Version
from invoke_devstack.planning.preflight.findings import Finding
from invoke_devstack.planning.preflight.swarm_keys import KEYS


def preflight(definition: Definition, api: Version) -> tuple[Finding, ...]:
    """What a swarm whose engines have an API version does not carry out as it is written."""
    return examine(definition, KEYS, api)

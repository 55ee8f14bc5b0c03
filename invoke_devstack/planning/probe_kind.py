"""The kinds of probes: every plan knows them, but a `down` needs no list of known images."""

from __future__ import annotations

from enum import StrEnum


class ProbeKind(StrEnum):
    """How to ask a starting container whether it is ready; `running/readiness/probes.py` asks."""

    HEALTHCHECK = "healthcheck"  # runs the healthcheck's command inside, as the engine would
    RUNNING = "running"  # nothing to ask: it is ready once it runs
    PORT = "port"  # connects, and the connection stays open
    HTTP = "http"
    REDIS = "redis"
    MYSQL = "mysql"
    POSTGRES = "postgres"

    @property
    def is_protocol(self) -> bool:
        """Whether it is the protocol of one kind of server."""
        return self not in (ProbeKind.HEALTHCHECK, ProbeKind.RUNNING, ProbeKind.PORT, ProbeKind.HTTP)

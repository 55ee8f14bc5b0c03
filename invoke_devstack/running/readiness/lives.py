"""How a container has fared since somebody started it: how often the engine restarted it, and whether its
present life proves anything."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from invoke_devstack.planning.observed import seconds_of

STABLE = 10.0
"""Seconds that a container must run until the engine forgets that it crashed before."""
CRASHES = 3
"""Of a container that the engine restarts, until it counts as a crash loop."""
_PROOF = 1.0
_SHORT_PROOF = 0.15  # of a container that the engine does not restart: its end is not covered up
_TIMES_LONGER = 3


def restarts(inspected: Mapping[str, Any]) -> int:
    """How often the engine restarted it since it was started."""
    return int(inspected.get("RestartCount") or 0)


def age(inspected: Mapping[str, Any]) -> float:
    """Seconds since its last start, by the clock of this machine."""
    return time.time() - seconds_of(_state(inspected).get("StartedAt", ""))


def crashes(inspected: Mapping[str, Any]) -> int:
    """How often it crashed without having run for long since."""
    count = restarts(inspected)
    if _state(inspected).get("Status") == "restarting":
        return count if _last_life(inspected) < STABLE else 1
    return count if age(inspected) < STABLE else 0


def wants_restart(inspected: Mapping[str, Any], code: int) -> bool:
    """Whether its policy says that the engine restarts it after an exit with `code`, if not too often."""
    policy = restart_policy(inspected)
    return policy in ("always", "unless-stopped") or (policy == "on-failure" and code != 0)


def is_restarted(inspected: Mapping[str, Any], code: int) -> bool:
    """Whether the engine restarts it after the exit with `code` that was just reported: with `on-failure:2`
    not for the third time. `inspected` is from after that exit, so its last restart may have begun."""
    most = most_restarts(inspected)
    used_up = restarts(inspected) >= most and _state(inspected).get("Status") not in ("restarting", "running")
    return wants_restart(inspected, code) and not used_up


def most_restarts(inspected: Mapping[str, Any]) -> float:
    """How often its policy has the engine restart it; infinity without a limit."""
    policy = (inspected.get("HostConfig") or {}).get("RestartPolicy") or {}
    return policy.get("MaximumRetryCount") or math.inf


def restart_policy(inspected: Mapping[str, Any]) -> str:
    """Its restart policy, "no" if it has none."""
    return ((inspected.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") or "no"


class Lives:
    """The lives of a container since a wait for it began. Times of events are the engine's."""

    def __init__(self, inspected: Mapping[str, Any]) -> None:
        self.crashes = crashes(inspected)
        self._began = time.monotonic()
        self._started = seconds_of(_state(inspected).get("StartedAt", ""))
        self._longest = max(self._started - seconds_of(inspected.get("Created", "")), 0.0)
        self._first_proof = _SHORT_PROOF if restart_policy(inspected) == "no" else _PROOF

    def begin(self, moment: float) -> None:
        """The engine started it again."""
        self._began, self._started = time.monotonic(), moment

    def end(self, moment: float) -> None:
        """It crashed."""
        life = max(moment - self._started, 0.0)
        self._longest = max(life, self._longest if self.crashes else 0.0)
        self.crashes += 1

    def age(self) -> float:
        """Seconds since its present life began, or was first looked at."""
        return time.monotonic() - self._began

    def proof(self) -> float:
        """How many seconds it must live to count as running, where nothing else tells: a life that ended
        says that the next one proves nothing until it has clearly lasted longer."""
        if not self.crashes:
            return self._first_proof
        return min(max(_PROOF, _TIMES_LONGER * self._longest), STABLE)


def _last_life(inspected: Mapping[str, Any]) -> float:
    state = _state(inspected)
    return seconds_of(state.get("FinishedAt", "")) - seconds_of(state.get("StartedAt", ""))


def _state(inspected: Mapping[str, Any]) -> Mapping[str, Any]:
    return inspected.get("State") or {}

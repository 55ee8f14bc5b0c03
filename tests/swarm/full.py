"""What the longer tests of a cluster share. They take minutes: only `invoke test.swarm` runs them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from docker.errors import DockerException

IS_FULL = os.environ.get("DEVSTACK_SWARM") == "all"
FULL = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not IS_FULL, reason="`invoke test.swarm` runs it"),
]
"""The marks of a module whose tests are all of them."""


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    """Until it holds; an engine that does not answer is asked again."""
    until = time.monotonic() + seconds
    while True:
        with suppress(DockerException, OSError):
            if condition():
                return
        assert time.monotonic() < until
        time.sleep(0.1)

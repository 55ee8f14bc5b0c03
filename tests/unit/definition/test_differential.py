"""The real Docker Compose and ours read the same made-up definitions: they agree, or both refuse.

300 cases; DEVSTACK_DIFFERENTIAL_CASES=10000 for a long run, which is random where the short one is not.
What such runs found is in docs/definitions.md.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.unit.definition import grammar
from tests.unit.definition.compose import ask_compose, ask_ours, compose_command, write

CASES = int(os.environ.get("DEVSTACK_DIFFERENTIAL_CASES", "300"))

pytestmark = [
    pytest.mark.skipif(
        compose_command() is None, reason="Docker Compose is not installed: nothing to compare with"
    ),
    pytest.mark.timeout(0),
]


@settings(
    max_examples=CASES,
    derandomize=CASES <= 300,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(grammar.definitions())
def test_compose_and_ours_agree_or_both_refuse(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "proj"
        write(files, project)
        config, hashes, error = ask_ours(project, grammar.ENVIRONMENT)
        their_config, their_hashes, their_error = ask_compose(project, grammar.ENVIRONMENT)

    assume("panic: " not in their_error)  # Compose crashed: there is no answer to compare with
    assert config == their_config, error or their_error
    assert hashes == their_hashes

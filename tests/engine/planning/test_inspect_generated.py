"""`docker inspect` of made-up services equals that of the same ones made by Docker Compose.

30 cases; DEVSTACK_INSPECT_CASES=500 for a long run, which is random where the short one is not.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import DevstackError
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.down import take_down
from invoke_devstack.running.stack.up import bring_up
from tests.engine.planning.grammar import stacks
from tests.engine.planning.inspected import compose, differences, remove_project, seen, session_for

CASES = int(os.environ.get("DEVSTACK_INSPECT_CASES", "30"))
LONG = CASES > 30

pytestmark = pytest.mark.timeout(0)


@settings(
    max_examples=CASES,
    derandomize=not LONG,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(stacks())
def test_a_generated_stack_is_as_compose_makes_it(engine: DockerEngine, busybox: str, text: str) -> None:
    project = f"t-generated-{uuid.uuid4().hex[:8]}"
    note(text)
    try:
        with tempfile.TemporaryDirectory() as folder:
            _compare(engine, busybox, project, text, Path(folder))
    finally:
        remove_project(engine, project)


def _compare(engine: DockerEngine, image: str, project: str, text: str, folder: Path) -> None:
    session = session_for(text, engine, image, project, folder)
    if not _compose_comes_up(session):
        remove_project(engine, project)
        with pytest.raises(DevstackError):
            bring_up(session, UpOptions())
        return
    theirs = seen(engine, project)
    compose(session, "down", "--volumes", "--timeout", "0")
    bring_up(session, UpOptions())
    ours = seen(engine, project)
    take_down(session, DownOptions(volumes=True, timeout=1))
    assert "\n".join(differences(ours, theirs)) == ""


def _compose_comes_up(session: Session) -> bool:
    try:
        compose(session, "up", "--detach")
    except AssertionError as error:
        note(f"Compose: {error}")
        return False
    return True

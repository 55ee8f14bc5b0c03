"""Whatever an engine answers, a task ends with a message: no traceback, no fault of ours, bounded memory.

`DEVSTACK_LIES=200` tries as many lies for each task instead of one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import docker
import pytest

from tests.functional.bad_engine.hanging import Bench, all_tasks
from tests.functional.bad_engine.lying import tell

_LIES = int(os.environ.get("DEVSTACK_LIES", "1"))

pytestmark = [pytest.mark.timeout(7200), pytest.mark.xdist_group("lying")]


@pytest.fixture(scope="module")
def bench(
    client: docker.DockerClient, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    made = Bench(tmp_path_factory.mktemp("lying"), engine, busybox, f"t-lie-{secrets.token_hex(4)}")
    yield made
    made.remove()


@pytest.mark.parametrize("words", tuple(all_tasks()), ids=" ".join)
def test_a_lie_is_told_with_a_message(bench: Bench, words: tuple[str, ...]) -> None:
    requests = len(bench.requests_of(words))
    complaints = []
    for seed in range(_LIES) if requests else ():
        told = tell(bench, words, seed, requests)
        if told.changed:
            bench.restore()
        if complaint := told.complaint():
            complaints.append(f"seed {seed}: {complaint} [{told.about}]\n{told.shown[-800:]}")
    assert not complaints, "\n".join(complaints)

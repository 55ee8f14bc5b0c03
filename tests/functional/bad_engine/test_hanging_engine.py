"""A signal ends every task within a second, at whichever request the engine stops answering.

`DEVSTACK_HANGING=all` tries every request, way to hang and signal instead of one; that takes hours.
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from invoke_devstack.tasks.namespace import Stack
from tests.functional.bad_engine.hanging import LEFT_OUT, WORDS, Bench, all_tasks, cases

_MOST = None if os.environ.get("DEVSTACK_HANGING") == "all" else 1
_BUSY = 3.0
"""Seconds for a machine that runs other tests at the same time."""

pytestmark = [pytest.mark.timeout(7200), pytest.mark.xdist_group("hanging")]


@pytest.fixture(scope="module")
def bench(
    client: docker.DockerClient, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    name = f"t-hang-{secrets.token_hex(4)}"
    made = Bench(tmp_path_factory.mktemp("hanging"), engine, busybox, name)
    yield made
    made.remove()


@pytest.mark.parametrize("words", tuple(all_tasks()), ids=" ".join)
def test_a_signal_ends_the_task_while_the_engine_hangs(bench: Bench, words: tuple[str, ...]) -> None:
    complaints = []
    for case in cases(bench, words, random.Random(" ".join(words)), _MOST):
        outcome = bench.run(case)
        bench.restore_after(outcome)
        if outcome is not None and (complaint := outcome.complaint(case, _BUSY)):
            complaints.append(f"{case}: {complaint} [{outcome.request}]\n{outcome.shown[-800:]}")
    assert not complaints, "\n".join(complaints)


def test_every_task_that_has_words_exists() -> None:
    assert {*WORDS, *LEFT_OUT} <= set(Stack(Path()).task_names)

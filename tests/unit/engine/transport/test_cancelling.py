"""Work that another thread may end."""

from __future__ import annotations

import threading
import time

import pytest

from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.protocol import OnProgress, Progress
from invoke_devstack.engine.transport import cancelling
from invoke_devstack.errors import EngineError


def quiet(progress: Progress) -> None:
    return


def test_work_gives_its_result_and_its_progress() -> None:
    told: list[Progress] = []

    def work(tell: OnProgress) -> int:
        tell(Progress("a", "b"))
        return 3

    assert cancelling.run(work, told.append, Cancellation()) == 3
    assert cancelling.run(work, told.append, None) == 3
    assert len(told) == 2


def test_an_error_of_the_work_passes_through() -> None:
    def work(tell: OnProgress) -> int:
        raise EngineError("broken")

    with pytest.raises(EngineError, match="broken"):
        cancelling.run(work, quiet, Cancellation())


def test_work_that_waits_is_cancelled_at_once_and_ends_at_its_next_word() -> None:
    cancellation, go_on, ended = Cancellation(), threading.Event(), threading.Event()

    def work(tell: OnProgress) -> None:
        go_on.wait(60)
        try:
            tell(Progress("a", "b"))
        finally:
            ended.set()

    threading.Timer(0.05, cancellation.cancel).start()
    began = time.monotonic()
    with pytest.raises(EngineError, match="cancelled"):
        cancelling.run(work, quiet, cancellation)
    assert time.monotonic() - began < 20  # the work would go on for a minute
    go_on.set()
    assert ended.wait(30)


def test_what_is_cancelled_before_it_begins_never_runs() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(EngineError, match="cancelled"):
        cancelling.run(lambda tell: time.sleep(5), quiet, cancellation)

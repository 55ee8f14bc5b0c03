"""One run at a time, and one more for whatever was triggered during it."""

from __future__ import annotations

import threading

from invoke_devstack.running.watch.delivery.service_queue import SerialWorker
from invoke_devstack.running.workers import Workers


def test_triggers_during_a_run_become_one_more_run() -> None:
    workers, begun, go_on, runs = Workers(), threading.Event(), threading.Event(), []

    def work() -> None:
        runs.append(threading.current_thread().name)
        begun.set()
        assert go_on.wait(30)

    worker = SerialWorker(workers, work)
    assert worker.idle.is_set()
    worker.trigger()
    assert begun.wait(30)
    assert not worker.idle.is_set()
    worker.trigger()
    worker.trigger()
    go_on.set()
    assert worker.idle.wait(30)
    assert len(runs) == 2
    workers.close()

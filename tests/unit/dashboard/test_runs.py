"""An action that ends at once because it is wrong is told from one that has begun."""

from __future__ import annotations

import threading
import time

from invoke_devstack.acting.host import Wish
from invoke_devstack.dashboard.acting.runs import Run


def test_an_error_is_a_refusal_even_if_its_end_comes_later() -> None:
    run = Run(Wish("restart"), lambda run, event: None)
    run.add({"type": "error", "error": "unknown service `wbe`"})

    def end_late() -> None:
        time.sleep(0.05)
        run.end(2)

    threading.Thread(target=end_late).start()
    run.wait_until_begun(30)
    assert run.refusal() == {"type": "error", "error": "unknown service `wbe`"}


def test_an_error_after_something_was_done_is_a_failure() -> None:
    run = Run(Wish("restart"), lambda run, event: None)
    run.add({"type": "plan"})
    run.add({"type": "error", "error": "no"})
    run.end(2)
    run.wait_until_begun(30)
    assert run.refusal() is None
    assert run.finished()["error"] == "no"


def test_who_listens_late_gets_everything_and_the_end() -> None:
    run = Run(Wish("up"), lambda run, event: None)
    run.add({"type": "plan"})
    run.end(0)
    heard: list[object] = []
    run.listen(heard.append)
    assert heard == [{"type": "plan"}, None]

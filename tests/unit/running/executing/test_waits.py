"""A service is waited for: what makes it ready, and what is said when it does not get there."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from invoke_devstack.errors import ServiceError
from invoke_devstack.events import Notice, ServiceReady
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.plan import Probe
from invoke_devstack.running.session import Session
from tests.fakes import Behaviour, FakeEngine
from tests.unit.planning.building import stack
from tests.unit.running.executing.conftest import HEALTHCHECK, Bench, create, ready, start, up


def test_a_healthcheck_is_run_inside_until_it_passes(bench: Bench) -> None:
    from invoke_devstack.engine.protocol import ExecResult

    asked: list[tuple[str, ...]] = []

    def answer(command: Sequence[str]) -> ExecResult:
        asked.append(tuple(command))
        return ExecResult(0 if len(asked) == 3 else 1, b"")

    bench.engine.behaviour["p-web-1"] = Behaviour(execs=answer)
    bench.run(*up(probe=Probe(ProbeKind.HEALTHCHECK, command=("CMD-SHELL", "check it"))))
    assert asked == [("/bin/sh", "-c", "check it")] * 3


def test_the_engines_own_verdict_counts_too(bench: Bench) -> None:
    from invoke_devstack.engine.protocol import ExecResult

    bench.engine.behaviour["p-web-1"] = Behaviour(execs=lambda command: ExecResult(1, b"no"))
    threading.Timer(0.2, bench.engine.set_health, args=("p-web-1", "healthy")).start()
    bench.run(*up(probe=HEALTHCHECK))


def test_an_unhealthy_service_fails_with_its_last_answer_and_who_waits(bench: Bench) -> None:
    from invoke_devstack.engine.protocol import ExecResult

    bench.engine.behaviour["p-web-1"] = Behaviour(
        execs=lambda command: ExecResult(1, b"connection refused"), logs=[("stdout", b"starting\n")]
    )
    threading.Timer(0.2, bench.engine.set_health, args=("p-web-1", "unhealthy")).start()
    with pytest.raises(ServiceError) as caught:
        bench.run(*up(probe=HEALTHCHECK))
    assert caught.value.service == "web"
    assert "unhealthy" in caught.value.message
    assert "api waits for it" in caught.value.message
    assert "last probe: connection refused" in caught.value.details
    assert "  starting" in caught.value.details


def test_a_service_that_is_not_ready_in_time_fails_by_name(bench: Bench) -> None:
    from invoke_devstack.engine.protocol import ExecResult

    bench.engine.behaviour["p-web-1"] = Behaviour(execs=lambda command: ExecResult(1, b""))
    with pytest.raises(ServiceError, match=r"web was not ready .* within 0\.2 s"):
        bench.run(*up(probe=HEALTHCHECK, timeout=0.2))


def test_an_error_names_the_container_where_a_service_has_several(bench: Bench) -> None:
    bench.engine.behaviour["p-web-2"] = Behaviour(exit_code=3)
    steps = (create("p-web-2"), start("p-web-2", "create p-web-2"), ready("p-web-2", "start p-web-2"))
    with pytest.raises(ServiceError, match="web-2 exited with code 3") as caught:
        bench.run(*steps)
    assert (caught.value.service, "logs -s web`" in caught.value.hint) == ("web", True)


def test_the_first_of_several_containers_has_its_number_too() -> None:
    session = Session(stack({"web": {"scale": 2}, "db": {}}), FakeEngine(), lambda event: None)
    assert session.label("web", "p-web-1") == "web-1"
    assert session.label("db", "p-db-1") == "db"


def test_a_one_shot_that_exits_0_is_done(bench: Bench) -> None:
    bench.engine.behaviour["p-web-1"] = Behaviour(exit_code=0)
    bench.run(*up(condition="service_completed_successfully"))
    assert [event.state for event in bench.events if isinstance(event, ServiceReady)] == ["done"]


def test_a_service_that_exits_otherwise_fails_with_its_code(bench: Bench) -> None:
    bench.engine.behaviour["p-web-1"] = Behaviour(exit_code=3, logs=[("stderr", b"boom\n")])
    with pytest.raises(ServiceError, match="exited with code 3") as caught:
        bench.run(*up(probe=HEALTHCHECK))
    assert "  boom" in caught.value.details


def test_a_service_with_nothing_to_ask_that_crashes_at_once_is_noticed(bench: Bench) -> None:
    threading.Timer(0.05, lambda: bench.engine.end("p-web-1", 1)).start()
    with pytest.raises(ServiceError, match="web exited with code 1"):
        bench.run(*up())


def test_a_failure_that_others_can_do_without_is_a_warning(bench: Bench) -> None:
    bench.engine.behaviour["p-web-1"] = Behaviour(exit_code=3)
    bench.run(*up(probe=HEALTHCHECK, optional=True))
    assert any("no service requires it" in event.text for event in bench.events if isinstance(event, Notice))


def test_a_service_that_was_unhealthy_before_fails_at_once(bench: Bench) -> None:
    from invoke_devstack.engine.protocol import ExecResult

    bench.engine.behaviour["p-web-1"] = Behaviour(
        health="unhealthy", execs=lambda command: ExecResult(1, b"still no")
    )
    began = time.monotonic()
    with pytest.raises(ServiceError, match="unhealthy"):
        bench.run(*up(probe=HEALTHCHECK, timeout=60.0))
    assert time.monotonic() - began < 30

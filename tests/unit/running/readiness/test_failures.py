"""Which failure is the newest, and what there is to run next."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.errors import DefinitionError, DevstackError, Interrupted, Position, UsageError
from invoke_devstack.events import ActionFailed, Event, Failed, ServiceStopped, WatchFailed
from invoke_devstack.running.journal import Head, Written
from invoke_devstack.running.readiness import failures
from invoke_devstack.running.readiness.failures import NEXT, Failure, newest, newest_kept
from invoke_devstack.tasks import catalogue

CRASHED = Failed(error="web exited with code 3", reason="service", service="web", details=("  no",))


def run(began: float, *events: Event, task: str = "up", code: int = 0, services: tuple[str, ...] = ()) -> Any:
    head = Head(f"run-{began:g}", task, f"invoke {task}", services, began, 1)
    return Written(head, tuple((1.0, event.to_json()) for event in events), 2.0, code)


def nothing() -> None:
    return None


def test_the_failure_of_the_newest_run_that_has_one_is_told_with_its_evidence() -> None:
    runs = [run(300, task="stop"), run(200, CRASHED, code=1), run(100, Failed(error="old"), code=1)]
    found = newest(runs, (), nothing)
    assert found == Failure(
        "web exited with code 3", 201.0, "web", "service", ("  no",), "", "invoke up", over=False
    )


def test_wrong_use_and_an_interruption_are_no_failures() -> None:
    wrong = run(300, Failed(error="unknown service", reason="usage", exit_code=2), code=2)
    interrupted = run(200, Failed(error="interrupted", exit_code=130), code=130)
    assert newest_kept([wrong, interrupted]) is None


@pytest.mark.parametrize(
    ("later", "over"),
    [
        (run(300), True),
        (run(300, services=("web",)), True),
        (run(300, services=("db",)), False),
        (run(300, task="stop"), False),
        (run(300, Failed(error="bad", reason="usage", exit_code=2), code=2), False),
    ],
)
def test_it_is_over_once_the_same_task_has_succeeded_for_the_service(later: Written, over: bool) -> None:
    found = newest_kept([later, run(200, CRASHED, code=1)])
    assert found is not None
    assert found.over is over


def test_only_the_services_that_are_asked_for_count() -> None:
    failed = ActionFailed(action="start", target="db", seconds=0.1, error="no", service="db")
    runs = [run(300, failed, Failed(error="no"), code=1), run(200, CRASHED, code=1)]
    of_all, of_web = newest_kept(runs), newest_kept(runs, ("web",))
    assert of_all and of_all.service == "db"
    assert of_web and of_web.at == 201.0
    assert newest_kept(runs, ("cache",)) is None


def test_a_failed_turn_of_the_watch_counts_until_the_service_was_changed() -> None:
    failed = run(100, WatchFailed(service="web", error="no space"), task="watch", code=1)
    other = run(200, WatchFailed(service="db", error="x"), task="watch")
    found = newest_kept([run(300, CRASHED, task="watch"), other, failed], ("web",))
    assert found and not found.over
    first = newest_kept(
        [
            run(300, ServiceStopped(service="web", container="c", exit_code=0, seconds=1.0), task="watch"),
            failed,
        ]
    )
    assert first and first.over


def test_what_the_containers_say_now_goes_before_what_is_older_or_over() -> None:
    now = Failure("web exited with code 4", 400.0, "web", "service")
    kept = run(200, CRASHED, code=1)
    assert newest([kept], (), lambda: now) == Failure(
        "web exited with code 4", 400.0, "web", "service", command="invoke up"
    )
    assert newest([run(500), run(450, CRASHED, code=1)], (), lambda: now) == now
    later = newest([run(450, CRASHED, code=1)], (), lambda: now)
    assert later and later.at == 451.0


def test_what_cannot_be_looked_at_is_what_fails_now(tmp_path: Any) -> None:
    def look() -> None:
        raise DefinitionError("invalid port", position=Position(tmp_path / "compose.yaml", 3, 5))

    found = newest([run(200, CRASHED, code=1)], (), look)
    assert found and (found.cause, found.reason) == ("invalid port", "definition")
    assert found.evidence == (f"{tmp_path / 'compose.yaml'}:3:5",)


@pytest.mark.parametrize("error", [UsageError("unknown service"), Interrupted(2)])
def test_wrong_use_and_ctrl_c_end_it_all_the_same(error: DevstackError) -> None:
    def look() -> None:
        raise error

    with pytest.raises(type(error)):
        newest([run(200, CRASHED, code=1)], ("typo",), look)


def test_a_container_that_a_command_stopped_has_not_failed() -> None:
    stopped = run(
        100, ServiceStopped(service="web", container="p-web-1", exit_code=137, seconds=1.0), task="stop"
    )
    assert failures._was_stopped("p-web-1", 100.9, [stopped])
    assert not failures._was_stopped("p-web-1", 200.0, [stopped])
    assert not failures._was_stopped("p-db-1", 100.9, [stopped])


@pytest.mark.parametrize("reason", ["", "timeout", "bug", *NEXT])
def test_what_is_next_is_a_task(reason: str) -> None:
    for service in ("", "web"):
        task, *words = Failure("no", 0.0, service, reason).next
        known = {*catalogue.every()[task].parameters}
        assert {word.removeprefix("--") for word in words if word.startswith("--")} <= known
        assert ("web" in words) <= ("service" in known)

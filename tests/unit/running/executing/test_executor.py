"""A plan is carried out: at once where it can be, in order where it must be, and ended well when it fails."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import (
    ConflictError,
    EngineError,
    HookError,
    Interrupted,
    PortTakenError,
    ServiceError,
)
from invoke_devstack.events import (
    ActionFailed,
    ActionFinished,
    ActionStarted,
    Event,
    Notice,
    ServiceReady,
    ServiceStopped,
)
from invoke_devstack.planning.causes import by_command
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    Condition,
    CreateContainer,
    Plan,
    Probe,
    PullImage,
    RemoveContainer,
    RemoveNetwork,
    RestartContainer,
    RunHook,
    StartContainer,
    StopContainer,
)
from invoke_devstack.running.executing import executor
from invoke_devstack.running.executing.executor import execute
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.running.session import Session
from invoke_devstack.settings import Settings
from tests.fakes import Behaviour, FakeEngine

CAUSE = by_command("test")

LABELS = {"com.docker.compose.project": "p", "com.docker.compose.service": "web"}


class Bench:
    """A session on a fake engine, whose hooks are what a test lets a plan do."""

    def __init__(self, parallel: int = 32) -> None:
        self.engine = FakeEngine()
        self.engine.add_image("image")
        self.events: list[Event] = []
        self.hooks = Hooks()
        self.session = Session(
            Definition(name="p", working_dir=Path("/p")),
            self.engine,
            self.events.append,
            settings=Settings(parallel=parallel),
            hooks=self.hooks,
        )

    def step(self, name: str, act: Callable[[], object], *needs: str) -> RunHook:
        """An action that does `act`."""
        self.hooks.add("do", name, lambda context: act())
        return RunHook(
            target=f"do {name}", cause=CAUSE, when="do", needs=frozenset(f"hook do {n}" for n in needs)
        )

    def run(self, *actions: Action, through_interrupt: bool = False) -> None:
        execute(Plan(actions, project="p"), self.session, through_interrupt=through_interrupt)

    def of(self, kind: type[Event]) -> list[str]:
        return [getattr(event, "target", "") for event in self.events if isinstance(event, kind)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def create(name: str = "p-web-1") -> CreateContainer:
    return CreateContainer(target=name, cause=CAUSE, service="web", body={"Image": "image", "Labels": LABELS})


def start(name: str = "p-web-1", *needs: str) -> StartContainer:
    return StartContainer(target=name, cause=CAUSE, service="web", needs=frozenset(needs))


def ready(
    name: str = "p-web-1",
    *needs: str,
    condition: Condition = "service_healthy",
    probe: Probe | None = None,
    timeout: float = 5.0,
    optional: bool = False,
) -> AwaitReady:
    return AwaitReady(
        target=name,
        cause=CAUSE,
        service="web",
        condition=condition,
        probe=probe or Probe(ProbeKind.RUNNING),
        timeout=timeout,
        needs=frozenset(needs),
        waited_for_by=("api",),
        optional=optional,
    )


def up(**waiting: Any) -> tuple[Action, ...]:
    name = "p-web-1"
    return create(), start(name, f"create {name}"), ready(name, f"start {name}", **waiting)


HEALTHCHECK = Probe(ProbeKind.HEALTHCHECK, command=("CMD", "check"))


def test_an_action_runs_after_what_it_needs(bench: Bench) -> None:
    order: list[str] = []
    bench.run(
        bench.step("last", lambda: order.append("last"), "first", "second"),
        bench.step("second", lambda: order.append("second"), "first"),
        bench.step("first", lambda: order.append("first")),
    )
    assert order == ["first", "second", "last"]


def test_what_needs_nothing_of_each_other_runs_at_once(bench: Bench) -> None:
    meeting = threading.Barrier(3)
    bench.run(*(bench.step(str(number), lambda: meeting.wait(30)) for number in range(3)))
    assert bench.of(ActionFinished) == ["do 0", "do 1", "do 2"] or len(bench.of(ActionFinished)) == 3


def test_no_more_actions_run_at_once_than_the_setting_says() -> None:
    bench = Bench(parallel=2)
    running: list[int] = []
    most: list[int] = []

    def act() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.1)
        running.pop()

    bench.run(*(bench.step(str(number), act) for number in range(6)))
    assert max(most) == 2


def test_after_a_failure_nothing_new_begins_and_what_failed_is_raised(bench: Bench) -> None:
    begun: list[str] = []

    def fail() -> None:
        raise EngineError("no")

    with pytest.raises(HookError):
        bench.run(bench.step("a", fail), bench.step("b", lambda: begun.append("b"), "a"))
    assert begun == []
    assert bench.of(ActionFailed) == ["do a"]


def test_what_is_made_in_the_middle_of_a_failure_is_let_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()
    made = bench.engine.create_container

    def slowly(name: str, body: Mapping[str, Any], **options: Any) -> str:
        began.set()
        time.sleep(0.1)
        return made(name, body, **options)

    monkeypatch.setattr(bench.engine, "create_container", slowly)

    def fail() -> None:
        began.wait(30)
        raise EngineError("no")

    with pytest.raises(HookError):
        bench.run(create(), bench.step("a", fail))
    assert bench.engine.named("p-web-1").state == "created"


def test_a_wait_ends_at_once_when_another_action_fails(bench: Bench) -> None:
    bench.engine.behaviour["p-web-1"] = Behaviour(health="starting")

    def fail() -> None:
        time.sleep(0.1)
        raise EngineError("no")

    began = time.monotonic()
    with pytest.raises(HookError):
        bench.run(*up(condition="service_completed_successfully", timeout=60.0), bench.step("a", fail))
    assert time.monotonic() - began < 30


def test_a_signal_ends_the_waits_and_is_raised(bench: Bench) -> None:
    started = threading.Event()

    def interrupt() -> None:
        started.wait(30)
        bench.session.interrupt.deliver(signal.SIGTERM)

    bench.hooks.add("do", "tell", lambda context: started.set())
    tell = RunHook(target="do tell", cause=CAUSE, when="do", needs=frozenset({"start p-web-1"}))
    threading.Thread(target=interrupt).start()
    began = time.monotonic()
    with pytest.raises(Interrupted) as caught:
        bench.run(*up(condition="service_completed_successfully", timeout=60.0), tell)
    assert caught.value.exit_code == 143
    assert time.monotonic() - began < 30
    assert bench.engine.named("p-web-1").state == "running"


def test_a_shutdown_goes_on_after_a_first_signal(bench: Bench) -> None:
    bench.run(*up())
    bench.session.interrupt.deliver(signal.SIGINT)
    with pytest.raises(Interrupted):
        bench.run(
            StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web"),
            RemoveContainer(target="p-web-1", name="p-web-1", cause=CAUSE, needs=frozenset({"stop p-web-1"})),
            through_interrupt=True,
        )
    assert bench.engine.containers == {}
    assert any("once more" in event.text for event in bench.events if isinstance(event, Notice))


def test_a_pull_that_is_cancelled_stops_at_its_next_word(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()

    def pull(reference: str, *, on_progress: Callable[[object], None], **others: object) -> None:
        from invoke_devstack.engine.protocol import Progress

        for _ in range(1000):
            on_progress(Progress("layer", "Downloading"))
            time.sleep(0.01)
        told.set()

    monkeypatch.setattr(bench.engine, "pull", pull)
    threading.Timer(0.1, bench.session.interrupt.deliver, args=(signal.SIGINT,)).start()
    with pytest.raises(Interrupted):
        bench.run(PullImage(target="redis:8", cause=CAUSE))
    assert not told.wait(0.1)


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


def test_a_half_made_container_of_ours_makes_room(bench: Bench) -> None:
    first = bench.engine.create_container("p-web-1", {"Image": "image", "Labels": LABELS})
    bench.run(create())
    assert bench.engine.named("p-web-1").id != first


def test_a_name_that_another_project_has_is_refused_with_its_owner(bench: Bench) -> None:
    theirs = LABELS | {"com.docker.compose.project": "other"}
    bench.engine.create_container("p-web-1", {"Image": "image", "Labels": theirs})
    with pytest.raises(ConflictError, match="of project other"):
        bench.run(create())


@pytest.mark.parametrize("action", [StartContainer, RestartContainer])
def test_who_uses_a_port_is_told_whichever_command_starts_the_container(
    bench: Bench, action: type[StartContainer | RestartContainer]
) -> None:
    bench.run(create())
    taken = PortTakenError("port 4 is already in use", host_ip="", port=4)
    bench.engine.behaviour["p-web-1"] = Behaviour(on_start=taken)
    with pytest.raises(PortTakenError, match=r"^web cannot publish port 4: it is already in use"):
        bench.run(action(target="p-web-1", cause=CAUSE, service="web", **NAMES[action]))


NAMES: Mapping[type[Action], Mapping[str, Any]] = {StartContainer: {}, RestartContainer: {"name": "p-web-1"}}


def test_what_is_gone_already_is_as_good_as_removed(bench: Bench) -> None:
    bench.run(
        StopContainer(target="p-gone-1", name="p-gone-1", cause=CAUSE),
        RemoveContainer(target="p-gone-1", name="p-gone-1", cause=CAUSE),
    )


def test_a_network_that_is_used_for_a_moment_longer_is_removed_after_it(bench: Bench) -> None:
    bench.engine.create_network("p_default", {})
    bench.engine.failures["remove network", "p_default"] = EngineError("has active endpoints", status=403)
    threading.Timer(0.2, bench.engine.failures.clear).start()
    bench.run(RemoveNetwork(target="p_default", cause=CAUSE))
    assert bench.engine.networks == {}


def test_how_a_service_ended_is_told(bench: Bench) -> None:
    bench.run(*up())
    bench.run(StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web", grace=3))
    (stopped,) = [event for event in bench.events if isinstance(event, ServiceStopped)]
    assert (stopped.service, stopped.exit_code, stopped.killed) == ("web", 0, False)


def test_how_a_service_ended_needs_no_request_after_the_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the engine is far away, each answer that is waited for counts."""
    bench.run(*up())
    asked: list[str] = []
    monkeypatch.setattr(FakeEngine, "inspect_container", lambda engine, container: asked.append(container))
    bench.run(StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web", grace=3))
    (stopped,) = [event for event in bench.events if isinstance(event, ServiceStopped)]
    assert (stopped.exit_code, asked) == (0, [])


def test_how_a_service_ended_is_asked_for_where_the_engine_does_not_tell(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(engine: FakeEngine, container: str, *, timeout: float | None = None) -> int:
        raise EngineError("broken off")

    bench.run(*up())
    monkeypatch.setattr(FakeEngine, "wait", fail)
    bench.run(StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web", grace=3))
    (stopped,) = [event for event in bench.events if isinstance(event, ServiceStopped)]
    assert stopped.exit_code == 0


class Attached:
    """What is attached to a container: ends when `ended` is set, or is closed."""

    def __init__(self, ended: threading.Event) -> None:
        self.ended = ended

    def read(self, size: int = 65536) -> tuple[str, bytes]:
        self.ended.wait(5)
        return "stdout", b""

    def close(self) -> None:
        self.ended.set()


def two_stops(bench: Bench) -> tuple[Action, ...]:
    """Of a running web and of the db that it depends on, with both removals."""
    bench.run(*up(), create("p-db-1"), start("p-db-1", "create p-db-1"))
    bench.engine.calls.clear()
    return (
        StopContainer(target="p-web-1", name="p-web-1", cause=CAUSE, service="web"),
        RemoveContainer(target="p-web-1", name="p-web-1", cause=CAUSE, needs=frozenset({"stop p-web-1"})),
        StopContainer(
            target="p-db-1", name="p-db-1", cause=CAUSE, service="db", needs=frozenset({"end of p-web-1"})
        ),
    )


def test_what_a_container_depends_on_is_stopped_while_the_engine_tidies_up_behind_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = two_stops(bench)
    ended, both = threading.Event(), threading.Event()
    stop = bench.engine.stop

    def slow_stop(container: str, **options: object) -> None:
        if container == "p-db-1":
            both.set()
        else:
            ended.set()  # its process has ended; the answer to the stop comes later
            assert both.wait(30)
            assert ("remove", "p-web-1") not in bench.engine.calls
        stop(container)

    monkeypatch.setattr(bench.engine, "lets_go_at_end", True)
    monkeypatch.setattr(bench.engine, "attach", lambda *args, **options: Attached(ended))
    monkeypatch.setattr(bench.engine, "stop", slow_stop)
    bench.run(*plan)
    assert [call for call, _ in bench.engine.calls].count("stop") == 2
    assert ("remove", "p-web-1") in bench.engine.calls


def test_a_stop_that_fails_lets_nothing_else_be_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = two_stops(bench)
    monkeypatch.setattr(bench.engine, "lets_go_at_end", True)
    monkeypatch.setattr(bench.engine, "attach", lambda *args, **options: Attached(threading.Event()))
    bench.engine.failures["stop", "p-web-1"] = EngineError("no", status=500)
    with pytest.raises(EngineError):
        bench.run(*plan)
    assert bench.engine.named("p-db-1").state == "running"


def test_a_container_that_ends_slowly_keeps_no_other_from_being_asked_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executor, "_PATIENT", 0.1)
    bench = Bench(parallel=2)
    names = [f"p-web-{number}" for number in range(1, 6)]
    bench.run(*(step for name in names for step in (create(name), start(name, f"create {name}"))))
    all_asked = threading.Barrier(len(names))
    monkeypatch.setattr(bench.engine, "stop", lambda *args, **options: all_asked.wait(30))
    bench.run(*(StopContainer(target=name, name=name, cause=CAUSE, service="web") for name in names))
    assert not all_asked.broken


def test_an_engine_that_hangs_is_said_to(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_SLOW", 0.05)
    made = bench.engine.create_container

    def slowly(name: str, body: Mapping[str, Any], **options: Any) -> str:
        time.sleep(0.3)
        return made(name, body, **options)

    monkeypatch.setattr(bench.engine, "create_container", slowly)
    bench.run(create())
    told = [event.text for event in bench.events if isinstance(event, Notice)]
    assert len(told) == 1
    assert "has not answered" in told[0]
    assert "create p-web-1" in told[0]


def test_a_service_that_was_unhealthy_before_fails_at_once(bench: Bench) -> None:
    from invoke_devstack.engine.protocol import ExecResult

    bench.engine.behaviour["p-web-1"] = Behaviour(
        health="unhealthy", execs=lambda command: ExecResult(1, b"still no")
    )
    began = time.monotonic()
    with pytest.raises(ServiceError, match="unhealthy"):
        bench.run(*up(probe=HEALTHCHECK, timeout=60.0))
    assert time.monotonic() - began < 30


def test_each_action_is_told_when_it_begins_and_ends(bench: Bench) -> None:
    bench.run(bench.step("a", lambda: None))
    assert bench.of(ActionStarted) == bench.of(ActionFinished) == ["do a"]


def test_a_hook_that_starts_is_told_with_the_function_that_is_called(bench: Bench) -> None:
    def migrate(context: object) -> None: ...

    bench.hooks.add("after", "db", migrate)
    bench.run(RunHook(target="after db", cause=CAUSE, when="after"))
    (started,) = (event for event in bench.events if isinstance(event, ActionStarted))
    assert started.cause.endswith(f".migrate, {CAUSE.text}")

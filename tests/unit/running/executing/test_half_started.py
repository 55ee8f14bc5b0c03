"""A container that the engine was starting when it was killed: its task is left, and no start works; or its
process runs, and the engine takes it for stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.transport.failures import refusal
from invoke_devstack.errors import EngineUnavailableError, HalfStartedError, PlanShown
from invoke_devstack.events import Event, Notice
from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.labels import REPLACE
from invoke_devstack.planning.plan import Body, Plan, RestartContainer
from invoke_devstack.running import copy_container
from invoke_devstack.running.copy_container import CopyError
from invoke_devstack.running.executing import half_started
from invoke_devstack.running.executing.executor import execute
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.down import take_down
from invoke_devstack.running.stack.up import bring_up
from tests.fakes import FakeEngine
from tests.unit.planning.building import stack

CAUSE = Cause(CauseKind.COMMAND, "asked for")
TWO = stack({"db": {"image": "image"}, "web": {"image": "image"}})


class Killed(FakeEngine):
    """Is killed in the middle of every start while `dying`; such a container starts never again."""

    def __init__(self) -> None:
        super().__init__()
        self.add_image("image")
        self.dying = True
        self.stuck: set[str] = set()
        self.replaces = ""
        self.changed: list[str] = []  # paths
        self.forgotten: dict[str, int] = {}  # id -> processes of it that run

    def start(self, container: str) -> None:
        found = self.named(container).id
        if self.dying:
            self.stuck.add(found)
            raise EngineUnavailableError("the engine went away", reason="gone")
        if self.forgotten.get(found):
            raise refusal(500, "id already in use")
        if found in self.stuck:
            raise refusal(409, f"task {found}: already exists")
        super().start(container)

    def restart(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        self._update(self.named(container).id, "die", state="exited", exit_code=0)
        self.start(container)

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        shown = dict(super().inspect_container(container))
        return {**shown, "Config": {"Labels": {REPLACE: self.replaces}}} if self.replaces else shown

    def changes(self, container: str) -> list[Body]:
        return [{"Path": path, "Kind": 0} for path in self.changed]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Killed:
    """Both containers of TWO are made, and cannot be started."""
    engine = Killed()
    monkeypatch.setattr(
        copy_container, "end_processes", lambda session, service, found: engine.forgotten.pop(found, 0)
    )
    with pytest.raises(EngineUnavailableError):
        bring_up(Session(TWO, engine, lambda event: None), UpOptions())
    engine.dying = False
    assert engine.stuck
    return engine


def test_up_recreates_what_never_ran(engine: Killed) -> None:
    events: list[Event] = []
    bring_up(Session(TWO, engine, events.append), UpOptions())
    assert {item.name: item.state for item in engine.containers.values()} == {
        "p-db-1": "running",
        "p-web-1": "running",
    }
    assert not engine.stuck & engine.containers.keys()
    told = [event.text for event in events if isinstance(event, Notice)]
    assert any("cannot start" in text and "recreating it" in text for text in told), told


def _refused(engine: Killed) -> HalfStartedError:
    before = set(engine.containers)
    with pytest.raises(HalfStartedError) as caught:
        bring_up(Session(TWO, engine, lambda event: None), UpOptions())
    assert before <= engine.containers.keys()
    return caught.value


def _exited(engine: Killed) -> set[str]:
    """The ids of the containers, which have run before."""
    for name in engine.stuck:
        engine._update(name, "die", state="exited", exit_code=0)
    return set(engine.containers)


def _brought_up(engine: Killed, options: UpOptions | None = None) -> str:
    """The notices of an `up` after which both run."""
    events: list[Event] = []
    bring_up(Session(TWO, engine, events.append), options or UpOptions())
    assert [item.state for item in engine.containers.values()] == ["running"] * 2
    return "\n".join(event.text for event in events if isinstance(event, Notice))


def test_what_has_run_before_is_recreated_with_its_volumes(engine: Killed) -> None:
    before = _exited(engine)
    engine.changed = ["/run", "/run/db.pid", "/app", "/app/__pycache__", "/app/__pycache__/a.pyc"]
    assert "recreating it, with its volumes" in _brought_up(engine)
    assert not before & engine.containers.keys()
    assert not [call for call in engine.calls if call[0] == "remove_volume"]


def test_also_where_changed_containers_are_to_be_left(engine: Killed) -> None:
    _exited(engine)
    assert "recreating it" in _brought_up(engine, UpOptions(keep_existing=True))


def test_what_took_over_volumes_is_recreated_with_them(engine: Killed) -> None:
    engine.replaces = "p-db-1"
    assert "recreating it, with its volumes" in _brought_up(engine)


def test_a_restart_too_ends_what_the_engine_has_forgotten(engine: Killed) -> None:
    found = engine.named("p-db-1").id
    engine.stuck.clear()
    engine.forgotten = {found: 1}
    events: list[Event] = []
    action = RestartContainer(target="p-db-1", name="p-db-1", cause=CAUSE, service="db")
    execute(Plan((action,), project="p"), Session(TWO, engine, events.append))
    assert engine.named("p-db-1").state == "running"
    assert engine.forgotten == {}
    assert any("no longer knew" in event.text for event in events if isinstance(event, Notice))


def test_files_that_are_in_no_volume_are_left_to_the_user(engine: Killed) -> None:
    _exited(engine)
    engine.changed = ["/var", "/var/notes", *(f"/var/notes/{number}" for number in range(7))]
    error = _refused(engine)
    assert error.details[-1].endswith("in no volume: " + ", ".join(engine.changed[2:7]) + " and 2 more")
    assert "--force-recreate" in error.hint


def test_a_process_that_the_engine_forgot_ends_before_the_next_starts(engine: Killed) -> None:
    before = _exited(engine)
    engine.stuck.clear()
    engine.forgotten = dict.fromkeys(before, 1)
    assert "ended the process that it no longer knew" in _brought_up(engine)
    assert before == set(engine.containers)


def test_nothing_starts_beside_a_process_that_cannot_be_ended(
    engine: Killed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise CopyError("no shell")

    monkeypatch.setattr(copy_container, "end_processes", fail)
    engine.forgotten = dict.fromkeys(_exited(engine), 1)
    error = _refused(engine)
    assert "Restart the machine" in error.hint
    assert error.details[-1] == "no shell"


class _Order(Killed):
    """Notes when the containers are removed."""

    order: ClassVar[list[str]] = []

    def remove_container(self, container: str, **options: Any) -> None:
        self.order.append("removed")
        super().remove_container(container, **options)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> _Order:
    """Both containers of TWO are there; the engine takes `web`'s for stopped, and a process of it runs."""
    engine = _Order()
    engine.dying = False
    engine.order.clear()
    bring_up(Session(TWO, engine, lambda event: None), UpOptions())
    found = engine.named("p-web-1").id
    engine._update(found, "die", state="exited", exit_code=0)
    running = {found, "of another project"}

    def end(session: Session, service: str, container: str) -> int:
        engine.order.append(f"ended {service}")
        running.discard(container)
        return 1

    monkeypatch.setattr(copy_container, "end_processes", end)
    monkeypatch.setattr(half_started, "_containers_with_processes", lambda: running)
    return engine


def test_forgotten_processes_end_before_their_container_is_removed(forgetful: _Order) -> None:
    events: list[Event] = []
    take_down(Session(TWO, forgetful, events.append), DownOptions())
    assert forgetful.order == ["ended web", "removed", "removed"]
    assert any("no longer knew" in event.text for event in events if isinstance(event, Notice))


def test_and_before_it_is_recreated(forgetful: _Order) -> None:
    changed = stack({"db": {"image": "image"}, "web": {"image": "image", "environment": {"A": "1"}}})
    bring_up(Session(changed, forgetful, lambda event: None), UpOptions())
    assert forgetful.order[:2] == ["ended web", "removed"]


def test_a_dry_run_ends_nothing(forgetful: _Order) -> None:
    with pytest.raises(PlanShown):
        take_down(Session(TWO, forgetful, lambda event: None, dry=True), DownOptions())
    assert forgetful.order == []


def test_a_down_that_cannot_end_them_warns(forgetful: _Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise CopyError("no shell")

    monkeypatch.setattr(copy_container, "end_processes", fail)
    events: list[Event] = []
    take_down(Session(TWO, forgetful, events.append), DownOptions())
    warnings = [event.text for event in events if isinstance(event, Notice) and event.level == "warning"]
    (told,) = warnings
    assert told.startswith(
        "web still runs, unknown to the engine since that was killed, and cannot be ended."
    )
    assert "Restart the machine" in told


def test_an_up_that_cannot_end_them_starts_nothing(
    forgetful: _Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise CopyError("no shell")

    monkeypatch.setattr(copy_container, "end_processes", fail)
    with pytest.raises(HalfStartedError, match="web still runs, unknown to the engine") as caught:
        bring_up(Session(TWO, forgetful, lambda event: None), UpOptions())
    assert ("no shell" in caught.value.details, forgetful.order) == (True, [])


def test_a_remote_engines_processes_are_not_looked_for(forgetful: _Order) -> None:
    forgetful.endpoint = Endpoint("tcp://192.0.2.1:2375")
    take_down(Session(TWO, forgetful, lambda event: None), DownOptions())
    assert forgetful.order == ["removed", "removed"]

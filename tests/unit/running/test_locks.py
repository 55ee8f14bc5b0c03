"""One command at a time changes a project on one engine, whoever runs it and wherever it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DevstackError, EngineError, Interrupted
from invoke_devstack.events import Event, Notice
from invoke_devstack.planning import labels
from invoke_devstack.running import locks
from invoke_devstack.running.locks import Holder, project_lock
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.up import bring_up
from tests.fakes import FakeEngine

NAME = "devstack-lock-p"


def session_on(engine: FakeEngine, events: list[Event] | None = None) -> Session:
    seen: list[Event] = [] if events is None else events
    return Session(Definition(name="p", working_dir=Path("/p")), engine, seen.append)


def held_by(engine: FakeEngine, holder: Holder, name: str = NAME) -> None:
    engine.claim_volume(name, {labels.LOCK: "p", labels.LOCK_HOLDER: holder.to_label()})


def ended() -> Holder:
    """A holder whose process has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return replace(Holder.of_this_process(), pid=process.pid)


def test_two_engines_have_two_locks() -> None:
    with project_lock(session_on(FakeEngine())), project_lock(session_on(FakeEngine()), timeout=0):
        pass


def test_one_engine_has_one_lock_and_names_who_holds_it() -> None:
    engine = FakeEngine()
    events: list[Event] = []
    with project_lock(session_on(engine)):
        wanted = f"is in use by .*pid {os.getpid()}"
        with (
            pytest.raises(DevstackError, match=wanted),
            project_lock(session_on(engine, events), timeout=0),
        ):
            pass
    assert [type(item) for item in events] == [Notice]
    assert not engine.volumes


def test_a_holder_that_was_killed_loses_the_lock() -> None:
    engine = FakeEngine()
    held_by(engine, ended())
    with project_lock(session_on(engine), timeout=0):
        pass
    assert not engine.volumes


def test_a_lock_that_lost_its_labels_with_the_engine_is_taken_over() -> None:
    engine = FakeEngine()
    engine.claim_volume(NAME, {})
    with project_lock(session_on(engine), timeout=0):
        assert engine.volumes[NAME].labels[labels.LOCK] == "p"
    assert not engine.volumes


def test_a_pid_that_another_process_has_now_is_a_holder_that_has_ended() -> None:
    assert replace(Holder.of_this_process(), since=1.0).has_ended()
    assert not Holder.of_this_process().has_ended()


def test_a_killed_command_that_was_taking_over_is_taken_over_too() -> None:
    engine = FakeEngine()
    first, second = ended(), ended()
    held_by(engine, first)
    held_by(engine, second, f"{NAME}.{first.token}")
    with project_lock(session_on(engine), timeout=5):
        pass
    assert not engine.volumes


def test_a_command_that_was_killed_before_it_removed_its_guard_leaves_nothing_for_long() -> None:
    engine = FakeEngine()
    first, second, other = ended(), ended(), Holder.of_this_process()
    held_by(engine, second, f"{NAME}.{first.token}")
    held_by(engine, second, f"{NAME}.{second.token}.0")
    held_by(engine, other, f"{NAME}.{other.token}.1")
    bring_up(session_on(engine), UpOptions())
    assert [*engine.volumes] == [f"{NAME}.{other.token}.1"]


def test_whoever_takes_over_late_leaves_the_next_holders_lock_alone() -> None:
    engine = FakeEngine()
    gone = ended()
    held_by(engine, Holder.of_this_process())
    late = locks._Lock(engine, "p")
    late._take_over(NAME, gone)
    assert [*engine.volumes] == [NAME]


def test_a_holder_on_another_machine_keeps_the_lock_while_its_heart_beats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = FakeEngine()
    away = replace(Holder.of_this_process(), machine="elsewhere", host="build-7", pid=1)
    held_by(engine, away)
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    waiting = locks._Lock(engine, "p")
    for beat in range(4):
        held_by(engine, away, f"{NAME}.{away.token}.{beat}")
        now += 40.0
        assert waiting.acquire() is not None
    now += 46.0
    assert waiting.acquire() is None
    assert [*engine.volumes] == [NAME]


class Deaf(FakeEngine):
    """One that removes no volume while it has an error."""

    error: DevstackError | None = None

    def remove_volume(self, name: str) -> None:
        if self.error is not None:
            raise self.error
        super().remove_volume(name)


@pytest.mark.parametrize("error", [EngineError("gone"), Interrupted(2)], ids=["gone", "broken off"])
def test_a_lock_that_could_not_be_removed_does_not_hold_up_a_process_that_lives_on(
    error: DevstackError,
) -> None:
    engine = Deaf()
    with suppress(Interrupted), project_lock(session_on(engine)):
        engine.error = error
    assert [*engine.volumes] == [NAME]
    assert locks.has_left_locks()
    assert locks.holder_of(engine, "p") is None
    engine.error = None
    with project_lock(session_on(engine), timeout=0):
        locks.remove_left_locks(engine)
        assert [*engine.volumes] == [NAME]
    assert not engine.volumes
    assert not locks.has_left_locks()


def test_a_lock_that_could_not_be_removed_is_removed_later() -> None:
    engine = Deaf()
    with project_lock(session_on(engine)):
        engine.error = EngineError("gone")
    with pytest.raises(EngineError):
        locks.remove_left_locks(engine)
    engine.error = None
    locks.remove_left_locks(engine)  # what the attempt before has left
    locks.remove_left_locks(engine)
    assert not engine.volumes
    assert not locks.has_left_locks()


def test_a_command_that_a_hook_starts_gets_in_under_the_lock_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = FakeEngine()
    with project_lock(session_on(engine)):
        token = os.environ[locks.INHERITED]
        monkeypatch.setattr(locks, "_inherited", lambda: token)
        with project_lock(session_on(engine), timeout=0):
            pass
        assert NAME in engine.volumes
    assert locks.INHERITED not in os.environ

"""The container of `invoke run` goes away with its command, and one that cannot be removed is told of."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import ConflictError, DevstackError, Interrupted, NotFoundError
from invoke_devstack.events import Event, Notice
from invoke_devstack.running import interrupt as interrupts
from invoke_devstack.running.inside import one_off, terminal
from invoke_devstack.running.options import RunOptions
from invoke_devstack.running.session import Session
from tests.fakes import FakeEngine

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import ExecSession


class Refusing(FakeEngine):
    """Its containers cannot be attached to, and their removal fails with `refusal`."""

    def __init__(self, refusal: DevstackError) -> None:
        super().__init__()
        self.add_image("image")
        self.refusal = refusal

    def remove_container(self, container: str, *, volumes: bool = True, force: bool = False) -> None:
        raise self.refusal


def warnings_of_run(engine: FakeEngine, folder: Path) -> list[str]:
    (folder / "compose.yaml").write_text("name: p\nservices: {web: {image: image}}")
    events: list[Event] = []
    with pytest.raises(NotFoundError, match="no terminals"):
        one_off.run(
            Session(load(folder), engine, events.append), RunOptions(service="web", command=("true",))
        )
    return [event.text for event in events if isinstance(event, Notice) and event.level == "warning"]


def test_a_container_that_cannot_be_removed_is_named_with_what_removes_it(tmp_path: Path) -> None:
    engine = Refusing(ConflictError("its file system is busy", status=409))
    (told,) = warnings_of_run(engine, tmp_path)
    (container,) = engine.containers.values()
    name = container.name
    assert told == f"cannot remove {name}: its file system is busy. Remove it: `docker rm -f -v {name}`"


def test_a_container_that_somebody_else_removed_is_not_told_of(tmp_path: Path) -> None:
    assert warnings_of_run(Refusing(NotFoundError("no such container", status=404)), tmp_path) == []


class _Endless:
    """A session whose stream does not end with its command."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()

    def fileno(self) -> int:
        return self.ours.fileno()

    def pending(self) -> bool:
        return False

    def close_write(self) -> None: ...


def test_a_second_signal_ends_a_run_whose_output_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text("name: p\nservices: {web: {image: image}}")
    engine = FakeEngine()
    killed: list[str] = []
    monkeypatch.setattr(engine, "kill", lambda name, wanted: killed.append(wanted))
    monkeypatch.setattr(engine, "wait", lambda name: 137)
    monkeypatch.setattr(interrupts, "_ECHO", 0.0)
    session = Session(load(tmp_path), engine, lambda event: None)
    session.interrupt.deliver(signal.SIGINT)
    session.interrupt.deliver(signal.SIGINT)
    endless = cast("ExecSession", _Endless())
    with (
        pytest.raises(Interrupted),
        one_off.passing_signals_on(session, "p-web-run-1") as lost,
    ):
        terminal.pump(endless, lost, tty=False, stdin=False, ends_input=False)
    assert killed == ["SIGKILL"]

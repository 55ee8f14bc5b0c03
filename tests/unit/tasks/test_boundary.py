from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from invoke_devstack.errors import CommandExited, DevstackError, Interrupted, Position, UsageError
from invoke_devstack.events import Event, Failed
from invoke_devstack.tasks.boundary import boundary, wants_traceback


def end_with(error: BaseException) -> tuple[int, list[Event]]:
    shown: list[Event] = []
    with pytest.raises(Exit) as ended, boundary(shown.append):
        raise error
    return ended.value.code, shown


def test_an_error_is_shown_with_its_place_and_its_code() -> None:
    error = UsageError("no", hint="yes", position=Position(Path("a.yaml"), 3), details=("d",))
    code, (shown,) = end_with(error)
    assert code == 2
    assert shown == Failed(
        error="no", reason="usage", hint="yes", position="a.yaml:3", details=("d",), exit_code=2
    )


def test_a_command_that_ended_passes_its_code_on_without_a_word() -> None:
    assert end_with(CommandExited(42)) == (42, [])


def test_a_signal_ends_with_its_code_without_a_word() -> None:
    assert end_with(Interrupted(15)) == (143, [])
    assert end_with(KeyboardInterrupt()) == (130, [])


def test_a_fault_of_ours_is_one_line_and_no_traceback() -> None:
    code, (shown,) = end_with(ZeroDivisionError("division by zero"))
    assert isinstance(shown, Failed)
    assert (code, shown.error, shown.details) == (1, "unexpected ZeroDivisionError: division by zero", ())
    assert "--debug" in shown.hint


def test_a_fault_in_another_thread_is_told_the_same_way() -> None:
    shown: list[Event] = []
    before = threading.excepthook
    with boundary(shown.append):
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    (told,) = shown
    assert isinstance(told, Failed)
    assert told.error == "unexpected ZeroDivisionError: division by zero"
    assert threading.excepthook is before


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["invoke", "up", "--debug"])
    _, (shown,) = end_with(DevstackError("no"))
    assert isinstance(shown, Failed)
    assert shown.details[0] == "Traceback (most recent call last):"


def test_debug_of_a_command_in_a_container_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INVOKE_DEBUG", raising=False)
    monkeypatch.setattr(sys, "argv", ["invoke", "exec", "web", "--", "flask", "--debug"])
    assert not wants_traceback()

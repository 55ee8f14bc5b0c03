"""Flags of Compose before a task, where Invoke has others with the same letters."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from invoke.program import Program

from invoke_devstack import stack
from invoke_devstack.errors import UsageError
from invoke_devstack.tasks.command_line.misplaced import refuse_what_is_invokes

TASKS = frozenset(("up", "ps"))


def refusal(typed: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> UsageError | None:
    """What is raised for these words, with the words that Invoke's own parser leaves of them."""
    for name in ("a.yaml", "b.yaml"):
        (folder / name).write_text("services: {}\n")
    (folder / "own.yaml").write_text("run: {echo: true}\n")
    monkeypatch.chdir(folder)
    words = ["invoke", *shlex.split(typed)]
    program = Program(namespace=stack(folder))
    program.create_config()
    program.parse_core(words)
    try:
        refuse_what_is_invokes(words, program.core.unparsed, TASKS)
    except UsageError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("typed", "message", "right"),
    [
        ("-f a.yaml up -d", "`-f` before", "invoke up --file a.yaml -d"),
        ("-f a.yaml -f b.yaml up -d", "`-f` before", "invoke up --file a.yaml --file b.yaml -d"),
        ("-f a.yaml -p shop ps -a", "`-f` before", "invoke ps --file a.yaml --project-name shop -a"),
        ("-p shop -f a.yaml ps", "`-f` before", "invoke ps --file a.yaml --project-name shop"),
        ("-p shop up", "`-p` before", "invoke up --project-name shop"),
    ],
)
def test_it_is_answered_with_the_right_form(
    typed: str, message: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refusal(typed, tmp_path, monkeypatch)
    assert error is not None
    assert error.message.startswith(message)
    assert error.hint == f"`{right}`"


@pytest.mark.parametrize("typed", ["-f own.yaml up", "-p up", "up -d", "up --file a.yaml", "ps -a"])
def test_what_is_meant_for_invoke_is_left_alone(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(typed, tmp_path, monkeypatch) is None

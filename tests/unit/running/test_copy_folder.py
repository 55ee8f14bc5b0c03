"""The folder of a copy: which project it belongs to, and what of it is removed."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from invoke_devstack.planning.copies.copies import Copy
from invoke_devstack.running import journal
from invoke_devstack.running.copies import folder
from invoke_devstack.settings import copies_folder, is_folder
from invoke_devstack.tasks.copy_folder import enter
from invoke_devstack.tasks.namespace import Stack

ENGINE = "unix:///run/engine.sock"
COPY = Copy("job", "shop", "/shop", "2026-01-31T12:00:00+00:00")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DEVSTACK_COPY", "")
    monkeypatch.setattr(sys, "path", [*sys.path])  # Invoke's loader puts the project first
    monkeypatch.delitem(sys.modules, "tasks", raising=False)
    return tmp_path / "state"


def test_its_tasks_are_those_of_the_project_on_the_copy(tmp_path: Path) -> None:
    home = tmp_path / 'a "strange" folder'
    home.mkdir()
    (home / "tasks.py").write_text("from invoke_devstack import stack\nnamespace = stack()\nown = 1\n")
    (home / "invoke.yaml").write_text("devstack: {strict: true}\n")
    folder.write(COPY, home, ENGINE)
    found = Path(folder.find(COPY))
    assert found.stat().st_mode & 0o077 == 0
    assert (found / "invoke.yaml").read_text() == "devstack: {strict: true}\n"

    values: dict[str, object] = {}
    exec(compile((found / "tasks.py").read_text(), "tasks.py", "exec"), values)
    assert "up" in values["namespace"].task_names  # type: ignore[attr-defined]
    assert journal.folder_of(Path("/shop")) == journal.folder_of(Path("/shop"), "job")


def test_a_folder_that_cannot_be_looked_at_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/" + 300 * "x")  # an error to root, too
    assert not folder.find(COPY)
    assert not folder.due(ENGINE, datetime.now(UTC))
    assert not is_folder(copies_folder())
    folder.write(COPY, Path("/shop"), ENGINE)
    folder.forget_end(COPY.project)
    folder.remove(COPY)


def test_a_project_without_tasks_gets_those_of_a_plain_stack(tmp_path: Path) -> None:
    home = tmp_path / "gone"
    assert isinstance(enter(str(home), "job"), Stack)


def test_the_runs_of_a_copy_are_kept_apart_and_removed_with_its_folder(state: Path) -> None:
    own, stacks = journal.folder_of(Path("/shop"), "job"), journal.folder_of(Path("/shop"), "")
    assert own != stacks
    folder.write(COPY, Path("/shop"), ENGINE)
    traces = state / "invoke-devstack" / "traces" / COPY.project
    for path in (own, stacks, traces):
        path.mkdir(parents=True)
    folder.remove(COPY)
    assert [path.exists() for path in (own, stacks, traces)] == [False, True, False]
    assert folder.find(COPY) == ""


def test_a_home_that_cannot_be_written_to_is_no_error(state: Path) -> None:
    state.write_text("a file where a folder should be")
    folder.write(COPY, Path("/shop"), ENGINE)
    folder.remove(COPY)
    assert folder.find(COPY) == ""


def test_notes_say_which_copies_of_an_engine_have_outlived_their_time() -> None:
    began = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    later = began + timedelta(hours=2)
    assert not folder.due(ENGINE, later)
    short = replace(COPY, expires_at=(began + timedelta(hours=1)).isoformat())
    folder.write(short, Path("/shop"), ENGINE)
    folder.write(replace(short, name="away"), Path("/shop"), "ssh://elsewhere")
    folder.write(replace(COPY, name="stays"), Path("/shop"), ENGINE)
    assert not folder.due(ENGINE, began)
    assert folder.due(ENGINE, later) == {"shop-copy-job"}
    folder.write(COPY, Path("/shop"), ENGINE)  # again, without an end
    assert not folder.due(ENGINE, later)
    folder.write(short, Path("/shop"), ENGINE)
    folder.forget_end(short.project)
    assert not folder.due(ENGINE, later)
    assert folder.find(short)


def test_the_last_copy_takes_the_folder_of_all_with_it() -> None:
    folder.write(COPY, Path("/shop"), ENGINE)
    folder.write(replace(COPY, name="other"), Path("/shop"), ENGINE)
    folder.remove(COPY)
    assert copies_folder().is_dir()
    folder.remove(replace(COPY, name="other"))
    assert not copies_folder().exists()

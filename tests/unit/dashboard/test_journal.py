"""The journal of runs: what is kept, for how long, and what a damaged one does."""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path
from typing import Any

from invoke_devstack.dashboard.watching.activity import summary, whole
from invoke_devstack.events import (
    ActionFailed,
    ActionFinished,
    ActionStarted,
    Event,
    Failed,
    Notice,
    PlanMade,
    Synced,
    UpFinished,
    WatchChanged,
    WatchFailed,
)
from invoke_devstack.running.journal import KEPT, Head, Journal, Written, read_run

_NUMBERS = itertools.count(1)
STARTED = ActionStarted(action="create", target="p-web-1", cause="image", cause_kind="image", service="web")
FINISHED = ActionFinished(action="create", target="p-web-1", seconds=0.1, service="web")


def head() -> Head:
    return Head(f"run-{next(_NUMBERS):04}", "up", "invoke up", ("web",), 1000.0, os.getpid())


def same(data: Any) -> Any:
    return data


def journal(folder: Path, *events: Event, code: int | None = 0) -> list[Written]:
    written = Journal(folder, head, same)
    for event in events:
        written.add(event)
    if code is not None:
        written.end(code)
    return runs(folder)


def runs(folder: Path) -> list[Written]:
    found = (read_run(path) for path in sorted(folder.glob("*.jsonl")))
    return sorted((run for run in found if run), key=lambda run: run.head.began)


def test_a_run_is_kept_with_its_bars_and_only_for_its_user(tmp_path: Path) -> None:
    plan = PlanMade(project="p", services=("web",), lines=("create p-web-1  (image)",))
    (run,) = journal(tmp_path / "runs", plan, STARTED, FINISHED)
    (file,) = (tmp_path / "runs").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = whole(run)
    assert (shown["state"], shown["plan"]) == ("ok", ["create p-web-1  (image)"])
    assert [(bar["action"], bar["state"], bar["cause_kind"]) for bar in shown["bars"]] == [
        ("create", "ok", "image")
    ]


def test_what_did_nothing_leaves_nothing(tmp_path: Path) -> None:
    nothing = PlanMade(project="p", services=(), lines=())
    up = UpFinished(project="p", seconds=0.1, changed=False)
    assert journal(tmp_path / "runs", Notice(text="hello"), nothing, up) == []
    assert not (tmp_path / "runs").exists()


def test_a_failure_is_kept_with_its_hint(tmp_path: Path) -> None:
    failed = ActionFailed(action="create", target="p-web-1", seconds=0.1, error="no space", service="web")
    (run,) = journal(tmp_path, STARTED, failed, Failed(error="no space", hint="Free some."), code=1)
    assert summary(run)["state"] == "failed"
    assert whole(run)["failure"]["hint"] == "Free some."
    assert whole(run)["bars"][0]["error"] == "no space"


def test_a_command_that_was_killed_is_interrupted_and_one_that_runs_is_running(tmp_path: Path) -> None:
    (run,) = journal(tmp_path, STARTED, code=None)
    assert summary(run)["state"] == "running"
    dead = Written(Head(**{**vars(run.head), "pid": 2**22 + 1}), run.events)
    assert summary(dead)["state"] == "interrupted"
    assert summary(Written(run.head, run.events, 1.0, 130))["state"] == "interrupted"


def test_each_turn_of_the_watch_is_a_run(tmp_path: Path) -> None:
    up = UpFinished(project="p", seconds=0.1, changed=True)
    synced = Synced(service="web", files=1, deleted=0, seconds=0.1, paths=("app.py",))
    failed = WatchFailed(service="web", error="the build failed", hint="Fix it.")
    found = journal(tmp_path, STARTED, FINISHED, up, synced, STARTED, failed)
    assert [run.head.task for run in found] == ["up", "watch", "watch"]
    assert [summary(run)["state"] for run in found] == ["ok", "ok", "failed"]


def test_only_the_last_twenty_are_kept(tmp_path: Path) -> None:
    for _ in range(KEPT + 5):
        journal(tmp_path, STARTED, FINISHED)
    assert len(runs(tmp_path)) == KEPT


def test_secrets_are_hidden_before_they_are_written(tmp_path: Path) -> None:
    written = Journal(tmp_path, head, lambda data: {**data, "cause": "***"})
    written.add(STARTED)
    written.end(0)
    assert '"cause":"***"' in next(tmp_path.iterdir()).read_text()


def test_where_it_cannot_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    assert journal(tmp_path / "runs", STARTED, FINISHED) == []


def test_a_damaged_file_is_no_run(tmp_path: Path) -> None:
    (run,) = journal(tmp_path, STARTED, FINISHED)
    (file,) = tmp_path.iterdir()
    whole_text = file.read_text()
    file.write_text(whole_text[:-20])
    half = read_run(file)
    assert half is not None
    assert half.exit_code is None
    for text in ("", "[]\n", "\x00\n", '{"head": {}}\n', '{"event": {}}\n', '{"ended": "x"}\n'):
        file.write_text(text)
        assert read_run(file) is None
    assert run.exit_code == 0


UP = (STARTED, FINISHED, UpFinished(project="p", seconds=0.1, changed=True, services=("web",)))


def changed(path: str, action: str) -> WatchChanged:
    row = {"path": path, "service": "web", "rule": "src", "position": "compose.yaml:3"}
    return WatchChanged(files=({**row, "action": action, "why": "" if action == "sync" else "`*.log`"},))


def test_a_turn_tells_what_the_watch_decided_about_its_files(tmp_path: Path) -> None:
    synced = Synced(service="web", files=1, deleted=0, seconds=0.1, paths=("src/a.py",))
    _, turn = journal(tmp_path, *UP, changed("src/a.py", "sync"), synced)
    assert [(file["path"], file["action"]) for file in whole(turn)["files"]] == [("src/a.py", "sync")]


def test_files_left_out_make_no_run_and_only_the_newest_wait_for_the_next_turn(tmp_path: Path) -> None:
    ignored = [changed(f"src/{number}.log", "none") for number in range(50)]
    assert len(journal(tmp_path / "a", *UP, *ignored)) == 1
    synced = Synced(service="web", files=1, deleted=0, seconds=0.1, paths=("src/a.py",))
    _, turn = journal(tmp_path / "b", *UP, *ignored, changed("src/a.py", "sync"), synced)
    paths = [file["path"] for file in whole(turn)["files"]]
    assert paths == [*(f"src/{number}.log" for number in range(45, 50)), "src/a.py"]

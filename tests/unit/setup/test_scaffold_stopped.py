"""`init` is stopped between any two of its files: the next one ends with all of them, or none is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import DefinitionError, FileError
from invoke_devstack.events import Event, Notice
from invoke_devstack.setup.scaffold.write import write_first_files
from tests.unit.local_files.disk import fill, only_root, small_disk

KILLED_AT = """
import os, signal, sys
from pathlib import Path
from invoke_devstack.setup.scaffold.write import write_first_files
folder, left = Path(sys.argv[1]), int(sys.argv[2])
def counting(real):
    def call(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call
os.fsync, os.link, Path.rename, os.rmdir = map(counting, (os.fsync, os.link, Path.rename, os.rmdir))
write_first_files(folder, lambda event: None, None, ["redis", "postgres"])
"""
EXPECTED = {
    "Dockerfile",
    ".dockerignore",
    ".env.example",
    ".gitignore",
    "Makefile",
    "tasks.py",
    "requirements.txt",
    "services/web.yaml",
    "services/redis.yaml",
    "services/postgres.yaml",
}


def files_in(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def init(folder: Path) -> list[str]:
    told: list[Event] = []
    write_first_files(folder, told.append, None, ["redis", "postgres"])
    return [event.text for event in told if isinstance(event, Notice)]


def kill_after(folder: Path, steps: int) -> int:
    return subprocess.run([sys.executable, "-c", KILLED_AT, folder, str(steps)]).returncode


def test_a_kill_at_any_step_twice_ends_in_all_files(tmp_path: Path) -> None:
    steps, stopped = 0, -signal.SIGKILL
    while stopped:
        folder = tmp_path / str(steps)
        folder.mkdir()
        (folder / "requirements.txt").write_text("flask\n")
        stopped = kill_after(folder, steps)
        if stopped:
            assert stopped == -signal.SIGKILL
            refuse_or_read(folder)
            kill_after(folder, steps // 2)  # again, while it settles
            init(folder)
        assert files_in(folder) == EXPECTED, f"killed after {steps} steps"
        assert set(load(folder, environment={}).services) == {"web", "redis", "postgres"}
        steps += 1
    assert steps > 15


def refuse_or_read(folder: Path) -> None:
    """No definition, a whole one, or the word that `init` was stopped: never half of one."""
    try:
        assert set(load(folder, environment={}).services) == {"web", "redis", "postgres"}
    except DefinitionError as error:
        assert "no Compose file" in error.message or "was stopped here" in error.message
        assert "invoke" in error.hint


def test_what_was_finished_is_told_and_what_somebody_wrote_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    kill_after(tmp_path, 12)
    assert (tmp_path / ".devstack-init").is_dir()
    (tmp_path / "tasks.py").unlink(missing_ok=True)
    (tmp_path / "tasks.py").write_text("# mine\n")
    said = init(tmp_path)
    assert any(text.startswith("Finished an `init` that was stopped") for text in said)
    assert (tmp_path / "tasks.py").read_text() == "# mine\n"


@only_root
def test_a_full_disk_leaves_no_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "requirements.txt").write_text("flask\n")
        fill(disk)
        with pytest.raises(FileError, match="no space left"):
            init(disk)
        assert files_in(disk) == {"requirements.txt", "filler"}
        (disk / "filler").unlink()
        init(disk)
        assert files_in(disk) == EXPECTED


def test_a_disk_without_hard_links_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "requirements.txt").write_text("flask\n")
    (tmp_path / "Makefile").write_text("mine:\n")
    init(tmp_path)
    assert files_in(tmp_path) == EXPECTED
    assert (tmp_path / "Makefile").read_text() == "mine:\n"

"""What differs by system is behind one question of the system each: nothing fails where POSIX is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.functional.conftest import ROOT, TASKS


def as_windows(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "tests.as_windows", *words),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


def test_every_module_can_be_imported_but_those_that_only_posix_asks_for() -> None:
    done = as_windows("modules")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_the_tasks_are_listed(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)
    done = as_windows("--list", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Start the stack" in done.stdout

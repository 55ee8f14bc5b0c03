from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from invoke_devstack import stack


def rules() -> Path:
    printed = subprocess.run(
        [sys.executable, "-m", "invoke_devstack", "makefile"], capture_output=True, text=True, check=True
    )
    return Path(printed.stdout.strip())


def run_make(folder: Path, *words: str, more: str = "") -> str:
    (folder / "Makefile").write_text(f"include {rules()}\n{more}")
    done = subprocess.run(["make", "-n", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_every_target_is_a_task() -> None:
    listed = re.findall(r"^devstack_\w+ := (.*)$", rules().read_text(), re.MULTILINE)
    targets = {name for line in listed for name in line.split()}
    names = stack().task_names
    known = {*names, *(alias for aliases in names.values() for alias in aliases)}
    assert len(targets) > 30
    assert targets <= known


def test_services_and_flags_are_handed_on(tmp_path: Path) -> None:
    assert run_make(tmp_path, "logs", "s=web,db", "args=--tail 3").split() == (
        ["invoke", "logs", "-s", "web,db", "--tail", "3"]
    )
    assert run_make(tmp_path, "exec", "s=web", "cmd=sh -c 'echo 1'").split() == (
        ["invoke", "exec", "web", "--", "sh", "-c", "'echo", "1'"]
    )


def test_targets_and_tasks_may_have_a_name_before_them(tmp_path: Path) -> None:
    told = run_make(tmp_path, "DEVSTACK_PREFIX=s-", "DEVSTACK_NAMESPACE=stack.", "s-down")
    assert told.split() == ["invoke", "stack.down"]


def test_up_comes_back_where_another_target_needs_it(tmp_path: Path) -> None:
    assert run_make(tmp_path, "up").split() == ["invoke", "up"]
    assert run_make(tmp_path, "up", "ps").split()[:3] == ["invoke", "up", "--detach"]
    assert run_make(tmp_path, "ps", "up").split()[2:] == ["invoke", "up"]
    assert run_make(tmp_path, "up", "ps", "args=--attach").split()[:3] == ["invoke", "up", "--attach"]
    needs = "test: up\n\t@echo tested\n"
    assert run_make(tmp_path, "test", more=needs).split()[:3] == ["invoke", "up", "--detach"]


def test_any_other_word_is_wrong_use() -> None:
    done = subprocess.run([sys.executable, "-m", "invoke_devstack", "nope"], capture_output=True, check=False)
    assert done.returncode == 2

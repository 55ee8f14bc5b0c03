"""Saves as real editors make them, on a real tree with a real watcher."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_devstack.running.watch.rules import TemporaryFiles
from tests.unit.running.watch.changes.conftest import Watched, rule_for


def plain(file: Path) -> None:
    file.write_text("new\n")


def vim(file: Path) -> None:
    """backupcopy=no: a test file, the old file renamed to a backup, a new file, the backup deleted."""
    test = file.with_name("4913")
    os.close(os.open(test, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    os.chown(test, -1, -1)
    test.unlink()
    backup = file.with_name(f"{file.name}~")
    file.rename(backup)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(handle, b"new\n")
    os.fsync(handle)
    time.sleep(0.12)  # a slow disk: longer than the quiet that ends a batch
    os.close(handle)
    file.chmod(0o644)
    backup.unlink()


def vs_code(file: Path) -> None:
    """Empties the file and writes it, through one descriptor."""
    handle = os.open(file, os.O_WRONLY | os.O_TRUNC)
    time.sleep(0.12)
    os.write(handle, b"ne")
    os.write(handle, b"w\n")
    os.close(handle)


def pycharm(file: Path) -> None:
    """Safe write: a temporary file, the old one renamed away, the new one renamed in, the old one deleted."""
    temporary, old = file.with_name(f"{file.name}___jb_tmp___"), file.with_name(f"{file.name}___jb_old___")
    temporary.write_text("new\n")
    file.rename(old)
    temporary.rename(file)
    old.unlink()


def rename_over(file: Path) -> None:
    """What sed -i, git and many formatters do: a file of another name, renamed over the old one."""
    temporary = file.with_name("sedXyZ12")
    temporary.write_text("new\n")
    temporary.chmod(0o644)
    temporary.rename(file)


def emacs(file: Path) -> None:
    """A lock as a dangling link, a backup by renaming, the file written anew."""
    lock = file.with_name(f".#{file.name}")
    lock.symlink_to("me@host.123:456")
    file.rename(file.with_name(f"{file.name}~"))
    file.write_text("new\n")
    lock.unlink()


@pytest.mark.parametrize("save", [plain, vim, vs_code, pycharm, rename_over, emacs])
def test_one_save_of_an_editor_is_one_copy(watched: Watched, save: Callable[[Path], None]) -> None:
    save(watched.root / "a.py")
    assert watched.turns() == [[("copy", "a.py")]]


def test_one_save_is_one_copy_where_changes_are_polled_for(tree: Path) -> None:
    watched = Watched(tree, rule_for(tree), polling=True)
    rename_over(tree / "sub" / "b.py")
    assert [("copy", "sub/b.py")] in watched.turns()
    watched.close()


@pytest.mark.parametrize("save", [plain, vim, vs_code, pycharm, rename_over])
def test_a_rule_for_a_single_file_hears_of_that_file_alone(tree: Path, save: Callable[[Path], None]) -> None:
    file = tree / "a.py"
    watched = Watched(tree, rule_for(file, (str(tree), TemporaryFiles())), polling=False)
    (tree / "other").write_text("x")
    save(file)
    assert watched.turns() == [[("copy", "a.py")]]
    watched.close()

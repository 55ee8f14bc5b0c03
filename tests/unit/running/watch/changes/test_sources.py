"""What is a change of a real tree, and what is none, with a real watcher."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from invoke_devstack.running.watch.rules import TemporaryFiles
from tests.unit.running.watch.changes.conftest import Watched, rule_for


def test_reading_a_file_is_no_change(watched: Watched) -> None:
    (watched.root / "a.py").read_text()
    assert watched.is_quiet()


def test_a_new_access_time_alone_is_no_change(watched: Watched) -> None:
    subprocess.run(["touch", "-a", watched.root / "a.py"], check=True)
    os.utime(watched.root / "sub" / "b.py", (5, (watched.root / "sub" / "b.py").stat().st_mtime))
    assert watched.is_quiet()


def test_a_new_mode_is_a_change(watched: Watched) -> None:
    (watched.root / "a.py").chmod(0o755)
    assert watched.turns() == [[("copy", "a.py")]]


def test_a_touched_file_is_a_change(watched: Watched) -> None:
    (watched.root / "a.py").touch()
    assert watched.turns() == [[("copy", "a.py")]]


def test_a_new_directory_brings_all_that_was_in_it_before_it_could_be_watched(watched: Watched) -> None:
    deep = watched.root / "x" / "y"
    deep.mkdir(parents=True)
    (deep / "z.py").write_text("z")
    assert watched.turns() == [[("copy", "x"), ("copy", "x/y"), ("copy", "x/y/z.py")]]
    (deep / "z.py").write_text("zz")
    assert watched.turns() == [[("copy", "x/y/z.py")]]


def test_a_renamed_directory_moves_with_all_that_is_in_it(watched: Watched) -> None:
    (watched.root / "sub").rename(watched.root / "bus")
    assert watched.turns() == [[("copy", "bus"), ("copy", "bus/b.py"), ("delete", "sub")]]
    (watched.root / "bus" / "b.py").write_text("again")
    assert watched.turns() == [[("copy", "bus/b.py")]]


def test_a_deleted_directory_is_one_deletion(watched: Watched) -> None:
    (watched.root / "sub" / "b.py").unlink()
    (watched.root / "sub").rmdir()
    assert watched.turns() == [[("delete", "sub")]]


def test_a_link_is_copied_as_such_and_never_entered(watched: Watched, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (watched.root / "link").symlink_to(outside)
    assert watched.turns() == [[("copy", "link")]]
    (outside / "secret").write_text("changed")
    assert watched.is_quiet()


def test_a_hard_link_is_copied(watched: Watched) -> None:
    os.link(watched.root / "sub" / "b.py", watched.root / "hard.py")
    assert [item for seen in watched.turns() for item in seen if "hard" in item[1]] == [("copy", "hard.py")]


def test_a_thousand_files_at_once_are_one_batch(watched: Watched) -> None:
    began = time.monotonic()
    for number in range(1000):
        (watched.root / f"f{number}").write_text("x")
    longest = 1 + int(time.monotonic() - began)  # a batch ends after a second, on a busy machine too
    turns = watched.turns()
    assert len({item for seen in turns for item in seen}) == 1000  # where one batch ends, two may have a file
    assert len(turns) <= longest


def test_a_branch_switch_is_one_batch_however_long_git_takes(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    watched = Watched(root, rule_for(root), polling=False)
    (root / ".git" / "index.lock").touch()
    for number in range(3):
        (root / f"f{number}").write_text("x")
        time.sleep(0.15)
    (root / ".git" / "index.lock").unlink()
    assert watched.turns() == [[("copy", "f0"), ("copy", "f1"), ("copy", "f2")]]
    watched.close()


def test_ignored_directories_are_not_watched(tree: Path) -> None:
    for name in ("node_modules/a/b/c", ".git/objects/aa", "sub/deep"):
        (tree / name).mkdir(parents=True)
    from invoke_devstack.definition.syntax.dockerignore import Ignore

    ignored = ((str(tree), Ignore(["node_modules"])), (str(tree), TemporaryFiles()))
    watched = Watched(tree, rule_for(tree, *ignored), polling=False)
    (tree / "node_modules" / "a" / "x.js").write_text("x")
    (tree / ".git" / "index").write_text("x")
    assert watched.is_quiet()
    assert len(watched) == 4, "the parent of the root, the root, sub and sub/deep"
    watched.close()


def test_a_path_that_is_not_there_yet_is_watched_as_soon_as_it_appears(tmp_path: Path) -> None:
    root = tmp_path / "later" / "src"
    watched = Watched(root, rule_for(root), polling=False)
    root.mkdir(parents=True)
    (root / "a.py").write_text("x")
    assert ("copy", "a.py") in [item for seen in watched.turns() for item in seen]
    (root / "a.py").write_text("y")
    assert watched.turns() == [[("copy", "a.py")]]
    watched.close()


def test_a_root_that_is_deleted_and_made_again_is_watched_again(watched: Watched) -> None:
    (watched.root / "a.py").unlink()
    (watched.root / "sub" / "b.py").unlink()
    (watched.root / "sub").rmdir()
    watched.root.rmdir()
    watched.turns()
    watched.root.mkdir()
    (watched.root / "a.py").write_text("back")
    assert ("copy", "a.py") in [item for seen in watched.turns() for item in seen]
    (watched.root / "a.py").write_text("again")
    assert watched.turns() == [[("copy", "a.py")]]


def test_stopping_ends_the_wait_at_once(tree: Path) -> None:
    watched = Watched(tree, rule_for(tree), polling=False)
    began = time.monotonic()
    watched.close()
    assert time.monotonic() - began < 20

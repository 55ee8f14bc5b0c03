"""Saves as real editors make them, on a real tree with a real watcher."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from invoke_devstack.planning.watching.actions import Change, CompiledRule, IgnoreRules, actions_for
from invoke_devstack.running.watch.changes import polling_source
from invoke_devstack.running.watch.changes.change_batch import ChangeBatch, net_changes
from invoke_devstack.running.watch.changes.source import open_change_source
from invoke_devstack.running.watch.changes.tree_scan import FileModes, scan_trees
from invoke_devstack.running.watch.changes.walk import lstat
from invoke_devstack.running.watch.rules import CompiledRules, TemporaryFiles

QUIET = 0.08  # a busy machine may stop a save in the middle for longer than the usual quiet
BUSY_MACHINE = 30.0  # seconds that the first report may take
Seen = list[tuple[str, str]]


class Watched:
    """A watched tree. `turns` gives what each batch asks for, as (`copy` or `delete`, name)."""

    def __init__(self, root: Path, rule: CompiledRule, *, polling: bool) -> None:
        self.root = root
        self._rules = CompiledRules((rule,), ())
        self._modes = FileModes()
        scan_trees(self._rules, self._modes)
        self._source = open_change_source(
            self._rules.roots, self._rules.skips, quiet=QUIET, force_polling=polling, notice=print
        )
        self._batches: SimpleQueue[ChangeBatch] = SimpleQueue()
        self._patience = 3.0 if polling else 0.4
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._source)

    def _collect(self) -> None:
        for batch in self._source.batches():
            self._batches.put(batch)

    def turns(self) -> list[Seen]:
        """What each batch asks for, from the first until it has been quiet for a moment; batches that ask for
        nothing are left out."""
        found: list[Seen] = []
        deadline = time.monotonic() + BUSY_MACHINE
        while not found and time.monotonic() < deadline:
            found += self._until_quiet()
        return found

    def is_quiet(self) -> bool:
        """Whether no batch asks for anything for a moment."""
        return not self._until_quiet()

    def await_batch(self) -> None:
        """Returns once there is a batch that `turns` has not taken."""
        deadline = time.monotonic() + BUSY_MACHINE
        while self._batches.empty():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _until_quiet(self) -> list[Seen]:
        found: list[Seen] = []
        while True:
            try:
                batch = self._batches.get(timeout=self._patience)
            except Empty:
                return [seen for seen in found if seen]
            changes = tuple(net_changes(batch.paths, self._modes.get, lstat))
            for change in changes:
                self._modes.update(change.path, lstat(change.path))
            found.append(self._asked(changes))

    def _asked(self, changes: tuple[Change, ...]) -> Seen:
        seen: Seen = []
        for wanted in actions_for(changes, self._rules.rules).values():
            seen += [("delete", os.path.relpath(item.host, self.root)) for item in wanted.deletions]
            seen += [("copy", os.path.relpath(item.host, self.root)) for item in wanted.copies]
        return sorted(seen)

    def close(self) -> None:
        self._source.stop()
        self._thread.join(30)
        self._source.close()
        assert not self._thread.is_alive()


def rule_for(root: Path, *ignored: tuple[str, IgnoreRules]) -> CompiledRule:
    return CompiledRule(
        service="web",
        root=str(root),
        action="sync",
        target="/app",
        ignored=ignored or ((str(root), TemporaryFiles()),),
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "src"
    root.mkdir()
    (root / "a.py").write_text("one\n")
    (root / "sub").mkdir()
    (root / "sub" / "b.py").write_text("two\n")
    long_ago = time.time() - 3600
    for path in (root / "a.py", root / "sub" / "b.py"):
        os.utime(path, (long_ago, long_ago))
    return root


@pytest.fixture
def watched(tree: Path) -> Iterator[Watched]:
    found = Watched(tree, rule_for(tree), polling=False)
    yield found
    found.close()


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


@pytest.fixture
def polled(tree: Path) -> Iterator[Watched]:
    found = Watched(tree, rule_for(tree), polling=True)
    yield found
    found.close()


def test_the_second_of_two_saves_within_a_second_is_seen_where_changes_are_polled_for(
    polled: Watched,
) -> None:
    time.sleep(1 - time.time() % 1)  # at the beginning of a second
    (polled.root / "a.py").write_text("one")
    polled.await_batch()
    (polled.root / "a.py").write_text("two")
    assert polled.turns() == [[("copy", "a.py")], [("copy", "a.py")]]


def test_two_saves_of_the_same_second_and_size_differ_by_their_content(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole_seconds(status: os.stat_result) -> tuple[int, int]:
        return int(status.st_mtime) * 1_000_000_000, int(status.st_ctime) * 1_000_000_000

    monkeypatch.setattr(polling_source, "_times", whole_seconds)
    polled = Watched(tree, rule_for(tree), polling=True)
    time.sleep(1 - time.time() % 1)
    (tree / "a.py").write_text("one")
    polled.await_batch()
    (tree / "a.py").write_text("two")
    (tree / "new.py").write_text("something else changes meanwhile")
    turns = polled.turns()
    polled.close()
    assert [turn for turn in turns if ("copy", "a.py") in turn] == turns
    assert len(turns) == 2


def test_directories_made_and_removed_again_and_again_end_as_the_host_has_them(polled: Watched) -> None:
    inside: set[str] = set()  # what a container would have
    for number in range(40):
        directory = polled.root / f"d{number % 5}"
        if directory.exists():
            shutil.rmtree(directory)
        else:
            directory.mkdir()
            (directory / "file").write_text(str(number))
        time.sleep(0.07)
    for turn in polled.turns():
        inside -= {name for name in inside for kind, gone in turn if kind == "delete" and _within(name, gone)}
        inside |= {name for kind, name in turn if kind == "copy"}
    assert inside == {
        str(path.relative_to(polled.root)) for path in polled.root.glob("d*/**/*") if path.exists()
    } | {path.name for path in polled.root.glob("d*")}


def _within(name: str, directory: str) -> bool:
    return name == directory or name.startswith(f"{directory}/")


def test_a_directory_that_cannot_be_read_for_a_moment_is_not_deleted(
    polled: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("/sub"):
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    (polled.root / "a.py").write_text("changed")
    assert polled.turns() == [[("copy", "a.py")]]


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


@pytest.mark.parametrize("save", [plain, vim, vs_code, pycharm, rename_over])
def test_a_rule_for_a_single_file_hears_of_that_file_alone(tree: Path, save: Callable[[Path], None]) -> None:
    file = tree / "a.py"
    watched = Watched(tree, rule_for(file, (str(tree), TemporaryFiles())), polling=False)
    (tree / "other").write_text("x")
    save(file)
    assert watched.turns() == [[("copy", "a.py")]]
    watched.close()


def test_stopping_ends_the_wait_at_once(tree: Path) -> None:
    watched = Watched(tree, rule_for(tree), polling=False)
    began = time.monotonic()
    watched.close()
    assert time.monotonic() - began < 20

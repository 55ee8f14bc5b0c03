"""Who tells of changes, when git is at work, and other small decisions."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.running.watch.changes import source
from invoke_devstack.running.watch.changes.git import GitLocks
from invoke_devstack.running.watch.changes.inotify_source import InotifySource
from invoke_devstack.running.watch.changes.polling_source import PollingSource
from invoke_devstack.running.watch.changes.tree_scan import FileModes

MOUNTS = (("/", "ext4"), ("/net", "nfs4"), ("/net/local", "ext4"), ("/mnt/c", "9p"), ("/ssh", "fuse.sshfs"))


@pytest.mark.parametrize(
    ("root", "mount"),
    [
        ("/home/me", ""),
        ("/net/project", "/net"),
        ("/net/local/project", ""),
        ("/mnt/c/Users/me", "/mnt/c"),
        ("/ssh/x", "/ssh"),
        ("/network", ""),
    ],
)
def test_a_mount_that_tells_of_no_changes_is_found_out(
    root: str, mount: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_mounts", lambda: MOUNTS)
    reason = source._reason_to_poll([root])
    assert reason.startswith(f"{mount} is a") if mount else reason == ""


def opened(root: Path, force_polling: bool | None) -> source.ChangeSource:
    found = source.open_change_source(
        [str(root)], lambda path: False, quiet=0.02, force_polling=force_polling, notice=print
    )
    found.close()
    return found


def test_the_kernel_tells_unless_polling_is_forced(tmp_path: Path) -> None:
    assert isinstance(opened(tmp_path, None), InotifySource)
    assert isinstance(opened(tmp_path, False), InotifySource)
    assert isinstance(opened(tmp_path, True), PollingSource)


def test_the_lock_of_git_holds_a_batch_back_until_it_is_old(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    locks = GitLocks([str(tmp_path / "sub")])
    assert locks.wait() == 0
    lock = tmp_path / ".git" / "index.lock"
    lock.touch()
    assert locks.wait() > 0
    os.utime(lock, (time.time() - 60,) * 2)
    assert locks.wait() == 0


def test_the_lock_of_a_linked_worktree_is_found(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"

    def git(*words: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(("git", "-C", str(main), *identity, *words), check=True, capture_output=True)

    main.mkdir()
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "-m", "x")
    git("worktree", "add", "--quiet", str(linked))
    (main / ".git" / "worktrees" / "linked" / "index.lock").touch()
    assert GitLocks([str(linked)]).wait() > 0
    assert GitLocks([str(main)]).wait() == 0


def test_the_modes_of_a_directory_are_known_by_its_usual_mode_and_the_others() -> None:
    modes = FileModes()
    assert modes.get("/d/a") is None
    modes.learn("/d", [("a", 0o100644), ("b", 0o100644), ("run", 0o100755)])
    assert (modes.get("/d/a"), modes.get("/d/run"), modes.get("/d/new")) == (0o644, 0o755, 0o644)


def test_a_new_mode_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch(mode=0o644)
    modes = FileModes()
    modes.learn(str(tmp_path), [("a", 0o100644)])
    file.chmod(0o755)
    modes.update(str(file), file.lstat())
    assert modes.get(str(file)) == 0o755
    modes.update(str(file), None)
    assert modes.get(str(file)) == 0o644


def test_the_engines_time_stamps_are_read() -> None:
    assert seconds_of("1970-01-01T00:00:10.123456789Z") == pytest.approx(10.123456)
    assert seconds_of("1970-01-01T01:00:00+01:00") == 0
    assert seconds_of("0001-01-01T00:00:00Z") == 0
    assert seconds_of("") == 0


def test_events_that_the_kernel_dropped_are_told_of(tmp_path: Path) -> None:
    """Nobody reads while more happens than the kernel holds (`fs.inotify.max_queued_events`)."""
    found = source.open_change_source(
        [str(tmp_path)], lambda path: False, quiet=0.02, force_polling=False, notice=print
    )
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(most // 2 + 100):
        (tmp_path / f"f{number}").touch()
    assert any(batch.lost for batch in itertools.islice(found.batches(), 1))
    found.close()


def test_where_the_kernel_watches_no_more_directories_changes_are_polled_for(tmp_path: Path) -> None:
    (tmp_path / "a/b/c/d/e").mkdir(parents=True)
    script = (
        "from invoke_devstack.running.watch.changes.source import open_change_source\n"
        f"roots = [{str(tmp_path)!r}]\n"
        "found = open_change_source(roots, lambda p: False, quiet=0.02, force_polling=None, notice=print)\n"
        "print(type(found).__name__)\n"
    )
    limited = ("unshare", "--user", "--map-root-user", "sh", "-c")
    if subprocess.run((*limited, "true"), check=False, capture_output=True).returncode:
        pytest.skip("this system gives no user namespaces, in which alone the limit can be lowered")
    command = 'echo 3 > /proc/sys/user/max_inotify_watches && exec "$0" -c "$1"'
    done = subprocess.run(
        (*limited, command, sys.executable, script), capture_output=True, text=True, check=True
    )
    assert "sysctl fs.inotify.max_user_watches" in done.stdout
    assert done.stdout.endswith("PollingSource\n")

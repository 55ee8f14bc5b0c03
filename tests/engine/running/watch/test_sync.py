"""Files of the host in a container, kept as they are."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.events import Notice, Synced, WatchFailed
from tests.engine.running.watch.watch_stack import WatchedStack

Make = Callable[..., WatchedStack]


@pytest.fixture
def make(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Make]:
    """Writes a definition with one service `web` and its rules, and brings it up."""
    made: list[WatchedStack] = []

    def make_stack(
        rules: str, *, service: str = "", command: str = "sleep 1000", up: bool = True
    ) -> WatchedStack:
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "compose.yaml").write_text(
            f"name: {project}\n"
            f"services:\n  web:\n    image: {busybox}\n    init: true\n    stop_grace_period: 1s\n"
            f"    command: [sh, -c, '{command}']\n{service}"
            f"    develop:\n      watch:\n{rules}"
        )
        stack = WatchedStack(engine, tmp_path)
        made.append(stack)
        if up:
            stack.up()
        return stack

    yield make_stack
    for stack in made:
        stack.stop()


SYNC = "        - {path: ./src, action: sync, target: /app, ignore: [cache/]}\n"


def test_a_saved_file_arrives_with_one_event(make: Make) -> None:
    stack = make(SYNC)
    stack.watch()
    stack.write("src/a.py", "hello")
    stack.await_(lambda: stack.has("/app/a.py", "hello"))
    stack.await_event(Synced)
    synced, _, failed = stack.quiet()
    assert [(item.service, item.files, item.deleted) for item in synced] == [("web", 1, 0)]
    assert synced[0].paths == ("src/a.py",)
    assert synced[0].seconds < 15
    assert failed == []


def test_modes_links_and_empty_directories_arrive_as_they_are(make: Make) -> None:
    stack = make(SYNC)
    stack.watch()
    stack.write("src/run.sh", "#!/bin/sh").chmod(0o755)
    (stack.directory / "src/link").symlink_to("run.sh")
    (stack.directory / "src/empty").mkdir(mode=0o700)
    stack.await_(lambda: stack.inside("readlink", "/app/link") == "run.sh\n")
    stack.await_(lambda: stack.inside("stat", "-c", "%a %F", "/app/empty") == "700 directory\n")
    assert stack.inside("stat", "-c", "%a", "/app/run.sh") == "755\n"


def test_names_that_a_shell_would_misread_arrive(make: Make) -> None:
    stack = make(SYNC)
    stack.watch()
    names = ["a b.txt", "quote'\".txt", "$HOME;rm", "ünï.txt", "-rf", "n" * 150, "new\nline", "*"]
    for name in names:
        stack.write(f"src/{name}", name)
    stack.await_(lambda: sum(item.files for item in stack.of(Synced)) >= len(names))
    for name in names:
        assert stack.engine.exec(stack.container(), ("cat", f"/app/{name}")).output.decode() == name
    for name in names:
        (stack.directory / "src" / name).unlink()
    stack.await_(lambda: stack.inside("sh", "-c", "ls -A /app | wc -l") == "0\n")


def test_files_belong_to_the_user_of_the_container(make: Make) -> None:
    stack = make(SYNC, service="    user: '1234:5678'\n")
    stack.watch()
    stack.write("src/deep/a", "x")
    stack.await_(lambda: stack.has("/app/deep/a", "x"))
    assert stack.inside("stat", "-c", "%u:%g", "/app/deep/a", "/app/deep") == "1234:5678\n" * 2


def test_deletions_and_renames_are_synced(make: Make) -> None:
    stack = make(SYNC)
    for name in ("a", "d/one", "d/two", "keep"):
        stack.write(f"src/{name}", name)
    stack.watch()
    stack.await_(lambda: stack.has("/app/d/two", "d/two"))
    stack.forget()
    (stack.directory / "src/a").unlink()
    stack.await_(lambda: stack.lacks("/app/a"))
    (stack.directory / "src/keep").rename(stack.directory / "src/kept")
    stack.await_(lambda: stack.has("/app/kept", "keep") and stack.lacks("/app/keep"))
    (stack.directory / "src/d").rename(stack.directory / "src/e")
    stack.await_(lambda: stack.has("/app/e/one", "d/one") and stack.lacks("/app/d"))
    shutil.rmtree(stack.directory / "src/e")
    stack.await_(lambda: stack.lacks("/app/e"))
    stack.await_event(Synced, 4)
    assert len(stack.quiet()[0]) == 4


def test_a_file_may_become_a_directory_and_the_other_way_round(make: Make) -> None:
    stack = make(SYNC)
    stack.write("src/x", "file")
    stack.write("src/y/in", "file")
    stack.watch()
    stack.await_(lambda: stack.has("/app/x", "file"))
    (stack.directory / "src/x").unlink()
    stack.write("src/x/in", "now a directory")
    shutil.rmtree(stack.directory / "src/y")
    stack.write("src/y", "now a file")
    stack.await_(lambda: stack.has("/app/x/in", "now a directory") and stack.has("/app/y", "now a file"))


def test_a_reader_never_finds_half_a_file(make: Make) -> None:
    reader = (
        "mkdir /app; echo 0 >/app/n; "
        "while :; do s=$$(wc -c </app/n); case $$s in 2|400000) ;; *) echo bad $$s; esac; done"
    )
    stack = make(SYNC, command=reader)
    stack.watch()
    for round_ in range(8):
        # Renamed in whole: the watch may look between the opening of a file and the writing.
        stack.write("n", "x" * 400000 if round_ % 2 else "y\n").rename(stack.directory / "src/n")
        stack.await_event(Synced, round_ + 1)
    output = b"".join(block for _, block in stack.engine.logs(stack.container()))
    assert b"bad" not in output and b"No such" not in output


def test_what_is_ignored_stays_out(make: Make) -> None:
    stack = make(SYNC)
    stack.watch()
    stack.write("src/cache/x")
    stack.write("src/.git/index")
    stack.write("src/a.swp~")
    assert stack.quiet()[0] == []
    assert stack.inside("ls", "-A", "/app") in ("", "ls: /app: No such file or directory\n")


def test_a_link_out_of_the_tree_is_never_followed(make: Make, tmp_path: Path) -> None:
    stack = make(SYNC)
    stack.write("secret/key", "private")
    (stack.directory / "src/out").symlink_to(stack.directory / "secret")
    (stack.directory / "src/file").symlink_to(stack.directory / "secret/key")
    stack.watch()
    stack.await_(lambda: stack.inside("readlink", "/app/out") != "")
    assert "private" not in stack.inside("sh", "-c", "cat /app/file /app/out/key 2>&1")


def test_edits_while_nothing_watched_are_caught_up(make: Make) -> None:
    stack = make(SYNC)
    for name in ("same", "edited", "new"):
        stack.write(f"src/{name}", "1")
    stack.watch()
    stack.await_(lambda: stack.has("/app/new", "1"))
    stack.stop()
    stack.forget()
    stack.write("src/edited", "2")  # the same size
    os.utime(stack.directory / "src/same")
    stack.write("src/newer", "3")
    (stack.directory / "src/edited").chmod(0o755)
    stack.watch()
    stack.await_(lambda: stack.has("/app/newer", "3") and stack.has("/app/edited", "2"))
    assert sorted(stack.await_event(Synced).paths) == ["src/edited", "src/newer"]
    assert stack.inside("stat", "-c", "%a", "/app/edited") == "755\n"


def test_what_the_container_made_itself_is_left_alone_at_the_start(make: Make) -> None:
    stack = make(SYNC)
    stack.inside("sh", "-c", "mkdir -p /app && echo own > /app/own")
    stack.watch()
    assert stack.has("/app/own", "own\n")
    assert stack.quiet()[0] == []


def test_a_stopped_container_is_synced_too_and_deletions_wait_for_its_start(make: Make) -> None:
    stack = make(SYNC)
    stack.write("src/old", "old")
    stack.watch()
    stack.await_(lambda: stack.has("/app/old", "old"))
    stack.engine.stop(stack.container(), grace=0)
    stack.await_(lambda: stack.quiet(0.3) is not None)
    stack.write("src/while-stopped", "new")
    (stack.directory / "src/old").unlink()
    stack.await_(lambda: bool(stack.of(Notice)), "the deletion waits")
    assert "waits until it is started" in stack.of(Notice)[-1].text
    stack.engine.start(stack.container())
    stack.await_(lambda: stack.has("/app/while-stopped", "new") and stack.lacks("/app/old"))


def test_a_restart_of_the_container_in_between_loses_nothing(make: Make) -> None:
    stack = make(SYNC)
    stack.watch()
    for round_ in range(3):
        stack.engine.kill(stack.container())
        stack.write("src/a", str(round_))
        stack.engine.start(stack.container())
        stack.write("src/b", str(round_))
        for path in ("/app/a", "/app/b"):
            stack.await_(partial(stack.has, path, str(round_)))
    assert stack.of(WatchFailed) == []


def test_a_container_that_is_recreated_is_brought_up_to_date(make: Make) -> None:
    stack = make(SYNC)
    stack.write("src/a", "1")
    stack.watch()
    stack.await_(lambda: stack.has("/app/a", "1"))
    stack.engine.remove_container(stack.container(), force=True)
    stack.up()
    stack.await_(lambda: stack.has("/app/a", "1"))


def test_a_container_without_a_shell_is_synced_through_the_engine(make: Make) -> None:
    stack = make(SYNC, command="rm /bin/tar; exec sleep 1000")
    stack.watch()
    stack.write("src/a", "1")
    stack.await_(lambda: stack.has("/app/a", "1"))
    (stack.directory / "src/a").unlink()
    stack.await_(lambda: stack.lacks("/app/a"))


def test_files_arrive_in_a_volume_and_in_a_tmpfs(make: Make) -> None:
    rules = SYNC + "        - {path: ./src, action: sync, target: /memory/app}\n"
    stack = make(rules, service="    tmpfs: [/memory]\n    volumes: [/app]\n")
    stack.watch()
    stack.write("src/a", "1")
    stack.await_(lambda: stack.has("/app/a", "1") and stack.has("/memory/app/a", "1"))


def test_every_container_of_a_service_gets_the_file(make: Make) -> None:
    stack = make(SYNC, service="    scale: 2\n")
    stack.watch()
    stack.write("src/a", "1")
    for number in (1, 2):
        stack.await_(partial(stack.has, "/app/a", "1", number=number))


def test_a_command_runs_after_the_sync_and_its_failure_is_told(make: Make) -> None:
    rule = (
        "        - path: ./src\n          action: sync+exec\n          target: /app\n"
        "          exec:\n"
        "            command: [sh, -c, 'cat /app/a; echo $$WORD; pwd; [ $$(cat /app/a) = good ]']\n"
        "            working_dir: /tmp\n            environment: [WORD=said]\n"
    )
    stack = make(rule)
    stack.watch()
    stack.write("src/a", "good")
    stack.await_(lambda: stack.has("/app/a", "good"))
    assert stack.quiet()[2] == []
    stack.write("src/a", "bad")
    failure = stack.await_event(WatchFailed)
    assert "exited with code 1" in failure.error
    assert failure.details == ("badsaid", "/tmp")


def test_a_read_only_container_is_told_plainly_and_the_watch_goes_on(make: Make) -> None:
    rules = SYNC + "        - {path: ./other, action: sync, target: /writable/o}\n"
    stack = make(rules, service="    read_only: true\n    tmpfs: [/writable]\n")
    (stack.directory / "other").mkdir()
    stack.watch()
    stack.forget()
    stack.write("src/a", "1")
    failure = stack.await_event(WatchFailed)
    assert "read-only" in failure.error and failure.hint
    stack.write("other/b", "2")
    stack.await_(lambda: stack.has("/writable/o/b", "2"))


def test_a_full_disk_is_told_plainly_and_the_watch_goes_on(make: Make) -> None:
    stack = make(SYNC.replace("/app", "/small/app"), service="    tmpfs: ['/small:size=64k']\n")
    stack.watch()
    stack.write("src/big", "x" * 300_000)
    failure = stack.await_event(WatchFailed)
    assert "full" in failure.error
    (stack.directory / "src/big").unlink()
    stack.write("src/a", "1")
    stack.await_(lambda: stack.has("/small/app/a", "1"))


def test_what_did_not_fit_comes_with_the_next_save_once_there_is_room(make: Make) -> None:
    stack = make(SYNC.replace("/app", "/small/app"), service="    tmpfs: ['/small:size=64k']\n")
    stack.watch()
    stack.write("src/ballast", "x" * 40_000)
    stack.await_(lambda: stack.has("/small/app/ballast", "x" * 40_000))
    stack.write("src/big", "y" * 40_000)
    assert "full" in stack.await_event(WatchFailed).error
    (stack.directory / "src/ballast").unlink()
    stack.await_(lambda: stack.has("/small/app/big", "y" * 40_000))


def test_a_path_that_is_not_there_is_named_and_watched_for(make: Make) -> None:
    stack = make("        - {path: ./later, action: sync, target: /later}\n" + SYNC)
    stack.watch()
    assert "does not exist" in stack.of(WatchFailed)[0].error
    stack.write("later/a", "1")
    stack.await_(lambda: stack.has("/later/a", "1"))


def test_a_target_outside_of_the_root_is_refused_and_the_watch_goes_on(make: Make) -> None:
    stack = make("        - {path: ./src, action: sync, target: ../../etc}\n" + SYNC)
    stack.watch()
    assert "outside `/`" in stack.of(WatchFailed)[0].error
    stack.write("src/a", "1")
    stack.await_(lambda: stack.has("/app/a", "1"))


def test_a_thousand_files_at_once_are_one_event(make: Make) -> None:
    stack = make(SYNC)
    stack.watch()
    began = time.monotonic()
    for number in range(1000):
        stack.write(f"src/d{number % 10}/f{number}", str(number))
    longest = 1 + int(time.monotonic() - began)  # a batch ends after a second, on a busy machine too
    stack.await_(lambda: stack.has("/app/d9/f999", "999"))
    stack.await_(lambda: sum(item.files for item in stack.of(Synced)) >= 1000)
    synced, _, failed = stack.quiet()
    assert failed == []
    assert len(synced) <= longest
    assert stack.inside("sh", "-c", "find /app -type f | wc -l") == "1000\n"


def test_nothing_is_left_in_the_container_when_the_watch_ends(make: Make) -> None:
    stack = make(SYNC)
    stack.watch()
    stack.write("src/a", "1")
    stack.await_(lambda: stack.has("/app/a", "1"))
    stack.stop()
    stack.await_(lambda: "devstack-sync" not in str(stack.engine.top(stack.container())))
    assert "devstack-sync" not in stack.inside("ls", "-A", "/")


def test_a_file_deleted_while_nothing_watched_is_deleted_at_the_start(make: Make) -> None:
    stack = make(SYNC)
    for name in ("kept", "old", "d/x"):
        stack.write(f"src/{name}", "1")
    stack.watch()
    stack.await_(lambda: stack.has("/app/d/x", "1"))
    stack.write("src/late", "1")
    stack.await_(lambda: stack.has("/app/late", "1"))
    stack.inside("sh", "-c", "echo own > /app/own; echo own > /app/d/own")
    stack.stop()
    for name in ("old", "late"):
        (stack.directory / "src" / name).unlink()
    stack.watch()
    stack.await_(lambda: stack.lacks("/app/old") and stack.lacks("/app/late"))
    assert stack.has("/app/kept", "1") and stack.has("/app/own", "own\n") and stack.has("/app/d/own", "own\n")
    stack.stop()
    shutil.rmtree(stack.directory / "src/d")
    stack.watch()
    stack.await_(lambda: stack.lacks("/app/d"))

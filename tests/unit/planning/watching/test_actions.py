"""BatchCollector and rules -> what each service is asked for."""

from __future__ import annotations

import pytest

from invoke_devstack.definition.syntax.dockerignore import Ignore
from invoke_devstack.planning.watching.actions import (
    Change,
    CompiledRule,
    ExecCommand,
    PathPair,
    ServiceActions,
    WatchAction,
    actions_for,
)
from invoke_devstack.running.watch.rules import TemporaryFiles

SYNC = CompiledRule("web", "/p/src", "sync", target="/app")


def added(path: str) -> Change:
    return Change(path, "added")


def test_a_changed_file_is_copied_to_its_place_below_the_target() -> None:
    assert actions_for([Change("/p/src/a/b.py", "modified")], [SYNC]) == {
        "web": ServiceActions("web", copies=(PathPair("/p/src/a/b.py", "/app/a/b.py"),))
    }


def test_a_rule_for_a_single_file_copies_it_to_the_target_itself() -> None:
    rule = CompiledRule("web", "/p/settings.py", "sync", target="/etc/app/local.py")
    wanted = actions_for([Change("/p/settings.py", "modified")], [rule])
    assert wanted["web"].copies == (PathPair("/p/settings.py", "/etc/app/local.py"),)


def test_what_lies_outside_of_every_rule_asks_for_nothing() -> None:
    assert actions_for([added("/p/srcs/a.py"), added("/p/other")], [SYNC]) == {}


def test_a_deleted_file_is_deleted_in_the_container() -> None:
    wanted = actions_for([Change("/p/src/a.py", "deleted")], [SYNC])["web"]
    assert wanted.deletions == (PathPair("/p/src/a.py", "/app/a.py"),)
    assert wanted.copies == ()


def test_a_rename_is_a_deletion_and_a_copy_in_one_turn() -> None:
    wanted = actions_for([Change("/p/src/old.py", "deleted"), added("/p/src/new.py")], [SYNC])["web"]
    assert [item.container for item in wanted.deletions] == ["/app/old.py"]
    assert [item.container for item in wanted.copies] == ["/app/new.py"]


def test_a_deleted_directory_takes_the_files_in_it_along() -> None:
    changes = [
        Change("/p/src/d/x", "deleted"),
        Change("/p/src/d/y", "deleted"),
        Change("/p/src/d", "deleted", directory=True),
    ]
    assert actions_for(changes, [SYNC])["web"].deletions == (PathPair("/p/src/d", "/app/d", True),)


def test_the_target_itself_is_never_deleted() -> None:
    assert actions_for([Change("/p/src", "deleted", directory=True)], [SYNC]) == {}


def test_a_new_directory_is_made_even_if_it_is_empty() -> None:
    wanted = actions_for([Change("/p/src/empty", "added", directory=True)], [SYNC])["web"]
    assert wanted.copies == (PathPair("/p/src/empty", "/app/empty", True),)


def test_ignored_files_ask_for_nothing_and_a_negated_pattern_brings_one_back() -> None:
    rule = CompiledRule(
        "web", "/p/src", "sync", "/app", ignored=(("/p/src", Ignore(["*.log", "!keep.log"])),)
    )
    wanted = actions_for([added("/p/src/a.log"), added("/p/src/keep.log")], [rule])["web"]
    assert [item.host for item in wanted.copies] == ["/p/src/keep.log"]


def test_the_rules_of_a_dockerignore_count_from_the_build_context() -> None:
    rule = CompiledRule("web", "/p/src", "sync", "/app", ignored=(("/p", Ignore(["src/secret"])),))
    assert actions_for([added("/p/src/secret/key")], [rule]) == {}
    assert actions_for([added("/p/src/public")], [rule])


def test_with_include_only_matching_files_count() -> None:
    rule = CompiledRule("web", "/p/src", "sync", "/app", included=Ignore(["**/*.html"]))
    changes = [added("/p/src/a/x.html"), added("/p/src/x.py"), Change("/p/src/d", "added", directory=True)]
    assert [item.host for item in actions_for(changes, [rule])["web"].copies] == ["/p/src/a/x.html"]


def test_a_rebuild_names_the_paths_that_ask_for_it_once_each() -> None:
    rules = [CompiledRule("web", "/p", "rebuild"), CompiledRule("web", "/p/req.txt", "rebuild")]
    assert actions_for([Change("/p/req.txt", "modified")], rules)["web"].rebuild == ("/p/req.txt",)


def test_a_new_directory_alone_is_no_reason_to_rebuild_or_restart() -> None:
    rules = [CompiledRule("web", "/p", "rebuild"), CompiledRule("web", "/p", "restart")]
    assert actions_for([Change("/p/d", "added", directory=True)], rules) == {}


def test_the_dockerfile_asks_for_a_rebuild_even_where_a_dockerignore_hides_it() -> None:
    rule = CompiledRule(
        "web", "/p", "rebuild", ignored=(("/p", Ignore(["*"])),), always=frozenset({"/p/Dockerfile"})
    )
    assert actions_for([Change("/p/Dockerfile", "modified")], [rule])["web"].rebuild == ("/p/Dockerfile",)
    assert actions_for([Change("/p/other", "modified")], [rule]) == {}
    assert not rule.skips("/p")


@pytest.mark.parametrize("action", ["restart", "sync+restart"])
def test_a_restart_is_asked_for_once_a_batch(action: WatchAction) -> None:
    rule = CompiledRule("web", "/p", action, target="/app")
    wanted = actions_for([added("/p/a"), added("/p/b")], [rule])["web"]
    assert wanted.restart == ("/p/a", "/p/b")
    assert len(wanted.copies) == (2 if action == "sync+restart" else 0)


def test_a_command_runs_once_a_batch_however_many_files_changed() -> None:
    command = ExecCommand(("make", "css"))
    rule = CompiledRule("web", "/p", "sync+exec", target="/app", command=command)
    assert actions_for([added("/p/a"), added("/p/b")], [rule])["web"].commands == (command,)


def test_one_file_may_concern_several_services() -> None:
    rules = [SYNC, CompiledRule("worker", "/p", "restart")]
    assert set(actions_for([Change("/p/src/a", "modified")], rules)) == {"web", "worker"}


def test_an_ignored_directory_is_skipped_unless_something_in_it_can_come_back() -> None:
    rule = CompiledRule("web", "/p", "sync", "/app", ignored=(("/p", Ignore(["a", "b", "!b/keep"])),))
    assert rule.skips("/p/a")
    assert not rule.skips("/p/b")
    assert not rule.skips("/p/c")
    assert rule.skips("/elsewhere")
    assert not rule.skips("/"), "the rule's root lies below it"


def test_two_turns_become_one_in_which_the_later_word_counts() -> None:
    a, b = PathPair("/p/a", "/app/a"), PathPair("/p/b", "/app/b")
    earlier = ServiceActions("web", copies=(a,), deletions=(b,), rebuild=("/p/r",))
    later = ServiceActions("web", copies=(b,), deletions=(a,), rebuild=("/p/r", "/p/s"))
    assert earlier.merged(later) == ServiceActions(
        "web", copies=(b,), deletions=(a,), rebuild=("/p/r", "/p/s")
    )


def test_a_copy_into_a_directory_that_is_deleted_later_is_dropped() -> None:
    earlier = ServiceActions("web", copies=(PathPair("/p/d/x", "/app/d/x"),))
    later = ServiceActions("web", deletions=(PathPair("/p/d", "/app/d", directory=True),))
    assert earlier.merged(later).copies == ()


@pytest.mark.parametrize(
    ("path", "left_over"),
    [
        (".git/index", True),
        ("sub/.git", True),
        ("a.py~", True),
        ("sub/4913", True),
        (".a.py.swp", True),
        ("x/.#a.py", True),
        ("#a.py#", True),
        ("a.py___jb_tmp___", True),
        (".idea/workspace.xml", True),
        (".gitignore", False),
        ("a4913", False),
        ("a.swp", False),
        ("github/a", False),
    ],
)
def test_what_editors_and_git_leave_beside_a_file_is_never_synced(path: str, left_over: bool) -> None:
    assert TemporaryFiles().ignores(path) is left_over

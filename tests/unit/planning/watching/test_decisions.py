"""Changes and rules -> what each rule does with each file, and why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition.syntax.dockerignore import Ignore
from invoke_devstack.planning.watching.actions import Change, CompiledRule
from invoke_devstack.planning.watching.decisions import Decision, decide
from invoke_devstack.running.watch.rules import TemporaryFiles

IGNORED = Ignore(["**/*.pyc", "node_modules", "!node_modules/ours"], file=Path("/p/.dockerignore"))
SYNC = CompiledRule(
    "web",
    "/p/src",
    "sync",
    target="/app",
    ignored=(("/p", IGNORED), ("/p/src", Ignore(["*.log"])), ("/p/src", TemporaryFiles())),
    written="compose.yaml:7",
)
REBUILD = CompiledRule("web", "/p", "rebuild", written="compose.yaml:9")


def modified(path: str) -> Change:
    return Change(path, "modified")


def test_each_rule_says_what_it_does() -> None:
    assert decide([modified("/p/src/a.py")], [SYNC, REBUILD]) == (
        Decision("/p/src/a.py", "web", "/p/src", "compose.yaml:7", "sync"),
        Decision("/p/src/a.py", "web", "/p", "compose.yaml:9", "rebuild"),
    )


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/p/src/a.pyc", "`**/*.pyc` in .dockerignore"),
        ("/p/src/a.log", "`*.log` in `ignore`"),
        ("/p/src/.a.py.swp", "a temporary file of an editor, or a file of git"),
    ],
)
def test_what_leaves_a_file_out_is_named(path: str, why: str) -> None:
    (decision,) = decide([modified(path)], [SYNC])
    assert (decision.action, decision.why) == ("none", why)


def test_the_last_pattern_that_matches_decides() -> None:
    assert IGNORED.reason("node_modules/theirs") == "`node_modules` in .dockerignore"
    assert IGNORED.reason("node_modules/ours") == ""


def test_a_file_that_include_does_not_name_is_told() -> None:
    rule = CompiledRule("web", "/p", "sync", target="/app", included=Ignore(["*.py"]))
    (decision,) = decide([modified("/p/a.txt")], [rule])
    assert decision.why == "no pattern of `include` matches"


def test_a_new_directory_alone_rebuilds_nothing() -> None:
    (decision,) = decide([Change("/p/new", "added", directory=True)], [REBUILD])
    assert (decision.action, decision.why) == ("none", "a directory alone does not cause `rebuild`")


def test_a_path_outside_all_rules_has_no_decision() -> None:
    assert decide([modified("/elsewhere/a.py")], [SYNC, REBUILD]) == ()


def test_of_a_large_batch_the_first_decisions_are_enough() -> None:
    changes = [modified(f"/p/src/{number}.py") for number in range(1000)]
    assert len(decide(changes, [SYNC], limit=50)) == 50

"""Docker's ignore rules, case by case; expectations follow the `.dockerignore` reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition.syntax.dockerignore import Ignore, read_ignore
from invoke_devstack.errors import DefinitionError


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        (["*.md"], "README.md", True),
        (["*.md"], "docs/README.md", False),
        (["**/*.md"], "README.md", True),
        (["**/*.md"], "docs/deep/README.md", True),
        (["node_modules"], "node_modules/a/b.js", True),
        (["node_modules"], "web/node_modules/a.js", False),
        (["**/node_modules"], "web/node_modules/a.js", True),
        (["/build/"], "build/x", True),
        (["./build/../dist"], "dist/x", True),
        (["temp?"], "tempa", True),
        (["temp?"], "temp", False),
        (["*/temp*"], "somedir/temporary.txt", True),
        (["*/temp*"], "somedir/sub/temporary.txt", False),
        (["[a-c].txt"], "b.txt", True),
        (["[^a-c].txt"], "b.txt", False),
        (["[^a-c].txt"], "x.txt", True),
        ([r"\*.txt"], "*.txt", True),
        ([r"\*.txt"], "a.txt", False),
        (["a.b"], "axb", False),
        (["logs/**"], "logs/deep/x", True),
        (["logs/**"], "logs", False),
        (["**"], "any/thing", True),
    ],
)
def test_a_pattern_matches_as_docker_matches_it(patterns: list[str], path: str, ignored: bool) -> None:
    assert Ignore(patterns).ignores(path) is ignored


def test_a_negated_pattern_brings_a_file_back() -> None:
    rules = Ignore(["*.md", "!README.md"])
    assert rules.ignores("CHANGES.md")
    assert not rules.ignores("README.md")


def test_the_last_pattern_that_matches_decides() -> None:
    rules = Ignore(["*.md", "!README*.md", "README-secret.md"])
    assert not rules.ignores("README-x.md")
    assert rules.ignores("README-secret.md")
    assert not Ignore(["*.md", "README-secret.md", "!README*.md"]).ignores("README-secret.md")


def test_everything_may_be_ignored_but_one_directory() -> None:
    rules = Ignore(["*", "!src"])
    assert rules.ignores("other/file")
    assert not rules.ignores("src/deep/file")


def test_a_directory_is_skipped_as_a_whole_unless_something_in_it_may_come_back() -> None:
    rules = Ignore(["vendor", "node_modules", "!vendor/ours/*.py"])
    assert rules.ignores_all_in("node_modules")
    assert not rules.ignores_all_in("vendor")
    assert not rules.ignores_all_in("vendor/ours")
    assert rules.ignores_all_in("vendor/theirs")
    assert not rules.ignores_all_in("src")


def test_comments_blank_lines_and_a_byte_order_mark_are_no_patterns() -> None:
    rules = Ignore.parse("\ufeff# note\n\n  a/ \n!b\n")
    assert rules.ignores("a") and rules.ignores("a/x")
    assert not rules.ignores("# note") and not rules.ignores("b")


def test_the_dockerfiles_own_ignore_file_wins(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("all\n")
    assert read_ignore(tmp_path, tmp_path / "dev.Dockerfile").ignores("all")
    (tmp_path / "dev.Dockerfile.dockerignore").write_text("own\n")
    rules = read_ignore(tmp_path, tmp_path / "dev.Dockerfile")
    assert rules.ignores("own") and not rules.ignores("all")


def test_a_context_without_ignore_file_ignores_nothing(tmp_path: Path) -> None:
    assert not read_ignore(tmp_path)
    assert not read_ignore(tmp_path).ignores("anything")


@pytest.mark.parametrize("pattern", ["[a-", "!"])
def test_a_pattern_that_docker_refuses_is_an_error_that_names_it(pattern: str) -> None:
    with pytest.raises(DefinitionError, match=r"."):
        Ignore([pattern])

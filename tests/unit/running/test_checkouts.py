"""Which name a checkout has beside others, and which directories are checkouts of one repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from invoke_devstack.planning import labels
from invoke_devstack.planning.copies.copies import Copy
from invoke_devstack.planning.observed import ObservedVolume
from invoke_devstack.running.checkouts import Identity, choose_identity, is_same_repository
from tests.fakes import FakeEngine


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def add_container(engine: FakeEngine, project: str, directory: Path) -> None:
    marks = {labels.PROJECT: project, labels.WORKING_DIR: str(directory)}
    engine.create_container(f"{project}-web-1", {"Image": "x", "Labels": marks})


def add_volume(engine: FakeEngine, project: str, directory: Path) -> None:
    marks = {labels.PROJECT: project, labels.DIRECTORY: str(directory)}
    engine.volumes[f"{project}_data"] = ObservedVolume(f"{project}_data", labels=marks)


def test_alone_it_is_called_as_compose_calls_it(engine: FakeEngine, tmp_path: Path) -> None:
    assert choose_identity(engine, "app", folder(tmp_path / "app")) == Identity("app")


def test_its_own_containers_keep_the_name(engine: FakeEngine, tmp_path: Path) -> None:
    add_container(engine, "app", folder(tmp_path / "app"))
    assert choose_identity(engine, "app", tmp_path / "app") == Identity("app")


@pytest.mark.parametrize(
    ("directory", "expected"),
    [("b/app", "app-b"), ("app-feature", "app-feature"), ("other", "app-other")],
)
def test_beside_another_checkout_the_folder_tells_them_apart(
    engine: FakeEngine, tmp_path: Path, directory: str, expected: str
) -> None:
    first = folder(tmp_path / "a/app")
    add_container(engine, "app", first)
    assert choose_identity(engine, "app", folder(tmp_path / directory)) == Identity(expected, str(first))


def test_a_stack_that_is_down_claims_its_name_by_its_volumes(engine: FakeEngine, tmp_path: Path) -> None:
    add_volume(engine, "app", folder(tmp_path / "a/app"))
    assert choose_identity(engine, "app", folder(tmp_path / "b/app")).name == "app-b"


def test_the_name_that_it_has_stays_when_the_other_one_goes(engine: FakeEngine, tmp_path: Path) -> None:
    add_volume(engine, "app-b", folder(tmp_path / "b/app"))
    assert choose_identity(engine, "app", tmp_path / "b/app") == Identity("app-b")


def test_a_copy_of_the_stack_keeps_the_stacks_name_and_is_not_taken_for_it(
    engine: FakeEngine, tmp_path: Path
) -> None:
    here = folder(tmp_path / "copy-x")  # for which `app-copy-x` would be the second name to try
    copy = Copy("x", "app", str(here), "2026-01-31T12:00:00+00:00")
    own = {labels.PROJECT: copy.project, labels.WORKING_DIR: str(here), **copy.labels()}
    engine.create_container(f"{copy.project}-web-1", {"Image": "x", "Labels": own})
    engine.volumes[copy.mark] = ObservedVolume(copy.mark, labels=copy.labels())
    assert choose_identity(engine, "app", here) == Identity("app")


def test_a_folder_that_is_gone_claims_nothing(engine: FakeEngine, tmp_path: Path) -> None:
    add_container(engine, "app", tmp_path / "gone/app")
    assert choose_identity(engine, "app", folder(tmp_path / "b/app")) == Identity("app")


def test_a_link_to_the_same_folder_is_no_other_checkout(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder(tmp_path / "app"))
    add_container(engine, "app", tmp_path / "link")
    assert choose_identity(engine, "app", tmp_path / "app") == Identity("app")


def test_where_the_folders_name_is_taken_too_there_is_one_left(engine: FakeEngine, tmp_path: Path) -> None:
    add_container(engine, "app", folder(tmp_path / "a/app"))
    add_container(engine, "app-b", folder(tmp_path / "c/b/app"))
    name = choose_identity(engine, "app", folder(tmp_path / "d/b/app")).name
    assert name.startswith("app-")
    assert name not in ("app-b", "app")


def git(directory: Path, *words: str) -> None:
    own = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(("git", *own, *words), cwd=directory, check=True, capture_output=True)


def test_worktrees_and_clones_are_of_one_repository_and_strangers_are_not(tmp_path: Path) -> None:
    origin = folder(tmp_path / "origin")
    git(origin, "init")
    (origin / "compose.yaml").write_text("services: {}")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "first")
    git(origin, "worktree", "add", str(tmp_path / "tree"))
    for name in ("one", "two"):
        git(tmp_path, "clone", str(origin), name)
    stranger = folder(tmp_path / "stranger")
    git(stranger, "init")
    assert is_same_repository(origin, tmp_path / "tree", ())
    assert is_same_repository(tmp_path / "one", tmp_path / "two", ())
    assert not is_same_repository(origin, stranger, ())
    assert not is_same_repository(origin, origin, ())
    assert not is_same_repository(origin, folder(tmp_path / "plain"), ())


def test_two_stacks_of_one_repository_are_not_each_others_checkout(tmp_path: Path) -> None:
    for name in ("one", "two"):
        git(folder(tmp_path / name), "init")
        git(tmp_path / name, "remote", "add", "origin", "https://git.example/app")
        for part in ("shop", "blog"):
            folder(tmp_path / name / part)
    assert is_same_repository(tmp_path / "one/shop", tmp_path / "two/shop", ())
    assert not is_same_repository(tmp_path / "one/shop", tmp_path / "two/blog", ())
    assert not is_same_repository(tmp_path / "one/shop", tmp_path / "one/blog", ())


def test_without_git_a_copy_of_one_name_with_the_same_files_is_one(tmp_path: Path) -> None:
    for place, text in (("a/app", "same"), ("b/app", "same"), ("c/app", "other"), ("d/shop", "same")):
        (folder(tmp_path / place / "services") / "web.yaml").write_text(text)
    one = tmp_path / "a/app"
    files = (one / "services/web.yaml",)
    assert is_same_repository(one, tmp_path / "b/app", files)
    assert not is_same_repository(one, tmp_path / "c/app", files)
    assert not is_same_repository(one, tmp_path / "d/shop", files)

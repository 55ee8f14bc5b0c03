"""Flags of Docker Compose that no task declares."""

from __future__ import annotations

import os
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.parser import Parser
from invoke.program import Program

from invoke_devstack import Stack, stack
from invoke_devstack.errors import UsageError
from invoke_devstack.tasks import catalogue
from invoke_devstack.tasks.command_line.words import COLLECTIONS, Rewriting
from tests.unit.tasks.command_line.test_words import rewritten


def variables(*typed: str) -> dict[str, str]:
    namespace = stack()
    rewriting = Rewriting(
        Parser(namespace.to_contexts()).contexts, Program(namespace=namespace).initial_context
    )
    rewriting.rewrite(typed)
    return rewriting.habits.variables


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("up --wait web", "up --detach --service web"),
        ("up --watch", "up --attach"),
        ("up -dy --quiet-pull web", "up -d --service web"),
        ("up --menu=false", "up"),
        ("up --wait=false", "up"),
        ("down -v --remove-orphans", "down -v"),
        ("logs -f -n 100 --no-color web", "logs -f -n 100 --service web"),
        ("ps -a --no-trunc --format json", "ps -a --json"),
        ("rm -f web", "rm --yes --service web"),
        ("rm -fv web", "rm --yes -v --service web"),
        ("rm -vf web", "rm -v --yes --service web"),
        ("rm -fs web", "rm --yes --stop --service web"),
        ("rm -sfv web", "rm --stop --yes -v --service web"),
        ("rm -s -f web", "rm --stop --yes --service web"),
        ("rm -s web", "rm -s web"),
        ("kill -s HUP web", "kill --signal HUP --service web"),
        ("kill -s 9", "kill --signal 9"),
        ("rm -f -s web", "rm --yes --stop --service web"),
        ("rm -s web", "rm -s web"),
        ("logs -f web rm -s web", "logs -f --service web rm -s web"),
        ("kill -s web", "kill -s web"),
        ("images.rm -fs web", "images.rm -fs web"),
        ("run --rm web pytest --rm", "run web --command ' pytest --rm'"),
        ("run --no-TTY web ls", "run --no-tty web --command ' ls'"),
        ("build --progress plain web", "build --service web"),
        ("build --progress=plain web up -d", "build --service web up -d"),
        ("up --pull always --no-deps web", "up --pull always --no-deps --service web"),
        ("stop --dry-run web", "stop --dry --service web"),
        ("up --dry-run", "up --dry-run"),
        ("ps --format table -a", "ps -a"),
        ("build --provenance=false --sbom false web", "build --service web"),
        ("check --rm", "check --rm"),
        ("images.rm -f web", "images.rm -f --service web"),
    ],
)
def test_flags_that_mean_the_default_or_something_of_ours(typed: str, read: str) -> None:
    assert rewritten(typed) == read


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        (
            "build web kill --remove-orphans",
            "`kill` has no `--remove-orphans`",
            "`invoke up --remove-orphans`",
        ),
        ("build --memory 1g", "`build` has no `--memory`", "BuildKit"),
        ("config --no-normalize", "`config` has no `--no-normalize`", "`docker compose config`"),
        ("build --sbom=true", "`build` has no `--sbom`", "`docker buildx build`"),
        ("ps --format {{.Name}}", "`ps` has no `--format`", "`--json` prints JSON."),
        ("--ansi loud up", "invalid value `loud` for `--ansi`", "never"),
        ("--project-directory nowhere up", "no such directory for `--project-directory`: nowhere", ""),
        ("up --project-name ''", "empty value for `--project-name`", "Is a variable empty?"),
        ("up --profile ' '", "empty value for `--profile`", "Is a variable empty?"),
        ("up --progress=", "empty value for `--progress`", "Is a variable empty?"),
        ("up --file nowhere.yaml", "no such file for `--file`: nowhere.yaml", ""),
    ],
)
def test_flags_that_cannot_be_are_refused_by_name(typed: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        rewritten(typed)
    assert refused.value.message == message
    assert hint in refused.value.hint


def test_files_project_and_profiles_are_flags_of_every_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("services: {}\n")
    words = shlex.split("--file a.yaml ps --file=b.yaml --profile x --profile y web --project-name shop")
    assert variables(*words) == {
        "COMPOSE_FILE": os.pathsep.join(str(tmp_path / name) for name in ("a.yaml", "b.yaml")),
        "COMPOSE_PATH_SEPARATOR": os.pathsep,
        "COMPOSE_PROFILES": "x,y",
        "COMPOSE_PROJECT_NAME": "shop",
    }
    assert variables("logs", "--no-color") == {"NO_COLOR": "1"}
    assert variables("--ansi", "never", "ps") == {"NO_COLOR": "1"}
    assert variables("build", "--builder", "big") == {"BUILDX_BUILDER": "big"}
    assert variables("--project-directory=.", "ps") == {"INVOKE_DEVSTACK_PROJECT_DIRECTORY": str(tmp_path)}


def test_a_file_of_a_task_is_its_own() -> None:
    assert rewritten("deploy --file x.yaml") == "deploy --file x.yaml"


def test_a_namespace_does_not_hide_whose_flags_they_are() -> None:
    root = Collection()
    shop = stack()
    shop.name = "shop"
    root.add_collection(shop)
    assert rewritten("shop.rm -f web", root) == "shop.rm --yes --service web"
    assert rewritten("shop.images.rm -f web", root) == "shop.images.rm -f --service web"
    assert {*COLLECTIONS} == {*catalogue.COLLECTIONS}


# Through Invoke


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: redis:8}}\n")
    (tmp_path / "other.yaml").write_text(
        "services: {api: {image: redis:8}, extra: {image: redis:8, profiles: [more]}}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"):
        os.environ.pop(name, None)
    namespace = stack(tmp_path)
    namespace.configure({"devstack": {"files": ["compose.yaml"]}})
    return namespace


def run(
    namespace: Stack, *words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["invoke", *words])
    code = 0
    try:
        Program(namespace=namespace).run(["invoke", *words])
    except SystemExit as end:
        code = int(end.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize(
    "words",
    [
        ("config", "--services", "--file", "other.yaml", "--profile", "more"),
        ("--file", "other.yaml", "--profile", "more", "config", "--services"),
    ],
)
def test_the_file_that_is_given_is_read_instead_of_the_one_in_the_settings(
    words: tuple[str, ...],
    project: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = run(project, *words, monkeypatch=monkeypatch, capsys=capsys)
    assert (code, out.split()) == (0, ["api", "extra"]), err


def test_the_next_command_line_of_a_process_does_not_know_them(
    project: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, "config", "--file", "other.yaml", monkeypatch=monkeypatch, capsys=capsys)
    assert run(project, "config", "--services", monkeypatch=monkeypatch, capsys=capsys)[1] == "web\n"


def test_the_projects_name_is_that_of_the_flag(
    project: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, err = run(project, "config", "--project-name", "shop", monkeypatch=monkeypatch, capsys=capsys)
    assert "name: shop" in out, err


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (("-f", "other.yaml", "ps", "-a"), "invoke ps --file other.yaml -a"),
        (("-p", "shop", "ps"), "invoke ps --project-name shop"),
    ],
)
def test_a_short_flag_before_the_task_is_answered_with_the_right_form(
    words: tuple[str, ...],
    right: str,
    project: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run(project, *words, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2
    assert f"`{right}`" in err


def test_invokes_own_use_of_them_stays(
    project: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("invoke.yaml").write_text("devstack: {strict: true}\n")
    words = ("-f", "invoke.yaml", "config", "--services")
    assert run(project, *words, monkeypatch=monkeypatch, capsys=capsys)[:2] == (0, "web\n")


def test_a_plan_of_a_task_is_asked_for_as_with_compose(
    project: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(project, "urls", "--dry-run", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2
    assert "`--dry` is not supported by `urls`" in err


def test_versions_need_no_engine(
    project: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(project, "version", "--format", "json", monkeypatch=monkeypatch, capsys=capsys)
    assert (code, f'"version": "{version("invoke-devstack")}"' in out) == (0, True), (out, err)
    code, short, err = run(project, "version", "--short", monkeypatch=monkeypatch, capsys=capsys)
    assert (code, short.strip(), err) == (0, version("invoke-devstack"), "")


@pytest.mark.parametrize("typed", ["up --no-recreate --", "up --file --", "logs web --"])
def test_nothing_is_refused_while_a_line_is_completed(
    typed: str, project: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--complete", "--", "invoke", *typed.split())
    code, out, err = run(project, *words, monkeypatch=monkeypatch, capsys=capsys)
    assert (code, err) == (0, "")
    assert "--json" in out.split()


def test_the_flags_that_say_which_stack_is_meant_are_kept_for_hints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("services: {}\n")
    rewriting = Rewriting(Parser(stack(tmp_path).to_contexts()).contexts, None)
    rewriting.rewrite(shlex.split("--file a.yaml ps --project-name=shop --ansi never"))
    assert rewriting.habits.selecting == ["--file", "a.yaml", "--project-name", "shop"]
    with pytest.raises(UsageError) as refused:
        rewriting.rewrite(shlex.split("--file a.yaml down w"))
    assert "`invoke rm --file a.yaml" in refused.value.hint

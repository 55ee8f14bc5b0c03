"""What is not understood is refused: nothing is dropped so that the rest means more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.program import Program

from invoke_devstack import Stack, stack
from invoke_devstack.tasks.declare import split_names


def run(namespace: Collection, *words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = 0
    try:
        Program(namespace=namespace).run(["invoke", *words])
    except (SystemExit, Exit) as end:
        code = int(end.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: redis:8}}\n")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    return stack(tmp_path)


EVERY = sorted(name for name in stack().task_names if name not in ("exec", "run", "deploy.exec"))
TAKING_SERVICES = sorted(
    name
    for name in EVERY
    if any(item.name == "service" and item.kind is list for item in stack()[name].read_flags())
)


def test_words_after_dashes_are_told_where_they_belong(
    namespace: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, right in (
        (("scale", "--", "web=2", "db=3"), "`invoke scale web=2 db=3`"),
        (("stop", "--", "web", "db", "--timeout", "5"), "`invoke stop web db`"),
    ):
        code, _, err = run(namespace, *words, capsys=capsys)
        assert (code, right in err) == (2, True), err


def test_dry_is_refused_without_advice_about_other_tasks(
    namespace: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("cp", "a", "b"), ("dashboard",), ("mcp",)):
        code, _, err = run(namespace, "--dry", *words, capsys=capsys)
        assert (code, "leave `--dry` out" in err, "invoke up" in err) == (2, True, False), err


@pytest.mark.parametrize("given", ["", " ", ",", "web,", ",web"])
def test_an_empty_name_is_no_selection(given: str) -> None:
    with pytest.raises(Exception, match="empty name"):
        split_names([given])


@pytest.mark.parametrize("name", TAKING_SERVICES)
def test_an_empty_service_is_refused_by_every_task(
    name: str, namespace: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(namespace, name, "-s", "", capsys=capsys)
    assert code == 2, err
    assert "empty name" in err


@pytest.mark.parametrize("name", TAKING_SERVICES)
def test_the_flag_without_its_value_is_refused(
    name: str, namespace: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(namespace, name, "-s", capsys=capsys)
    assert (code, "`-s` needs a value" in err) == (2, True), err


@pytest.mark.parametrize("name", EVERY)
def test_words_after_dashes_are_refused_where_a_task_takes_none(
    name: str, namespace: Collection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = [item.name for item in namespace[name].read_flags() if item.positional]
    words = [name, *("web" for _ in needed), "--", "db"]
    monkeypatch.setattr(sys, "argv", ["invoke", *words])
    code, _, err = run(namespace, *words, capsys=capsys)
    assert code == 2, err
    assert "takes no words after `--`: db" in err


ALL = sorted({*EVERY, "exec", "run", "deploy.exec"})
PLANNING = (
    "up",
    "down",
    "start",
    "stop",
    "restart",
    "pause",
    "unpause",
    "kill",
    "rm",
    "build",
    "pull",
    "push",
    "create",
    "commit",
    "publish",
    "scale",
)


def call(name: str, namespace: Collection) -> list[str]:
    needed = [item.name for item in namespace[name].read_flags() if item.positional]
    return [name, *("web" for _ in needed)]


@pytest.mark.parametrize("name", sorted(set(ALL) - set(PLANNING) - {"deploy.apply", "agents.init"}))
def test_dry_is_refused_by_tasks_without_a_plan(
    name: str, namespace: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(namespace, "--dry", *call(name, namespace), capsys=capsys)
    assert code == 2, err
    assert "`--dry` is not supported" in err


CORE_FLAGS = (
    ("--hide", "both"),
    ("--pty",),
    ("--warn-only",),
    ("--command-timeout", "5"),
    ("--echo",),
)


@pytest.mark.parametrize("flag", CORE_FLAGS, ids=lambda words: words[0])
@pytest.mark.parametrize("name", ALL)
def test_core_flags_about_shell_commands_are_refused_where_none_runs(
    name: str, flag: tuple[str, ...], namespace: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(namespace, *flag, *call(name, namespace), capsys=capsys)
    explains = any(item.name == "explain" for item in namespace[name].read_flags())
    if flag == ("--echo",) and explains:
        assert "`--echo` is not supported" not in err
        return
    assert code == 2, err
    assert f"`{flag[0]}` is not supported by" in err


def test_core_flags_reach_the_hooks_of_a_stack(namespace: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    namespace.before("web")(lambda c: None)
    code, _, err = run(namespace, "--pty", "down", capsys=capsys)
    assert code == 1, err  # there is no engine
    assert "--pty" not in err
    code, _, err = run(namespace, "--pty", "ps", capsys=capsys)
    assert (code, "`--pty` is not supported by `ps`" in err) == (2, True)


def test_settings_of_commands_in_a_configuration_are_not_refused(
    namespace: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace.configure({"run": {"pty": True, "echo": True}})
    code, _, err = run(namespace, "config", capsys=capsys)
    assert code == 0, err


@pytest.mark.parametrize("name", sorted(stack().task_names))
def test_help_after_a_task_is_its_help(
    name: str, namespace: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(namespace, name, "--help", capsys=capsys)
    assert (code, err) == (0, "")
    assert "Usage: inv" in out
    assert f" {name} " in out


def test_tasks_of_two_stacks_are_two_tasks(tmp_path: Path) -> None:
    one, two = stack(tmp_path / "one"), stack(tmp_path / "two")
    assert one["up"] == one["up"]
    assert one["up"] != two["up"]
    assert len({one["up"], two["up"]}) == 2

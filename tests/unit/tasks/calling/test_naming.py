"""Messages, hints and the menu name tasks as they are called."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.program import Program
from invoke.tasks import Task

from invoke_devstack import Stack
from invoke_devstack.console import choose
from invoke_devstack.events import Checked, Document
from invoke_devstack.tasks.calling.naming import PrefixingConsole, own_tasks, prefix_of, root_of


def seed(c: object) -> None:
    """Fill the database.

    More of it.
    """


SEED: Task[Any] = Task(seed)


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    (tmp_path / "compose.yaml").write_text("services: {cache: {image: redis:8}}\n")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    variables: dict[str, object] = {}
    stack = Stack(tmp_path, variables)
    root = Collection()
    variables["ns"] = root
    root.add_collection(stack, name="my_stack")
    root.add_task(SEED)
    return stack


def run(dev: Stack, *words: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    with suppress(SystemExit):
        Program(namespace=dev._root()).run(["invoke", *words])
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_a_hint_has_the_prefix_of_a_named_stack(dev: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert "`invoke my-stack.exec cache ls`" in run(dev, "my-stack.exec", "cache", capsys=capsys)[1]
    assert "`invoke my-stack.stop cache`" in run(dev, "my-stack.stop", "--", "cache", capsys=capsys)[1]


def test_the_menu_has_the_prefix_and_the_own_tasks(dev: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(dev, "my-stack", capsys=capsys)
    assert "  my-stack.up " in out
    assert "  seed " in out
    assert out.index("Your own tasks") < out.index("Fill the database.")


def test_the_prefix_is_the_path_in_the_namespace(tmp_path: Path) -> None:
    dev, outer, inner = Stack(tmp_path), Collection(), Collection()
    outer.add_collection(inner, name="all")
    inner.add_collection(dev, name="shop")
    assert prefix_of(dev, outer) == "all.shop."
    assert prefix_of(dev, dev) == ""
    assert prefix_of(Stack(tmp_path), outer) == ""


def test_a_file_without_a_namespace_is_the_stack_alone(tmp_path: Path) -> None:
    dev = Stack(tmp_path)
    assert root_of(dev, {}) is dev
    assert own_tasks(dev) == {}
    dev.add_task(SEED)
    assert own_tasks(dev) == {"seed": "Fill the database."}


def test_help_after_a_task_has_the_prefix_and_bears_tasks_of_the_team(
    dev: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.add_task(SEED)
    out, err = run(dev, "my-stack.exec", "--help", capsys=capsys)
    assert err == ""
    assert "my-stack.exec" in out


@pytest.mark.parametrize(("name", "right"), [("images.prune", "--help"), ("images", "web")])
def test_a_refusal_names_a_task_of_a_group_as_it_is_called(
    name: str, right: str, dev: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = run(dev, f"my-stack.{name}", "--", "web", capsys=capsys)
    assert f"hint: `invoke my-stack.{name} {right}`" in err


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("invoke setup --yes", "invoke my-stack.setup --yes"),
        ("invoke pull && invoke up", "invoke my-stack.pull && invoke my-stack.up"),
        ("Check it: `invoke doctor`", "Check it: `invoke my-stack.doctor`"),
        ("Ask `invoke seed` of the team", "Ask `invoke seed` of the team"),
    ],
)
def test_a_command_alone_has_the_prefix_too(dev: Stack, said: str, shown: str) -> None:
    out = io.TextIOWrapper(written := io.BytesIO(), encoding="utf-8")
    console = PrefixingConsole(choose(out=out), "my-stack.", (*dev.task_names, *dev.collections))
    console.emit(Checked(name="images", state="warning", found="old", fix=said))
    console.close()
    out.flush()
    assert shown in written.getvalue().decode()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("down", "w"), "hint: To stop and remove one service: `invoke my-stack.rm --stop w`."),
        (
            ("down", "w.2"),
            "hint: To stop and remove one service: `invoke my-stack.rm --stop w`.",
        ),
        (("kill", "--remove-orphans"), "`invoke my-stack.up --remove-orphans`"),
        (("ps", "--all=1=2", "--nope"), "`invoke --help my-stack.ps`"),
    ],
)
def test_what_the_parser_refuses_is_told_with_names_that_exist(
    words: tuple[str, ...], hint: str, dev: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = run(dev, f"my-stack.{words[0]}", *words[1:], capsys=capsys)
    assert hint in err


def test_answers_name_tasks_as_they_are_called_too(dev: Stack) -> None:
    out = io.TextIOWrapper(written := io.BytesIO(), encoding="utf-8")
    console = PrefixingConsole(choose(json="answer", out=out), "my-stack.", (*dev.task_names,))
    up = {"hint": "Start it: `invoke up`.", "steps": [{"fix": "invoke up -s web"}]}
    console.emit(Document(text="`invoke --help up`", data={"up": up}))
    console.close()
    out.flush()
    said = written.getvalue().decode()
    assert "invoke my-stack.up`" in said
    assert "invoke my-stack.up -s web" in said

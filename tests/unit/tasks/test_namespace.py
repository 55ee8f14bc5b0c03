from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
from invoke.collection import Collection
from invoke.config import Config
from invoke.context import Context
from invoke.parser import Parser

from invoke_devstack import stack
from invoke_devstack.errors import UsageError
from invoke_devstack.settings import Settings, WatchSettings
from invoke_devstack.tasks.command_line.commands import words_of_command


def as_invoke_loads_it(namespace: Collection) -> Collection:
    module = ModuleType("tasks")
    vars(module)["namespace"] = namespace
    return Collection.from_module(module)


def parse(namespace: Collection, *words: str) -> dict[str, object]:
    (context,) = Parser(contexts=as_invoke_loads_it(namespace).to_contexts()).parse_argv(list(words))
    return dict(context.as_kwargs)


def test_tasks_stand_at_the_top_or_below_a_name() -> None:
    beside = Collection()
    beside.add_collection(stack(), name="stack")
    assert "up" in as_invoke_loads_it(stack()).task_names
    assert "stack.up" in as_invoke_loads_it(beside).task_names


def test_every_flag_and_argument_of_every_task_has_a_help_text() -> None:
    for context in Parser(contexts=as_invoke_loads_it(stack()).to_contexts()).contexts.values():
        for flag, text in context.help_tuples():
            assert text, f"{context.name} {flag}"


def test_the_list_of_tasks_reads_like_a_menu_one_line_each() -> None:
    namespace = stack()
    for name in namespace.task_names:
        first = namespace[name].__doc__.splitlines()[0]
        assert 10 < len(first) <= 54, name  # what `invoke --list` has room for in 80 columns
        assert first.endswith("."), name


def test_services_may_be_repeated_and_s_is_their_short_form() -> None:
    flags = parse(stack(), "up", "-s", "a,b", "--service", "c", "-d")
    assert (flags["service"], flags["detach"], flags["attach"]) == (["a,b", "c"], True, False)


def test_f_follows_logs_although_invoke_has_an_f_of_its_own() -> None:
    flags = parse(stack(), "logs", "-f", "-n", "5")
    assert (flags["follow"], flags["tail"]) == (True, "5")


def test_a_hook_is_called_as_it_was_before_it_was_decorated() -> None:
    dev = stack()

    @dev.after("mysql")
    def migrate(context: object) -> str:
        return "done"

    assert migrate(None) == "done"


def test_the_project_is_where_the_calling_file_is() -> None:
    assert stack()._home == Path(__file__).parent
    assert stack("/srv/app")._home == Path("/srv/app")


def test_settings_of_the_environment_reach_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOKE_DEVSTACK_WAIT_TIMEOUT", "7")
    monkeypatch.setenv("INVOKE_DEVSTACK_FILES", "a.yaml, b.yaml")
    monkeypatch.setenv("INVOKE_DEVSTACK_WATCH_FORCE_POLLING", "1")
    config = Config()
    config.load_collection(stack().configuration())
    config.load_shell_env()
    settings = Settings.read(config["devstack"])
    assert settings.wait_timeout == 7.0
    assert settings.files == ("a.yaml", "b.yaml")
    assert settings.watch.force_polling is True
    assert settings.bind == "127.0.0.1"


def test_a_setting_that_is_no_number_is_named() -> None:
    with pytest.raises(UsageError, match=r"devstack\.wait_timeout"):
        Settings.read({"wait_timeout": "soon"})


def test_a_setting_that_is_not_there_is_named_with_the_nearest_one() -> None:
    with pytest.raises(UsageError) as raised:
        Settings.read({"wait_timeot": 1})
    assert "wait_timeout" in raised.value.hint


def test_words_after_dashes_keep_their_quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["sh", "-c", "echo 'a  b' \"$X\"", ""]
    monkeypatch.setattr(sys, "argv", ["invoke", "exec", "web", "--", *words])
    assert words_of_command(Context(remainder=" ".join(words)), "") == tuple(words)


def test_words_given_by_a_program_are_split_as_a_shell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert words_of_command(Context(remainder="sh -c 'a b'"), "") == ("sh", "-c", "a b")


def test_the_documentation_names_every_task() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "tasks.md").read_text("utf-8")
    missing = [name for name in stack().task_names if f"`{name.removesuffix('.list')}" not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("prefix", "settings"), [("devstack", Settings()), ("devstack.watch", WatchSettings())]
)
def test_the_documentation_has_every_setting_with_its_default(
    prefix: str, settings: Settings | WatchSettings
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "settings.md").read_text("utf-8")
    for item in fields(settings):
        default = getattr(settings, item.name)
        if item.name != "watch":
            shown = f"`{default}` |" if default not in ("", (), None) else "|"
            assert f"\n| `{prefix}.{item.name}` | {shown}" in page


def test_dashes_within_a_command_are_a_word_of_it() -> None:
    assert words_of_command(Context(remainder="x"), " echo 'a b'") == ("echo", "a b", "--", "x")
    with pytest.raises(UsageError, match="unknown flag `--usr`"):
        words_of_command(Context(remainder="ls"), " --usr x")

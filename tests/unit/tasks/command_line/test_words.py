"""Words after a task are services, and those after `exec web` are a command."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.executor import Executor
from invoke.parser import Parser
from invoke.program import Program
from invoke.tasks import task

from invoke_devstack import Stack, stack
from invoke_devstack.errors import UsageError
from invoke_devstack.tasks.catalogue import every
from invoke_devstack.tasks.command_line.words import Rewriting

TAKING_WORDS = sorted(
    name for name, declared in every().items() if declared.takes_words and not declared.positional
)


@task(iterable=["paths"], optional=["level"])
def check(c: Context, paths: list[str], level: str = "") -> None:
    """A task of the team."""
    ran.append(f"check {paths}")


ran: list[str] = []


def namespace_with_check() -> Collection:
    namespace = stack()
    namespace.add_task(check)
    return namespace


def rewritten(typed: str, namespace: Collection | None = None) -> str:
    namespace = namespace or namespace_with_check()
    initial = Program(namespace=namespace).initial_context
    return shlex.join(
        Rewriting(Parser(namespace.to_contexts()).contexts, initial).rewrite(shlex.split(typed))
    )


@pytest.mark.parametrize("name", TAKING_WORDS)
def test_a_word_is_a_service_for_every_task_that_takes_services(name: str) -> None:
    flag = f"--{every()[name].takes_words.replace('_', '-')}"
    assert rewritten(f"{name} web --debug db") == f"{name} {flag} web --debug {flag} db"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("logs -f web -n 5 db", "logs -f --service web -n 5 --service db"),
        ("logs -fn 5 web", "logs -fn 5 --service web"),
        ("logs -n5 web", "logs -n5 --service web"),
        ("logs --tail=5 web", "logs --tail=5 --service web"),
        ("logs --tail web db", "logs --tail web --service db"),
        ("up -d web,db cache", "up -d --service web,db --service cache"),
        ("build up logs", "build up logs"),
        ("build web up -d db logs -f", "build --service web up -d --service db logs -f"),
        ("logs -s build web", "logs -s build --service web"),
        ("logs --help web", "logs --help --service web"),
        ("restart ''", "restart --service ''"),
        ("shell up", "shell up"),
        ("exec --debug web -- ls", "exec web --debug -- ls"),
        ("exec --debug -d web true", "exec -d web --debug --command ' true'"),
        ("cp --dry page web:/page", "cp page web:/page --dry"),
        ("logs web up -d", "logs --service web up -d"),
        ("stop -- web", "stop -- web"),
        ("check a b", "check a b"),
        ("check --paths a up web", "check --paths a up --service web"),
        ("check --level up up web", "check --level up up --service web"),
    ],
)
def test_words_are_told_from_tasks_and_from_values_of_flags(typed: str, read: str) -> None:
    assert rewritten(typed) == read


@pytest.mark.parametrize(
    ("typed", "flags", "command"),
    [
        ("exec web ls -la /tmp", "exec web", "ls -la /tmp"),
        ("exec -T web ls", "exec -T web", "ls"),
        ("exec web -T ls -T", "exec web -T", "ls -T"),
        ("exec -it web bash", "exec -it web", "bash"),
        ("exec -uroot web id", "exec -uroot web", "id"),
        ("exec -u root -e A=b web sh -c 'echo $A  x'", "exec -u root -e A=b web", "sh -c 'echo $A  x'"),
        ("exec web ls -- x", "exec web", "ls -- x"),
        ("exec --service web up -d", "exec --service web", "up -d"),
        ("run --no-deps web pytest -q", "run --no-deps web", "pytest -q"),
        ("run web --version", "run web", "--version"),
        ("run web --flag of --the command", "run web", "--flag of --the command"),
        ("run web build up", "run web", "build up"),
        ("build exec web ls", "build exec web", "ls"),
        ("build web exec web ls", "build --service web exec web", "ls"),
    ],
)
def test_a_command_begins_after_the_service_and_its_flags(typed: str, flags: str, command: str) -> None:
    assert rewritten(typed) == f"{flags} --command {shlex.quote(f' {command}')}"


@pytest.mark.parametrize("typed", ["exec web -- ls -la", "exec web -u root -- ls"])
def test_words_after_dashes_stay_as_they_are(typed: str) -> None:
    assert rewritten(typed) == typed


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("lgos", "unknown task `lgos`", "Did you mean `logs`?"),
        ("zzz up", "unknown task `zzz`", "List them with `invoke --list`."),
        ("down web", "`down` takes no word `web`", "To stop and remove one service: `invoke rm --stop web`."),
        ("down lgos", "`down` takes no word `lgos`", "Did you mean `logs`?"),
        ("shell web zzz", "`shell` takes no word `zzz`", "Its flags: `invoke --help shell`."),
    ],
)
def test_a_word_that_means_nothing_is_refused(typed: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        rewritten(typed)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_names_are_those_of_the_namespace() -> None:
    root = Collection()
    shop = stack()
    shop.name = "shop"
    root.add_collection(shop)
    root.add_task(check)
    assert rewritten("shop.logs web check", root) == "shop.logs --service web check"
    with pytest.raises(UsageError, match="unknown task `logs`") as refused:
        rewritten("logs web", root)
    assert refused.value.hint == "Did you mean `shop.logs`?"


# Through Invoke


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: redis:8}, db: {image: redis:8}}\n")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    ran.clear()
    namespace = stack(tmp_path)
    namespace.add_task(check)
    return namespace


class TeamProgram(Program):
    """What a team may make of Invoke's."""


def run(program: Program, *words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = 0
    try:
        program.run(["invoke", *words])
    except SystemExit as end:
        code = int(end.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("kind", [Program, TeamProgram])
def test_a_word_that_is_neither_service_nor_task_ends_before_anything(
    kind: type[Program], project: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(kind(namespace=project), "stop", "wbe", capsys=capsys)
    assert (code, out) == (2, "")
    assert "unknown service `wbe`" in err
    assert "Did you mean `web`?" in err


def test_it_may_have_been_meant_to_be_a_task(project: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(Program(namespace=project), "stop", "lgos", capsys=capsys)
    assert code == 2
    assert "Did you mean `logs`?" in err


def test_a_wrong_word_of_a_later_task_ends_the_first(
    project: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(Program(namespace=project), "config", "logs", "wbe", "check", capsys=capsys)
    assert (code, out, ran) == (2, "", [])
    assert "unknown service `wbe`" in err


def test_a_wrong_word_is_told_in_json_too(project: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(Program(namespace=project), "stop", "--json", "wbe", capsys=capsys)
    assert code == 2
    assert '"reason":"usage"' in out


def test_a_task_of_the_team_is_parsed_as_ever(project: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Program(namespace=project), "check", "--paths", "a", "--paths", "web", capsys=capsys)[0] == 0
    assert ran == ["check ['a', 'web']"]
    assert run(Program(namespace=project), "check", "web", capsys=capsys)[0] == 1


def test_a_parser_without_our_tasks_is_left_alone() -> None:
    namespace = Collection(check)
    result = Parser(contexts=namespace.to_contexts()).parse_argv(["check", "--", "a", "b"])
    assert (result[0].name, result.remainder) == ("check", "a b")


def test_tasks_called_from_python_take_what_they_are_given(
    project: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit):
        Executor(project).execute(("stop", {"service": ["wbe"]}))
    assert "unknown service `wbe`" in capsys.readouterr().err


def _with_values() -> list[tuple[str, str]]:
    """Each task and flag that takes a value, but those that say themselves what an empty one is."""
    namespace = namespace_with_check()
    return [
        (name, flag)
        for name in sorted(every())
        for item in namespace[name].read_flags()
        for flag in item.names
        if item.takes_value and not item.positional and item.name not in ("service", "entrypoint")
        if len(flag) > 1
    ]


@pytest.mark.parametrize(("name", "flag"), _with_values())
def test_an_empty_value_of_a_flag_is_wrong_use(name: str, flag: str) -> None:
    needed = " ".join("x" for _ in every()[name].positional)
    for given in (f"--{flag} ''", f"--{flag} ' '", f"--{flag}="):
        with pytest.raises(UsageError, match=f"empty value for `--{flag}`"):
            rewritten(f"{name} {needed} {given}")


def test_an_empty_value_may_follow_other_words() -> None:
    assert rewritten("run --entrypoint '' web --env A= ls ''") == (
        "run --entrypoint '' web --env A= --command ' ls '\"'\"''\"'\"''"
    )

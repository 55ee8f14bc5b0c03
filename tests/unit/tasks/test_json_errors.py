"""With `--json`, whatever fails prints one object on stdout: every task, and words that mean nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.program import Program

from invoke_devstack import stack
from tests.schemas import check_event, check_output, tasks

OTHERS = ("dashboard", "doctor", "setup")
"""They last, or look at this machine."""
WITH_JSON = sorted(name for name, entry in tasks().items() if entry["prints"] and name not in OTHERS)


@pytest.fixture
def namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: redis:8}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    return stack(tmp_path)


def run(
    namespace: Collection, *words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["invoke", *words])
    code = 0
    try:
        Program(namespace=namespace).run(["invoke", *words])
    except (SystemExit, Exit) as end:
        code = int(end.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def needed(namespace: Collection, name: str) -> list[str]:
    words = {"service": "web", "file": "nothing.tar"}
    return [words.get(str(item.name), "x") for item in namespace[name].read_flags() if item.positional]


@pytest.mark.parametrize("name", WITH_JSON)
def test_every_task_says_as_one_object_that_the_engine_is_gone(
    name: str,
    namespace: Collection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [name, *needed(namespace, name), "--json"]
    code, out, err = run(namespace, *words, monkeypatch=monkeypatch, capsys=capsys)
    check_output(words, out, code)
    if code == 0 and tasks()[name]["prints"] == "answer":  # one that needs no engine
        return
    last = json.loads(out.splitlines()[-1])
    check_event(last)
    assert (code, last["type"], last["exit_code"]) == (last["exit_code"], "error", code)
    assert last["error"] in err
    assert last["reason"]
    assert last["hint"]


@pytest.mark.parametrize(
    ("typed", "error", "hint"),
    [
        ("pss --json", "unknown task `pss`", "Did you mean `ps`?"),
        ("--json pss", "unknown task `pss`", "Did you mean `ps`?"),
        ("ps --al --json", "unknown flag `--al` for `ps`", "Did you mean `--all`?"),
        (
            "ps --json --nothing-like-it",
            "unknown flag `--nothing-like-it` for `ps`",
            "All flags: `invoke --help ps`.",
        ),
        ("--jsonn ps --json", "unknown flag `--jsonn`", "All flags: `invoke --help`."),
        ("up -dX --json", "unknown flag `-dX` for `up`", "All flags: `invoke --help up`."),
        ("port --json", "`port` needs SERVICE", "Its arguments and flags: `invoke --help port`."),
        ("snapshots.export --json", "`snapshots.export` needs NAME and FILE", ""),
        ("logs --json --tail", "`--tail` needs a value", "Its flags: `invoke --help logs`."),
        ("logs --json -s", "`-s` needs a value", ""),
        ("build --json --check", "`build` has no `--check`", ""),
        ("stacks --json word", "`stacks` takes no word `word`", ""),
        ("config --json word", "`config` takes services only with `--hash`", "Their hashes: `invoke config"),
        ("ps --json wbe", "unknown service `wbe`", "Did you mean `web`?"),
        ("start --json stat", "unknown service `stat`", "Services: "),
        ("logs --json --tail x", "--tail", ""),
        ("--json", "`--json` needs a task", "`invoke menu --json` lists them."),
        ("up --json -- web", "`up` takes no words after `--`: web", ""),
    ],
)
def test_wrong_use_is_one_object_too(
    typed: str,
    error: str,
    hint: str,
    namespace: Collection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = run(namespace, *typed.split(), monkeypatch=monkeypatch, capsys=capsys)
    (line,) = out.splitlines()
    told = json.loads(line)
    check_event(told)
    assert (code, told["exit_code"], told["reason"]) == (2, 2, "usage")
    assert error in told["error"]
    assert hint in told["hint"]
    assert told["error"] in err


def test_a_variable_that_must_be_set_is_told_with_its_place(
    namespace: Collection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "compose.yaml").write_text('services:\n  web: {image: "${TAG:?give a tag}"}\n')
    code, out, _ = run(namespace, "config", "--json", monkeypatch=monkeypatch, capsys=capsys)
    (line,) = out.splitlines()
    told = json.loads(line)
    check_event(told)
    assert (code, told["reason"]) == (1, "definition")
    assert "give a tag" in told["error"]
    assert told["position"].startswith(f"{tmp_path}/compose.yaml:2:")


def test_without_json_stdout_stays_empty(
    namespace: Collection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("pss",), ("ps",), ("exec", "--usr", "--json"), ("port",)):
        code, out, err = run(namespace, *words, monkeypatch=monkeypatch, capsys=capsys)
        assert out == "" or words[0] == "exec"
        assert code in (1, 2)
        assert err.startswith("error: ")


def test_json_before_the_tasks_is_for_all_of_them(
    namespace: Collection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(namespace, "--json", "version", monkeypatch=monkeypatch, capsys=capsys)
    assert (code, {*json.loads(out)}) == (0, {"version", "invoke", "python"})
    code, out, _ = run(namespace, "--json", "config", "menu", monkeypatch=monkeypatch, capsys=capsys)
    assert (code, out[0], out.rstrip()[-1]) == (0, "{", "]")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("publish", ""), "empty reference"),
        (("publish", " ", "--dry-run"), "empty reference"),
        (("commit", "web", ""), "empty image name"),
        (("why", ""), "empty path"),
        (("port", "web", ""), "empty port"),
        (("deploy.exec", "", "ls"), "empty service"),
        (("copies.end", ""), "empty name"),
        (("cp", "web:/a", " "), "empty destination"),
    ],
)
def test_an_empty_word_is_wrong_use(
    words: tuple[str, ...],
    error: str,
    namespace: Collection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run(namespace, *words, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2
    assert error in err
    assert "Is a variable empty?" in err

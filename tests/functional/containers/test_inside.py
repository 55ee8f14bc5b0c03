"""Inside the containers: exec, run, shell, connect, cp."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.conftest import Project, invoke_command

STACK = """
    services:
      web: {image: IMAGE, init: true, command: [sleep, "600"], environment: {COLOUR: blue}}
      job: {image: IMAGE, command: [sh, -c, "exit 0"]}
"""


@pytest.fixture
def stack(new_project: Callable[..., Project]) -> Project:
    project = new_project(STACK)
    assert project.invoke("up").code == 0
    return project


def test_words_after_dashes_arrive_as_they_were_typed(stack: Project) -> None:
    ended = stack.invoke("exec", "web", "--", "sh", "-c", 'printf "[%s]" "$@"', "sh", "a  b", "", "c'd", "-n")
    assert (ended.code, ended.out) == (0, "[a  b][][c'd][-n]")


def test_the_exit_code_is_the_commands(stack: Project) -> None:
    assert stack.invoke("exec", "web", "--", "sh", "-c", "exit 42").code == 42


def test_stdout_and_stderr_stay_apart_and_a_pipe_is_read(stack: Project) -> None:
    ended = stack.invoke("exec", "web", "--", "sh", "-c", "cat; echo aside >&2", typed="through\n")
    assert (ended.out, ended.err) == ("through\n", "aside\n")


def test_a_command_that_is_not_in_the_image_is_127_and_a_sentence(stack: Project) -> None:
    ended = stack.invoke("exec", "web", "--", "nosuchcommand")
    assert ended.code == 127
    assert "nosuchcommand" in ended.err
    assert "Traceback" not in ended.err


def test_user_directory_and_variables_can_be_chosen(stack: Project) -> None:
    ended = stack.invoke(
        "exec", "web", "-u", "1000", "-w", "/tmp", "-e", "A=x y", "--", "sh", "-c", 'id -u; pwd; echo "$A"'
    )
    assert ended.out.splitlines() == ["1000", "/tmp", "x y"]


def test_exec_without_a_command_is_wrong_use(stack: Project) -> None:
    ended = stack.invoke("exec", "web")
    assert ended.code == 2
    assert "invoke exec web ls" in ended.err


def test_a_service_that_has_ended_is_told(stack: Project) -> None:
    ended = stack.invoke("exec", "job", "--", "true")
    assert ended.code == 1
    assert "job" in ended.err
    assert "hint:" in ended.err
    unknown = stack.invoke("exec", "wbe", "--", "true")
    assert (unknown.code, "`web`" in unknown.err) == (2, True)


def test_on_a_terminal_exec_has_one(stack: Project) -> None:
    words = ("exec", "web", "--", "sh", "-c", "until stty size | grep '31 97'; do sleep 0.1; done; exit 7")
    with stack.terminal(*words, rows_columns=(31, 97)) as child:
        child.expect("31 97")
        assert child.end() == 7


def test_shell_opens_the_best_shell_there(stack: Project) -> None:
    with stack.terminal("shell", "web") as child:
        child.expect("# ")
        child.sendline("echo $((6*7)) $COLOUR; exit 3")
        child.expect("42 blue")
        assert child.end() == 3


def test_connect_knows_no_client_of_an_unknown_image(stack: Project) -> None:
    ended = stack.invoke("connect", "web")
    assert ended.code == 2
    assert "invoke shell web" in ended.err


def test_run_makes_a_container_of_its_own_and_removes_it(stack: Project) -> None:
    before = {container.id for container in stack.containers()}
    ended = stack.invoke("run", "web", "-e", "A=1", "--", "sh", "-c", "echo $COLOUR $A; exit 5")
    assert (ended.code, ended.out) == (5, "blue 1\n")
    assert {container.id for container in stack.containers()} == before


def test_files_are_copied_both_ways(stack: Project, tmp_path: Path) -> None:
    stack.write("seed.txt", "from here\n")
    assert stack.invoke("cp", "seed.txt", "web:/tmp/").code == 0
    assert stack.invoke("exec", "web", "--", "cat", "/tmp/seed.txt").out == "from here\n"
    assert stack.invoke("cp", "web:/tmp/seed.txt", str(tmp_path / "back.txt")).code == 0
    assert (tmp_path / "back.txt").read_text() == "from here\n"
    assert stack.invoke("cp", "a", "b").code == 2


def test_files_are_copied_into_every_container_as_compose_does(new_project: Callable[..., Project]) -> None:
    project = new_project(
        """
        services:
          web: {image: IMAGE, init: true, command: sleep 600, deploy: {replicas: 2}}
          one: {image: IMAGE, init: true, command: sleep 600}
        """
    )
    file = project.write("real", "content")
    os.chown(file, 1234, 1234)
    (project.directory / "link").symlink_to("real")
    assert project.invoke("up", "-d").code == 0

    copied = project.invoke("cp", "real", "web:/tmp/all")
    assert "Copied real to web:/tmp/all, in 2 containers." in copied.err
    assert project.invoke("cp", "--index", "2", "real", "web:/tmp/second").code == 0
    assert [_files(project, "web", number) for number in (1, 2)] == [["all"], ["all", "second"]]

    script = f"tar -c real | {invoke_command()} cp - web:/tmp"
    subprocess.run(script, shell=True, check=True, cwd=project.directory, env=project.environment)
    assert [_files(project, "web", number) for number in (1, 2)] == [
        ["all", "real"],
        ["all", "real", "second"],
    ]

    assert project.invoke("cp", "-a", "real", "one:/tmp/kept").code == 0
    assert project.invoke("cp", "real", "one:/tmp/real").code == 0
    assert project.invoke("cp", "link", "one:/tmp/link").code == 0
    assert project.invoke("cp", "-L", "link", "one:/tmp/followed").code == 0
    assert project.invoke("cp", "-L", "one:/tmp/link", "out").code == 0
    listed = project.invoke("exec", "one", "sh", "-c", "cd /tmp; stat -c '%n %u %F' kept real link followed")
    assert listed.out.splitlines() == [
        "kept 1234 regular file",
        "real 0 regular file",
        "link 0 symbolic link",
        "followed 0 regular file",
    ]
    assert (project.directory / "out").read_text() == "content"
    assert not (project.directory / "out").is_symlink()

    for target, words in (("plain", ()), ("followed-into", ("-L",))):
        assert project.invoke("exec", "one", "mkdir", f"/tmp/{target}").code == 0
        assert project.invoke("cp", *words, "link", f"one:/tmp/{target}").code == 0
    (project.directory / "circle").symlink_to("circle")
    assert project.invoke("cp", "circle", "one:/tmp/plain").code == 0
    in_circle = project.invoke("cp", "-L", "circle", "one:/tmp/plain")
    assert (in_circle.code, "links form a loop" in in_circle.err) == (1, True)
    listed = project.invoke("exec", "one", "sh", "-c", "cd /tmp; stat -c '%n %F' plain/* followed-into/*")
    assert listed.out.splitlines() == [
        "plain/circle symbolic link",
        "plain/link symbolic link",
        "followed-into/link regular file",
    ]

    assert project.invoke("run", "-d", "--name", f"{project.name}-job", "one", "sleep", "600").code == 0
    assert "in 2 containers" in project.invoke("cp", "--all", "real", "one:/tmp/all").err


def _files(project: Project, service: str, number: int) -> list[str]:
    return sorted(project.invoke("exec", "--index", str(number), service, "ls", "/tmp").out.split())

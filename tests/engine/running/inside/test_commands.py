"""Commands in containers: pipes, terminals, exit codes; and files in and out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import NotFoundError, ServiceError, UsageError
from invoke_devstack.running.inside import exec as interactive
from invoke_devstack.running.inside.copy import copy
from invoke_devstack.running.options import ExecOptions
from invoke_devstack.running.stack import stacks
from tests.engine.stacks import Stack
from tests.terminal import Terminal

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(engine, tmp_path_factory.mktemp("stack"), f"t-commands-{uuid.uuid4().hex[:8]}", busybox)
    made.write("""
    services:
      web: {image: IMAGE, command: sleep 1000, init: true, environment: {COLOUR: blue}, working_dir: /tmp}
      ended: {image: IMAGE, command: "true"}
    """)
    made.up()
    yield made
    made.down(volumes=True, timeout=0)


def command(stack: Stack, *words: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "tests.engine.running.command_process",
        stack.engine.endpoint.url,
        str(stack.folder),
        *words,
    ]


def piped(stack: Stack, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(stack, *words), input=given, capture_output=True, cwd=ROOT, timeout=90)


def on_terminal(stack: Stack, *words: str) -> Terminal:
    environment = os.environ | {"TERM": "vt100"}
    return Terminal(command(stack, *words), ROOT, environment, timeout=60, rows_columns=(31, 97))


def test_output_errors_and_the_exit_code_are_the_commands(stack: Stack) -> None:
    ended = piped(stack, "exec", "web", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, b"out\n", b"err\n")


def test_words_arrive_as_they_were_given(stack: Stack) -> None:
    ended = piped(stack, "exec", "web", "sh", "-c", 'printf "[%s]" "$@"', "x", "a  b", "$HOME", "'q'")
    assert ended.stdout == b"[a  b][$HOME]['q']"


def test_a_pipe_is_passed_on_whole_and_its_end_too(stack: Stack) -> None:
    data = bytes(range(256)) * 8192
    ended = piped(stack, "exec", "web", "md5sum", given=data)
    expected = subprocess.run(["md5sum"], input=data, capture_output=True, check=True).stdout
    assert ended.stdout == expected
    assert piped(stack, "exec", "web", "cat", given=data).stdout == data


def test_a_reader_that_leaves_ends_the_command_quietly(stack: Stack) -> None:
    words = " ".join(f"'{word}'" for word in command(stack, "exec", "web", "yes"))
    ended = subprocess.run(["sh", "-c", f"{words} | head -n 1"], capture_output=True, cwd=ROOT, timeout=90)
    assert ended.stdout == b"y\n"
    assert ended.stderr == b""


def test_a_command_that_is_not_there_is_127_and_a_sentence(stack: Stack) -> None:
    ended = piped(stack, "exec", "web", "no-such-program")
    assert ended.returncode == 127
    assert ended.stdout == b""
    assert b"web has no command `no-such-program`" in ended.stderr


def test_a_command_that_cannot_be_executed_is_126_and_a_sentence(stack: Stack) -> None:
    ended = piped(stack, "exec", "web", "/etc")
    assert ended.returncode == 126
    assert b"in web: permission denied" in ended.stderr


def test_a_service_that_does_not_run_is_refused(stack: Stack) -> None:
    with pytest.raises(ServiceError) as caught:
        interactive.execute(stack.session(), ExecOptions(service="ended", command=("ls",)))
    assert "`ended` is not running: it is exited" in caught.value.message
    assert "invoke up -s ended" in caught.value.hint


def test_a_service_that_does_not_exist_is_refused_with_the_nearest(stack: Stack) -> None:
    with pytest.raises(UsageError) as caught:
        interactive.execute(stack.session(), ExecOptions(service="wbe", command=("ls",)))
    assert "`web`" in caught.value.hint


def test_on_a_terminal_the_command_has_one_of_the_same_size(stack: Stack) -> None:
    with on_terminal(stack, "exec", "web", "sh") as shell:
        shell.sendline("stty size; echo $TERM; tty -s && echo terminal")
        shell.expect("31 97")
        shell.expect("vt100")
        shell.expect("terminal\r")
        shell.setwinsize(20, 60)
        shell.sendline("until stty size | grep 20; do sleep 0.1; done")
        shell.expect("20 60")
        shell.sendline("exit 5")
        assert shell.end() == 5


def test_ctrl_c_and_ctrl_d_are_the_commands(stack: Stack) -> None:
    with on_terminal(stack, "exec", "web", "sh") as shell:
        shell.expect("# ")
        shell.sendline("sh -c 'echo begun; exec sleep 100'")
        shell.expect("begun\r")
        shell.sendintr()
        shell.expect("# ")
        shell.sendline("echo still here")
        shell.expect("still here\r")
        shell.expect("# ")
        shell.sendeof()
        assert shell.end() is not None


def test_ctrl_p_ctrl_q_detaches_and_the_command_goes_on(stack: Stack) -> None:
    script = "echo ready; until [ -e /tmp/go-on ]; do sleep 0.1; done; touch /tmp/went-on; sleep 5"
    with on_terminal(stack, "exec", "web", "sh", "-c", script) as shell:
        shell.expect("ready")
        shell.send("\x10\x11")
        shell.expect("is still running in web")
        assert shell.end() == 0
    waiting = "touch /tmp/go-on; until [ -e /tmp/went-on ]; do sleep 0.1; done"
    assert piped(stack, "exec", "web", "sh", "-c", waiting).returncode == 0


def test_the_terminal_is_as_before(stack: Stack) -> None:
    words = " ".join(f"'{word}'" for word in command(stack, "exec", "web", "sh", "-c", "stty raw; exit 3"))
    script = f"stty -a > '{stack.folder}/1'; {words}; echo $?; stty -a > '{stack.folder}/2'"
    with Terminal(("sh", "-c", script), ROOT) as outer:
        outer.expect("3\r")
        outer.end()
    assert (stack.folder / "1").read_text() == (stack.folder / "2").read_text()


def test_the_terminal_is_as_before_after_a_signal_too(stack: Stack) -> None:
    words = " ".join(
        f"'{word}'" for word in command(stack, "exec", "web", "sh", "-c", "echo ready; sleep 100")
    )
    script = f"stty -a > '{stack.folder}/1'; {words}; echo code $?; stty -a > '{stack.folder}/2'"
    with Terminal(("sh", "-c", script), ROOT) as outer:
        outer.expect("ready")
        subprocess.run(["pkill", "-TERM", "-P", str(outer.pid)], check=True)
        outer.expect(r"code 143\r")
        outer.end()
    assert (stack.folder / "1").read_text() == (stack.folder / "2").read_text()


def test_run_makes_a_container_like_the_services_and_removes_it(stack: Stack) -> None:
    ended = piped(stack, "run", "web", "sh", "-c", "echo $COLOUR; pwd; cat; exit 4", given=b"given\n")
    assert (ended.returncode, ended.stdout) == (4, b"blue\n/tmp\ngiven\n")
    found = stacks.containers(stack.engine, stack.project, all_=True)
    assert sorted(str(row["container"]) for row in found) == [
        stack.container("ended"),
        stack.container("web"),
    ]


def test_run_shows_what_a_short_command_says(stack: Stack) -> None:
    for _ in range(5):
        assert piped(stack, "run", "web", "echo", "all of it").stdout == b"all of it\n"


def test_run_passes_a_signal_on_and_removes_the_container(stack: Stack) -> None:
    script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    process = subprocess.Popen(
        command(stack, "run", "web", "sh", "-c", script), stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == b"got it\n"
    assert process.wait(60) == 9
    assert len(stacks.containers(stack.engine, stack.project, all_=True)) == 2


def test_run_of_a_command_that_is_not_there_fails_and_leaves_nothing(stack: Stack) -> None:
    ended = piped(stack, "run", "ended", "no-such-program")
    assert ended.returncode == 127
    assert b"no-such-program" in ended.stderr
    assert len(stacks.containers(stack.engine, stack.project, all_=True)) == 2


def test_run_on_a_terminal_has_one(stack: Stack) -> None:
    with on_terminal(stack, "run", "web", "sh") as shell:
        shell.sendline("stty size")
        shell.expect("31 97")
        shell.sendline("exit 6")
        assert shell.end() == 6


def test_files_and_folders_are_copied_in_and_out(stack: Stack, tmp_path: Path) -> None:
    source = tmp_path / "src"
    (source / "deep").mkdir(parents=True)
    (source / "deep/file").write_bytes(b"\x00\xffcontent")
    (source / "link").symlink_to("deep/file")
    session = stack.session()
    copy(session, str(source), "web:/tmp")
    copy(session, f"{source}/.", "web:/root")
    copy(session, str(source / "deep/file"), "web:/tmp/renamed")
    copy(session, "web:/tmp/src", str(tmp_path / "back"))
    copy(session, "web:/root/.", str(tmp_path / "contents"))
    copy(session, "web:/tmp/renamed", str(tmp_path))
    for folder in ("back", "contents"):
        assert (tmp_path / folder / "deep/file").read_bytes() == b"\x00\xffcontent"
        assert (tmp_path / folder / "link").readlink() == Path("deep/file")
    assert (tmp_path / "renamed").read_bytes() == b"\x00\xffcontent"


def test_files_are_copied_out_of_a_container_that_has_ended(stack: Stack, tmp_path: Path) -> None:
    copy(stack.session(), "ended:/bin/busybox", str(tmp_path / "busybox"))
    assert (tmp_path / "busybox").stat().st_mode & 0o111


def test_what_cannot_be_copied_says_why(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    session = stack.session()
    with pytest.raises(UsageError, match="exactly one of the two paths"):
        copy(session, "web:/a", "web:/b")
    with pytest.raises(NotFoundError, match="does not exist"):
        copy(session, str(tmp_path / "nothing"), "web:/tmp")
    with pytest.raises(NotFoundError, match="not a directory in web"):
        copy(session, str(tmp_path / "file"), "web:/nothing/here")
    with pytest.raises(NotFoundError):
        copy(session, "web:/nothing", str(tmp_path))

"""Commands and files inside containers, on a real engine."""

from __future__ import annotations

import io
import tarfile
import threading
import time

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.errors import ConflictError, NotFoundError
from tests.engine.conftest import Run

FOREVER = "while :; do sleep 0.05; done"


def read_all(session: ExecSession) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while True:
        stream, block = session.read()
        if not block:
            return found
        found[stream] = found.get(stream, b"") + block


def test_exec_gives_output_and_exit_code(engine: DockerEngine, run: Run) -> None:
    result = engine.exec(run(FOREVER), ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert result.exit_code == 7
    assert sorted(result.output.splitlines()) == [b"err", b"out"]


def test_exec_takes_user_folder_and_environment(engine: DockerEngine, run: Run) -> None:
    result = engine.exec(
        run(FOREVER),
        ["sh", "-c", "id -u; pwd; echo $WHO"],
        user="1234",
        working_dir="/tmp",
        environment=["WHO=me"],
    )
    assert result.output == b"1234\n/tmp\nme\n"


def test_exec_of_a_command_that_is_not_there_has_a_shells_exit_code(engine: DockerEngine, run: Run) -> None:
    assert engine.exec(run(FOREVER), ["no-such-program"]).exit_code in (126, 127)


def test_exec_gives_up_after_its_time(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        engine.exec(made, ["sleep", "20"], timeout=0.3)
    assert time.monotonic() - began < 15  # less than the command takes


def test_exec_in_a_container_that_does_not_run_is_a_conflict(engine: DockerEngine, run: Run) -> None:
    with pytest.raises(ConflictError):
        engine.exec(run("true", started=False), ["true"])


def test_exec_passes_much_output_on_whole(engine: DockerEngine, run: Run) -> None:
    result = engine.exec(run(FOREVER), ["sh", "-c", "seq 200000"])
    assert result.output == b"".join(b"%d\n" % number for number in range(1, 200001))


def test_a_pipe_into_exec_ends_with_its_end(engine: DockerEngine, run: Run) -> None:
    session = engine.open_exec(
        run(FOREVER), ["sh", "-c", "cat; echo done >&2; exit 4"], tty=False, stdin=True
    )
    session.write(b"some\nbytes")
    session.close_write()
    assert read_all(session) == {"stdout": b"some\nbytes", "stderr": b"done\n"}
    assert session.exit_code() == 4
    session.close()


def test_a_terminal_in_exec_has_the_size_that_it_is_given(engine: DockerEngine, run: Run) -> None:
    session = engine.open_exec(run(FOREVER), ["sh", "-c", "read x; stty size"], tty=True, stdin=True)
    time.sleep(0.3)
    session.resize(33, 77)
    session.write(b"\n")
    assert b"33 77" in read_all(session)["stdout"]
    assert session.exit_code() == 0
    session.close()


def test_closing_a_session_ends_a_read_in_another_thread(engine: DockerEngine, run: Run) -> None:
    session = engine.open_exec(run(FOREVER), ["sleep", "30"], tty=False, stdin=False)
    ended = threading.Event()

    def read() -> None:
        read_all(session)
        ended.set()

    threading.Thread(target=read).start()
    time.sleep(0.2)
    session.close()
    assert ended.wait(25)  # before the command ends by itself


def test_attaching_before_the_start_loses_no_output(engine: DockerEngine, run: Run) -> None:
    made = run("echo first; read x; echo got $x; exit 9", started=False, OpenStdin=True, StdinOnce=True)
    session = engine.attach(made, tty=False, stdin=True)
    engine.start(made)
    session.write(b"word\n")
    assert read_all(session) == {"stdout": b"first\ngot word\n"}
    assert session.exit_code() == 9
    session.close()


def test_what_is_attached_is_let_go_when_the_process_has_ended_and_not_before(
    engine: DockerEngine, run_ready: Run
) -> None:
    """`lets_go_at_end`: not even where the process has closed its output, and before the stop is answered."""
    made = run_ready(
        "trap 'sleep 0.5; exit 0' TERM; echo ready; exec >/dev/null 2>&1; while :; do sleep 0.05; done"
    )
    assert engine.lets_go_at_end
    session = engine.attach(made, tty=True, stdin=False)
    let_go: list[float] = []

    def listen() -> None:
        while session.read()[1]:
            pass
        let_go.append(time.monotonic())

    listening = threading.Thread(target=listen)
    listening.start()
    asked = time.monotonic()
    engine.stop(made)
    answered = time.monotonic()
    listening.join(30)
    assert asked + 0.5 <= let_go[0] <= answered + 0.5  # a thread of a busy machine looks at the clock late
    session.close()


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_files_go_in_and_come_out(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    engine.put_archive(made, "/tmp", tar_of({"a/b.txt": b"hello"}))
    stat, blocks = engine.get_archive(made, "/tmp/a/b.txt")
    assert (stat["name"], stat["size"]) == ("b.txt", 5)
    with tarfile.open(fileobj=io.BytesIO(b"".join(blocks))) as tar:
        member = tar.extractfile("b.txt")
        assert member is not None
        assert member.read() == b"hello"


def test_an_archive_may_be_a_stream(engine: DockerEngine, run: Run) -> None:
    made = run("true", started=False)
    archive = tar_of({"big": bytes(3_000_000)})
    engine.put_archive(made, "/", (archive[at : at + 50_000] for at in range(0, len(archive), 50_000)))
    stat = engine.stat_path(made, "/big")
    assert stat is not None
    assert stat["size"] == 3_000_000


def test_an_archive_that_is_not_read_to_its_end_does_not_hold_the_container(
    engine: DockerEngine, run: Run
) -> None:
    made = run(FOREVER)
    engine.put_archive(made, "/tmp", tar_of({"big": bytes(5_000_000)}))
    _, closed = engine.get_archive(made, "/tmp/big")
    next(closed)
    closed.close()
    assert engine.stat_path(made, "/tmp/big")
    _, forgotten = engine.get_archive(made, "/tmp/big")
    next(forgotten)
    del forgotten
    assert engine.stat_path(made, "/tmp/big")


def test_stat_tells_a_path_that_is_not_there_from_a_container_that_is_not(
    engine: DockerEngine, run: Run
) -> None:
    assert engine.stat_path(run("true", started=False), "/no/such") is None
    with pytest.raises(NotFoundError):
        engine.stat_path("no-such-container", "/etc")


def test_putting_files_into_a_folder_that_is_not_there_is_an_error(engine: DockerEngine, run: Run) -> None:
    with pytest.raises(NotFoundError):
        engine.put_archive(run("true", started=False), "/no/such", tar_of({"x": b""}))

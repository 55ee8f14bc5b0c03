"""Logs and events of a real engine."""

from __future__ import annotations

import os
import threading
import time

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.protocol import LogStream
from invoke_devstack.engine.transport.streams import LogOfContainer
from invoke_devstack.planning.labels import PROJECT
from tests.engine.conftest import Run

SILENCE = float(os.environ.get("DEVSTACK_SILENCE", "1.5"))  # seconds


def collected(log: LogStream) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for stream, block in log:
        found[stream] = found.get(stream, b"") + block
    return found


def test_logs_tell_the_two_streams_apart(engine: DockerEngine, run: Run) -> None:
    made = run("for i in 1 2 3; do echo out $i; echo err $i >&2; done")
    engine.wait(made)
    assert collected(engine.logs(made)) == {
        "stdout": b"out 1\nout 2\nout 3\n",
        "stderr": b"err 1\nerr 2\nerr 3\n",
    }


def test_logs_keep_every_line_of_a_hundred_thousand(engine: DockerEngine, run: Run) -> None:
    made = run("seq 100000; seq 1000 >&2; seq 100001 200000")
    engine.wait(made)
    found = collected(engine.logs(made))
    assert found["stdout"] == b"".join(b"%d\n" % number for number in range(1, 200001))
    assert found["stderr"] == b"".join(b"%d\n" % number for number in range(1, 1001))


def test_lines_that_look_like_frames_are_lines(engine: DockerEngine, run: Run) -> None:
    made = run(r"for i in 1 2 3; do printf '\001\000\000\000\000\000\000\005hello\n'; done")
    engine.wait(made)
    assert collected(engine.logs(made)) == {"stdout": b"\x01\0\0\0\0\0\0\x05hello\n" * 3}


def test_logs_of_a_terminal_have_no_frames(engine: DockerEngine, run: Run) -> None:
    made = run("echo one; echo two >&2", Tty=True)
    engine.wait(made)
    assert collected(engine.logs(made, tty=True)) == {"stdout": b"one\r\ntwo\r\n"}


def test_tail_and_timestamps(engine: DockerEngine, run: Run) -> None:
    made = run("seq 10")
    engine.wait(made)
    lines = collected(engine.logs(made, tail=2, timestamps=True))["stdout"].splitlines()
    assert [line.split(b" ")[1] for line in lines] == [b"9", b"10"]
    stamp = lines[1].split(b" ")[0].decode()
    assert collected(engine.logs(made, since=stamp))["stdout"].endswith(b"10\n")
    assert collected(engine.logs(made, tail=0)) == {}
    assert collected(engine.logs(made, until="1")) == {}


def test_following_gives_lines_as_they_come_and_ends_with_the_container(
    engine: DockerEngine, run: Run
) -> None:
    """The script prints each line once it is told that the one before was seen."""
    made = run("for i in 1 2 3; do echo $i; until [ -e /tmp/$i ]; do sleep 0.05; done; done")
    seen = b""
    for _, block in engine.logs(made, follow=True):
        seen += block
        for line in block.decode().splitlines():
            assert engine.exec(made, ["touch", f"/tmp/{line}"]).exit_code == 0
    assert seen == b"1\n2\n3\n"


def test_closing_a_log_from_another_thread_ends_it_at_once(engine: DockerEngine, run: Run) -> None:
    log = engine.logs(run("echo hello; sleep 60"), follow=True)
    ended = threading.Event()

    def read() -> None:
        collected(log)
        ended.set()

    threading.Thread(target=read).start()
    time.sleep(0.3)
    log.close()
    assert ended.wait(30)  # before the container ends


@pytest.mark.timeout(SILENCE + 60)
def test_a_silent_log_has_no_time_out(engine: DockerEngine, run: Run) -> None:
    """The socket itself has none: minutes of silence are no different from seconds. A long run waits for
    them all the same (`DEVSTACK_SILENCE=300`)."""
    log = engine.logs(run(f"sleep {SILENCE}; echo late"), follow=True)
    assert isinstance(log, LogOfContainer)
    assert log._stream.socket.gettimeout() is None
    assert collected(log) == {"stdout": b"late\n"}


def test_events_come_from_the_moment_of_asking(engine: DockerEngine, run: Run, project: str) -> None:
    events = engine.events({"label": [f"{PROJECT}={project}"], "type": ["container"]})
    made = run("exit 6")
    seen = []
    for event in events:
        seen.append(event)
        if event.action == "die":
            break
    assert [event.action for event in seen if event.action in ("create", "start", "die")] == [
        "create",
        "start",
        "die",
    ]
    assert {event.id for event in seen} == {made}
    assert seen[-1].attributes["exitCode"] == "6"
    assert abs(seen[-1].time - time.time()) < 60
    events.close()


def test_closing_events_ends_them(engine: DockerEngine) -> None:
    events = engine.events({"type": ["plugin"]})
    threading.Timer(0.2, events.close).start()
    assert list(events) == []

"""An engine that takes a connection and does not answer is said to hang."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.transport import hang_warning as silence


def _answer_late(listener: socket.socket, seconds: float) -> None:
    connection, _ = listener.accept()
    connection.recv(4096)
    time.sleep(seconds)
    connection.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nContent-Length: 2\r\n\r\nOK")


@pytest.mark.parametrize(("late", "times"), [(1.6, 1), (0.0, 0)])
def test_a_late_answer_is_told_once_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: float, times: int
) -> None:
    monkeypatch.setattr(silence, "SECONDS", 1.0)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "engine.sock"))
    listener.listen()
    thread = threading.Thread(target=_answer_late, args=(listener, late))
    thread.start()
    told: list[float] = []
    endpoint = Endpoint(f"unix://{tmp_path / 'engine.sock'}", "test")
    engine = connect(0.1, endpoint=endpoint, patience=30.0, on_hang=told.append)
    engine.close()
    thread.join()
    listener.close()
    assert told == [1.0] * times

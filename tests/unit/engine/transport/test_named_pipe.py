"""A named pipe becomes an ordinary socket; here, a socket stands for the pipe."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from invoke_devstack.engine.transport.dialing import readable
from invoke_devstack.engine.transport.named_pipe import PipeSocket, dial_pipe

PATIENCE = 60.0  # seconds


class Pipe:
    """The methods of the SDK's class, with an empty message as the end of what is sent."""

    def __init__(self, near: socket.socket) -> None:
        self._near = near
        self.recv_into, self.sendall = near.recv_into, near.sendall

    def send(self, data: bytes) -> int:
        if not data:
            self._near.shutdown(socket.SHUT_WR)
        return self._near.send(data) if data else 0

    def close(self) -> None:
        self._near.shutdown(socket.SHUT_RDWR)
        self._near.close()


@pytest.fixture
def ends() -> Iterator[tuple[PipeSocket, socket.socket]]:
    """Our end, and the engine's."""
    near, engine = socket.socketpair()
    engine.settimeout(PATIENCE)
    ours = PipeSocket.on(Pipe(near), PATIENCE)
    yield ours, engine
    ours.close()
    engine.close()


def test_bytes_pass_both_ways_and_can_be_waited_for(ends: tuple[PipeSocket, socket.socket]) -> None:
    ours, engine = ends
    ours.sendall(b"asked")
    assert engine.recv(9) == b"asked"
    assert readable([ours.fileno()], 0) == set()
    engine.sendall(b"answered")
    assert readable([ours.fileno()], PATIENCE) == {ours.fileno()}
    assert ours.recv(9) == b"answered"


def test_the_end_of_what_is_sent_arrives_and_the_answer_still_comes(
    ends: tuple[PipeSocket, socket.socket],
) -> None:
    ours, engine = ends
    ours.sendall(b"all")
    ours.shutdown(socket.SHUT_WR)
    assert [engine.recv(9), engine.recv(9)] == [b"all", b""]
    engine.sendall(b"late")
    assert ours.recv(9) == b"late"


def test_the_end_of_an_answer_is_the_end_here(ends: tuple[PipeSocket, socket.socket]) -> None:
    ours, engine = ends
    engine.sendall(b"last")
    engine.close()
    assert [ours.recv(9), ours.recv(9)] == [b"last", b""]


@pytest.mark.parametrize("end", [PipeSocket.close, lambda ours: ours.shutdown(socket.SHUT_RDWR)])
def test_closing_it_closes_the_pipe(end: object, ends: tuple[PipeSocket, socket.socket]) -> None:
    ours, engine = ends
    assert callable(end)
    end(ours)
    assert engine.recv(9) == b""


class PywinError(Exception):
    """As pywin32 raises it: no OSError."""

    winerror = 2


def test_a_missing_pipe_is_an_error_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    import docker.transport

    class Missing:
        def connect(self, path: str) -> None:
            raise PywinError(2, "CreateFile", "The system cannot find the file specified.")

    monkeypatch.setattr(docker.transport, "NpipeSocket", Missing, raising=False)
    with pytest.raises(FileNotFoundError) as caught:
        dial_pipe("//./pipe/docker_engine", 1.0)
    assert caught.value.errno == errno.ENOENT

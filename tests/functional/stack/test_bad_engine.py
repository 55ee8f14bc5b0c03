"""An engine that is too old, refuses permission, or goes away in the middle."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.functional.conftest import Project, invoke_command

ONE = "services: {one: {image: IMAGE, init: true, command: [sleep, '600']}}"
ENGINE = "/var/run/docker.sock"


class Proxy:
    """Stands between us and the engine; breaks every connection, for good, once `fatal` goes by."""

    def __init__(self, path: Path, fatal: bytes) -> None:
        self._fatal = fatal
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self.broken = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(ENGINE)
                self._open += [ours, theirs]
                for source, target in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 16):
                if self._fatal in block:
                    self.close()
                    return
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.broken.set()
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def old_engine(tmp_path: Path) -> Iterator[Path]:
    """Answers every request as Engine 17.03 would answer a ping."""
    path = tmp_path / "old.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    answer = b"HTTP/1.1 200 OK\r\nApi-Version: 1.27\r\nServer: Docker/17.03.0-ce (linux)\r\n"
    answer += b"Content-Length: 2\r\nConnection: close\r\n\r\nOK"

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    yield path
    listener.close()


def test_an_engine_that_is_too_old(new_project: Callable[..., Project], old_engine: Path) -> None:
    project = new_project(ONE, variables={"DOCKER_HOST": f"unix://{old_engine}"})
    ended = project.invoke("up")
    assert ended.code == 1
    assert "error:" in ended.err
    assert "17.03" in ended.err
    assert "hint:" in ended.err
    assert "Traceback" not in ended.err


def test_an_engine_that_goes_away_in_the_middle_of_up(
    new_project: Callable[..., Project], tmp_path: Path
) -> None:
    proxy = Proxy(tmp_path / "p.sock", fatal=b"/start HTTP")
    project = new_project(ONE)
    project.variables["DOCKER_HOST"] = f"unix://{tmp_path / 'p.sock'}"
    ended = project.invoke("up")
    assert proxy.broken.is_set()
    assert ended.code == 1, ended.err
    assert "error:" in ended.err
    assert "hint:" in ended.err
    assert "Traceback" not in ended.err
    del project.variables["DOCKER_HOST"]
    assert project.invoke("up").code == 0
    assert project.container("one").status == "running"


def test_an_engine_that_refuses_permission(new_project: Callable[..., Project], tmp_path: Path) -> None:
    path = tmp_path / "closed.sock"
    without_rights: tuple[str, ...] = ()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        if os.geteuid() == 0:  # permissions bind root too, once it has no capability to pass them over
            os.chown(path, 65534, 65534)
            without_rights = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
        project = new_project(ONE, variables={"DOCKER_HOST": f"unix://{path}"})
        ended = project.run(*without_rights, invoke_command(), "up")
    assert ended.code == 1
    assert "no permission for the engine" in ended.err
    assert "hint:" in ended.err
    assert "Traceback" not in ended.err

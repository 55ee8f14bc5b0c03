"""A connection through ssh, closed by the thread that reads it and by the one that wants it to end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from invoke_devstack.engine.transport.dialing import SshSocket


def test_two_threads_may_close_it_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\nexec cat\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    errors: list[BaseException] = []

    def close(connection: SshSocket, together: threading.Barrier) -> None:
        together.wait()
        try:
            connection.close()
        except BaseException as error:
            errors.append(error)

    for _ in range(40):
        connection, together = SshSocket.open("ssh://host", 5.0), threading.Barrier(4)
        threads = [threading.Thread(target=close, args=(connection, together)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []

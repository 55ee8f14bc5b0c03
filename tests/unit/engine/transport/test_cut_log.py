"""A log whose last frame does not come whole is an error, after all that came."""

from __future__ import annotations

from typing import cast

import pytest

from invoke_devstack.engine.transport.api import Api, RawStream
from invoke_devstack.engine.transport.failures import cut_off
from invoke_devstack.engine.transport.streams import LogOfContainer
from invoke_devstack.errors import EngineUnavailableError

FRAMES = b"\x01\0\0\0\0\0\0\x04one\n\x01\0\0\0\0\0\0\x04two\n"


class _Stream:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.log: LogOfContainer | None = None

    def read(self, size: int) -> bytes:
        block, self._data = self._data[:size], self._data[size:]
        if not block and self.log is not None:
            self.log.close()
        return block

    def close(self) -> None: ...


class _Api:
    def cut_off(self, what: str) -> BaseException:
        return cut_off("unix:///e.sock", what)

    def invalid_stream(self, what: str) -> Exception:
        return ValueError(what)


def log_of(stream: _Stream, *, tty: bool = False) -> LogOfContainer:
    return LogOfContainer(cast(RawStream, stream), cast(Api, _Api()), tty=tty)


@pytest.mark.parametrize(("end", "seen"), [(23, b"one\ntwo"), (21, b"one\nt"), (15, b"one\n"), (3, b"")])
def test_a_log_that_ends_in_a_frame_is_an_error(end: int, seen: bytes) -> None:
    found = bytearray()
    with pytest.raises(EngineUnavailableError, match="closed the connection in the middle of a log"):
        for _, data in log_of(_Stream(FRAMES[:end])):
            found += data
    assert found == seen


def test_a_whole_log_and_one_of_a_terminal_end_well() -> None:
    assert b"".join(data for _, data in log_of(_Stream(FRAMES))) == b"one\ntwo\n"
    assert b"".join(data for _, data in log_of(_Stream(b"one"), tty=True)) == b"one"


def test_a_log_that_we_close_ourselves_is_not_cut_off() -> None:
    stream = _Stream(FRAMES[:21])
    stream.log = log_of(stream)
    assert b"".join(data for _, data in stream.log) == b"one\nt"

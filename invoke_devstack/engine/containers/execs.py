"""Commands in containers, and files copied in and out."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, Unpack

from invoke_devstack.engine.protocol import Blocks, ExecResult, ExecSession, ExecSettings
from invoke_devstack.engine.transport import shapes
from invoke_devstack.engine.transport.api import Api, RawStream, decode_line, path_of
from invoke_devstack.engine.transport.failures import invalid
from invoke_devstack.engine.transport.frames import Demultiplexer
from invoke_devstack.engine.transport.http import ERRORS, Answer
from invoke_devstack.errors import DevstackError, EngineError, NotFoundError

CHUNK = 1 << 16
_CODE_AFTER = 30.0  # seconds in which an engine knows the exit code of a command that has ended
_MOST_PAUSE = 0.1  # seconds between two looks at its state
_MOST_OUTPUT = 1 << 25  # bytes of a command whose output is kept
_PING_AFTER = 1.5  # seconds of a command, before the engine is pinged


class Execs:
    """The part of the engine that reaches into containers."""

    _api: Api

    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        timeout: float | None = None,
        **settings: Unpack[ExecSettings],
    ) -> ExecResult:
        """See `Engine.exec`. The engine cannot end an exec: after a timeout the command goes on."""
        exec_id = self._create_exec(container, command, **settings)
        stream = self._api.open("POST", f"/exec/{exec_id}/start", body={"Detach": False, "Tty": False})
        # A command may be silent for long, and so is an engine that hangs: a ping tells them apart.
        ping = threading.Timer(_PING_AFTER, self._ping)
        ping.daemon = True
        ping.start()
        try:
            output = self._read_all(stream, timeout)
        finally:
            ping.cancel()
            stream.close()
        return ExecResult(exit_code=exec_code(self._api, exec_id), output=output)

    def _ping(self) -> None:
        with suppress(DevstackError):
            self._api.send("GET", "/_ping", versioned=False)

    def exec_detached(self, container: str, command: Sequence[str], **settings: Unpack[ExecSettings]) -> None:
        exec_id = self._create_exec(container, command, **settings)
        self._api.post(f"/exec/{exec_id}/start", {"Detach": True, "Tty": False})

    def open_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        tty: bool,
        stdin: bool,
        **settings: Unpack[ExecSettings],
    ) -> ExecSession:
        exec_id = self._create_exec(container, command, tty=tty, stdin=stdin, **settings)
        stream = self._api.open(
            "POST",
            f"/exec/{exec_id}/start",
            body={"Detach": False, "Tty": tty},
            upgrade=True,
            changes=True,  # a command that somebody typed, not a probe
        )
        return ExecOfContainer(self._api, stream, exec_id, tty=tty)

    def attach(self, container: str, *, tty: bool, stdin: bool, detach_keys: str = "") -> ExecSession:
        params = {
            "stream": True,
            "stdout": True,
            "stderr": True,
            "stdin": stdin,
            "detachKeys": detach_keys,
        }
        stream = self._api.open("POST", path_of(container, "/attach"), params, upgrade=True)
        return AttachedContainer(self._api, stream, container, tty=tty)

    def put_archive(
        self,
        container: str,
        path: str,
        archive: bytes | BinaryIO | Iterable[bytes],
        *,
        keep_kinds: bool = False,
    ) -> None:
        self._api.send(
            "PUT",
            path_of(container, "/archive"),
            {"path": path, "noOverwriteDirNonDir": keep_kinds or None},
            data=archive,
            headers={"Content-Type": "application/x-tar"},
            seconds=None,
        )

    def get_archive(self, container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        where = path_of(container, "/archive")
        answer = self._api.send("GET", where, {"path": path}, stream=True, seconds=None)
        return self._stat(answer.headers), ArchiveBlocks(answer, self._api)

    def export(self, container: str) -> Blocks:
        answer = self._api.send("GET", path_of(container, "/export"), stream=True, seconds=None)
        return ArchiveBlocks(answer, self._api)

    def stat_path(self, container: str, path: str) -> Mapping[str, Any] | None:
        """name, size (bytes), mode (Go's os.FileMode), mtime (RFC 3339), linkTarget; None if it does not
        exist."""
        try:
            where = path_of(container, "/archive")
            return self._stat(self._api.send("HEAD", where, {"path": path}).headers)
        except NotFoundError:
            self._api.get(path_of(container, "/json"), shapes.CONTAINER)  # raises for the container itself
            return None

    def _create_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        tty: bool = False,
        stdin: bool = False,
        **settings: Unpack[ExecSettings],
    ) -> str:
        body = {
            "Cmd": list(command),
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": tty,
            "User": settings.get("user", ""),
            "WorkingDir": settings.get("working_dir", ""),
            "Env": list(settings.get("environment", ())),
            "Privileged": settings.get("privileged", False),
        }
        return str(
            self._api.post(path_of(container, "/exec"), body, shape=shapes.CREATED, changes=False)["Id"]
        )

    def _read_all(self, stream: RawStream, timeout: float | None) -> bytes:
        """The data of all frames. Raises TimeoutError after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        frames = Demultiplexer(self._api.invalid_stream)
        output = bytearray()
        while len(output) <= _MOST_OUTPUT:
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError("the command took too long")
                stream.socket.settimeout(left)
            block = stream.read()
            for _, data in frames.feed(block) if block else frames.finish():
                output += data
            if not block:
                return bytes(output)
        raise EngineError(f"the output of a command is larger than {_MOST_OUTPUT >> 20} MB")

    def _stat(self, headers: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            encoded = base64.b64decode(headers.get("X-Docker-Container-Path-Stat", ""))
        except ValueError:
            encoded = b""
        stat: Mapping[str, Any] = decode_line(encoded, shapes.STAT, self._api.url)
        return stat


class ArchiveBlocks:
    """See `Blocks`. Closes itself when it is garbage-collected."""

    def __init__(self, answer: Answer, api: Api) -> None:
        self._answer = answer
        self._blocks: Iterator[bytes] = answer.blocks(CHUNK)
        self._api = api

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._blocks)
        except ERRORS as error:
            self.close()
            raise self._api.lost(error) from error

    def close(self) -> None:
        self._answer.close()

    def __del__(self) -> None:
        self.close()


def exec_code(api: Api, exec_id: str) -> int:
    """The exit code of an exec whose stream has ended. The engine knows it a moment after it closes the
    stream. After a signal, that moment is all that is waited for."""
    pause, until = 0.001, time.monotonic() + _CODE_AFTER
    while time.monotonic() < until:
        state = api.get(f"/exec/{exec_id}/json", shapes.EXEC)
        if not state["Running"] and state.get("ExitCode") is not None:
            return int(state["ExitCode"])
        if pause >= _MOST_PAUSE and (ending := api.traffic.ending()):
            raise ending
        time.sleep(pause)
        pause = min(pause * 2, _MOST_PAUSE)
    raise invalid(api.url, "GET /exec/…/json", "a command whose output has ended still runs")


class _Session:
    """Reads from and writes to a raw stream; subclasses know its exit code and terminal."""

    def __init__(self, api: Api, stream: RawStream, name: str, *, tty: bool) -> None:
        self._api = api
        self._stream = stream
        self._name = name
        self._frames = None if tty else Demultiplexer(api.invalid_stream)
        self._ready: list[tuple[str, bytes]] = []

    def fileno(self) -> int:
        return self._stream.socket.fileno()

    def read(self, size: int = 65536) -> tuple[str, bytes]:
        while not self._ready:
            block = self._stream.read(size)
            if not block or self._frames is None:
                return "stdout", block
            self._ready.extend(self._frames.feed(block))
        return self._ready.pop(0)

    def pending(self) -> bool:
        """Whether `read` returns without waiting for the socket: check it before a `select` on `fileno`."""
        return bool(self._ready) or self._stream.has_buffered

    def write(self, data: bytes) -> None:
        self._stream.write(data)

    def close_write(self) -> None:
        self._stream.close_write()

    def close(self) -> None:
        self._stream.close()


class ExecOfContainer(_Session):
    """A command in a container."""

    def resize(self, rows: int, columns: int) -> None:
        self._api.post(f"/exec/{self._name}/resize", params={"h": rows, "w": columns})

    def exit_code(self) -> int:
        return exec_code(self._api, self._name)


class AttachedContainer(_Session):
    """A container's own main process."""

    def resize(self, rows: int, columns: int) -> None:
        self._api.post(path_of(self._name, "/resize"), params={"h": rows, "w": columns})

    def exit_code(self) -> int:
        """Raises NotFoundError if the engine has removed the container (`AutoRemove`)."""
        answer = self._api.post(
            path_of(self._name, "/wait"),
            params={"condition": "not-running"},
            shape=shapes.WAITED,
            seconds=None,
            changes=False,
        )
        return int(answer["StatusCode"])

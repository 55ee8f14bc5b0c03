"""Commands inside containers, and files put in and taken out."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from invoke_devstack.engine.api import Api, RawStream
from invoke_devstack.engine.containers import path_of
from invoke_devstack.engine.failures import lost
from invoke_devstack.engine.frames import Demultiplexer
from invoke_devstack.engine.http import ERRORS, Answer
from invoke_devstack.engine.protocol import Blocks, ExecResult, ExecSession
from invoke_devstack.errors import DevstackError, NotFoundError

CHUNK = 1 << 16
_SIGN_AFTER = 1.5  # seconds of a command after which the engine is asked whether it is still there


class Execs:
    """The part of the engine that reaches into containers."""

    _api: Api

    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str = "",
        working_dir: str = "",
        environment: Sequence[str] = (),
        privileged: bool = False,
        timeout: float | None = None,
    ) -> ExecResult:
        """See `Engine.exec`. The engine has no way to end an exec: after a time-out the command goes on."""
        exec_id = self._create_exec(
            container,
            command,
            user=user,
            working_dir=working_dir,
            environment=environment,
            privileged=privileged,
        )
        stream = self._api.open("POST", f"/exec/{exec_id}/start", body={"Detach": False, "Tty": False})
        # A command may be silent for long, and an engine that hangs is as silent: it is asked for a sign.
        sign = threading.Timer(_SIGN_AFTER, self._ask_for_a_sign)
        sign.daemon = True
        sign.start()
        try:
            output = _read_all(stream, timeout)
        finally:
            sign.cancel()
            stream.close()
        return ExecResult(exit_code=self._exec_code(exec_id), output=output)

    def _ask_for_a_sign(self) -> None:
        with suppress(DevstackError):
            self._api.send("GET", "/_ping", versioned=False)

    def open_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        tty: bool,
        stdin: bool,
        user: str = "",
        working_dir: str = "",
        environment: Sequence[str] = (),
        privileged: bool = False,
    ) -> ExecSession:
        exec_id = self._create_exec(
            container,
            command,
            user=user,
            working_dir=working_dir,
            environment=environment,
            privileged=privileged,
            tty=tty,
            stdin=stdin,
        )
        stream = self._api.open(
            "POST", f"/exec/{exec_id}/start", body={"Detach": False, "Tty": tty}, upgrade=True
        )
        return ExecOfContainer(self._api, stream, exec_id, tty=tty)

    def attach(self, container: str, *, tty: bool, stdin: bool) -> ExecSession:
        params = {"stream": True, "stdout": True, "stderr": True, "stdin": stdin}
        stream = self._api.open("POST", path_of(container, "/attach"), params, upgrade=True)
        return AttachedContainer(self._api, stream, container, tty=tty)

    def put_archive(self, container: str, path: str, archive: bytes | BinaryIO | Iterable[bytes]) -> None:
        self._api.send(
            "PUT",
            path_of(container, "/archive"),
            {"path": path},
            data=archive,
            headers={"Content-Type": "application/x-tar"},
            seconds=None,
        )

    def get_archive(self, container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        where = path_of(container, "/archive")
        answer = self._api.send("GET", where, {"path": path}, stream=True, seconds=None)
        return _stat(answer.headers), ArchiveBlocks(answer, self._api.url)

    def stat_path(self, container: str, path: str) -> Mapping[str, Any] | None:
        """name, size (bytes), mode (Go's os.FileMode), mtime (RFC 3339), linkTarget; None if not there."""
        try:
            return _stat(self._api.send("HEAD", path_of(container, "/archive"), {"path": path}).headers)
        except NotFoundError:
            self._api.get(path_of(container, "/json"))  # raises for the container itself
            return None

    def _create_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str,
        working_dir: str,
        environment: Sequence[str],
        privileged: bool,
        tty: bool = False,
        stdin: bool = False,
    ) -> str:
        body = {
            "Cmd": list(command),
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": tty,
            "User": user,
            "WorkingDir": working_dir,
            "Env": list(environment),
            "Privileged": privileged,
        }
        return str(self._api.post(path_of(container, "/exec"), body)["Id"])

    def _exec_code(self, exec_id: str) -> int:
        return exec_code(self._api, exec_id)


class ArchiveBlocks:
    """See `Blocks`. One that nobody keeps closes itself."""

    def __init__(self, answer: Answer, url: str) -> None:
        self._answer = answer
        self._blocks: Iterator[bytes] = answer.blocks(CHUNK)
        self._url = url

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._blocks)
        except ERRORS as error:
            self.close()
            raise lost(error, self._url) from error

    def close(self) -> None:
        self._answer.close()

    def __del__(self) -> None:
        self.close()


def exec_code(api: Api, exec_id: str) -> int:
    """The exit code of an exec whose stream has ended. The engine closes the stream a moment before it
    knows the code."""
    pause = 0.001
    while True:
        state = api.get(f"/exec/{exec_id}/json")
        if not state["Running"] and state["ExitCode"] is not None:
            return int(state["ExitCode"])
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def _read_all(stream: RawStream, timeout: float | None) -> bytes:
    """All frames' data until the end. Raises TimeoutError after `timeout` seconds."""
    deadline = None if timeout is None else time.monotonic() + timeout
    frames = Demultiplexer()
    output: list[bytes] = []
    while True:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the command takes too long")
            stream.socket.settimeout(left)
        block = stream.read()
        if not block:
            return b"".join([*output, *(data for _, data in frames.finish())])
        output.extend(data for _, data in frames.feed(block))


def _stat(headers: Mapping[str, str]) -> Mapping[str, Any]:
    stat: Mapping[str, Any] = json.loads(base64.b64decode(headers["X-Docker-Container-Path-Stat"]))
    return stat


class _Session:
    """Both ways of a raw stream; subclasses know whose code and size it is."""

    def __init__(self, api: Api, stream: RawStream, name: str, *, tty: bool) -> None:
        self._api = api
        self._stream = stream
        self._name = name
        self._frames = None if tty else Demultiplexer()
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
        """Whether `read` answers without waiting for the socket: ask before a `select` on `fileno`."""
        return bool(self._ready) or self._stream.has_buffered

    def write(self, data: bytes) -> None:
        self._stream.write(data)

    def close_write(self) -> None:
        self._stream.close_write()

    def close(self) -> None:
        self._stream.close()


class ExecOfContainer(_Session):
    """A command that runs in a container."""

    def resize(self, rows: int, columns: int) -> None:
        self._api.post(f"/exec/{self._name}/resize", params={"h": rows, "w": columns})

    def exit_code(self) -> int:
        return exec_code(self._api, self._name)


class AttachedContainer(_Session):
    """A container's own main process."""

    def resize(self, rows: int, columns: int) -> None:
        self._api.post(path_of(self._name, "/resize"), params={"h": rows, "w": columns})

    def exit_code(self) -> int:
        """Raises NotFoundError when the container was removed by the engine (`AutoRemove`)."""
        answer = self._api.post(
            path_of(self._name, "/wait"), params={"condition": "not-running"}, seconds=None
        )
        return int(answer["StatusCode"])

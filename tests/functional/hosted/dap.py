"""A small client of the Debug Adapter Protocol (https://microsoft.github.io/debug-adapter-protocol/), which
editors speak with debugpy."""

from __future__ import annotations

import itertools
import json
import socket
import time
from typing import Any

Message = dict[str, Any]


class Debugger:
    """What an editor does when it attaches to `python -m debugpy --listen PORT`."""

    def __init__(self, port: int, *, within: float = 60.0) -> None:
        self._connection = _connect(port, within)
        self._file = self._connection.makefile("rwb")
        self._numbers = itertools.count(1)
        self._events: list[Message] = []

    def attach(self, breakpoints: dict[str, list[int]]) -> None:
        """`breakpoints` are lines by file."""
        self.request("initialize", adapterID="test", linesStartAt1=True, pathFormat="path")
        attached = self._send("attach", {"justMyCode": False, "subProcess": False})
        self.event("initialized")
        for file, lines in breakpoints.items():
            wanted = [{"line": line} for line in lines]
            answer = self.request("setBreakpoints", source={"path": file}, breakpoints=wanted)
            assert all(item["verified"] for item in answer["breakpoints"])
        self.request("configurationDone")
        self._answer(attached)

    def request(self, command: str, **arguments: Any) -> Message:
        return self._answer(self._send(command, arguments))

    def event(self, name: str) -> Message:
        """The next event of that name, now or later."""
        while True:
            for found in self._events:
                if found["event"] == name:
                    self._events.remove(found)
                    return dict(found.get("body") or {})
            self._events.append(self._read("event"))

    def close(self) -> None:
        self._file.close()
        self._connection.close()

    def _send(self, command: str, arguments: Message) -> int:
        number = next(self._numbers)
        text = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments})
        self._file.write(f"Content-Length: {len(text.encode())}\r\n\r\n{text}".encode())
        self._file.flush()
        return number

    def _answer(self, number: int) -> Message:
        while True:
            message = self._read()
            if message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return dict(message.get("body") or {})
            if message["type"] == "event":
                self._events.append(message)

    def _read(self, kind: str = "") -> Message:
        while True:
            length = 0
            while line := self._file.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            message: Message = json.loads(self._file.read(length))
            if not kind or message["type"] == kind:
                return message


def _connect(port: int, within: float) -> socket.socket:
    end = time.monotonic() + within
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=within)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)

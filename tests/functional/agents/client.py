"""The official client of the protocol, connected to `invoke mcp`; and a raw one, which can die."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult

from invoke_devstack.mcp.budget import tokens, tokens_of
from tests.functional.conftest import Project, invoke_command

PATIENCE = 60.0  # seconds, on a loaded machine
MOST = 2500  # tokens of an answer with the default limits: its data, and its text


class Agent:
    """A session. `costs` has the tokens of each answer: (tool, of the data, of the text)."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.costs: list[tuple[str, int, int]] = []

    async def call(self, tool: str, *, news: list[str] | None = None, **given: Any) -> CallToolResult:
        async def tell(progress: float, total: float | None, message: str | None) -> None:
            if news is not None:
                news.append(message or "")

        result = await self.session.call_tool(tool, given, progress_callback=tell)
        assert isinstance(result, CallToolResult)
        cost = (tool, tokens_of(result.structured_content), tokens(text_of(result)))
        self.costs.append(cost)
        assert sum(cost[1:]) <= MOST, cost
        return result

    async def done(self, tool: str, **given: Any) -> dict[str, Any]:
        """The data of a call that succeeds."""
        result = await self.call(tool, **given)
        assert not result.is_error, text_of(result)
        data: dict[str, Any] = result.structured_content
        return data

    async def refused(self, tool: str, **given: Any) -> dict[str, Any]:
        """The error of a call that fails."""
        result = await self.call(tool, **given)
        assert result.is_error, text_of(result)
        error: dict[str, Any] = result.structured_content["error"]
        return error


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    return str(getattr(content, "text", ""))


@asynccontextmanager
async def agent(project: Project, *flags: str, **variables: str) -> AsyncIterator[Agent]:
    """A session with a server of its own, which ends with it."""
    server = StdioServerParameters(
        command=invoke_command(),
        args=["mcp", *flags],
        cwd=project.directory,
        env={**project.environment, **variables},
    )
    errors = Path(project.directory, "errors.txt")
    with errors.open("w") as said:
        async with stdio_client(server, errlog=said) as streams, ClientSession(*streams) as session:
            await session.initialize()
            yield Agent(session)
    assert errors.read_text() == ""


class Raw:
    """A client of which a test sees each line, and that it can kill. It ends with the block."""

    def __init__(self, project: Project, *flags: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            (invoke_command(), "mcp", *flags),
            cwd=project.directory,
            env={**project.environment, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._read: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._pass_lines, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        client = {"name": "test", "version": "1"}
        versions = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        self.send(id=1, method="initialize", params=versions)
        self.read()
        self.send(method="notifications/initialized")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def _pass_lines(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def send(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def call(self, number: int, tool: str, **given: Any) -> None:
        params = {"name": tool, "arguments": given, "_meta": {"progressToken": number}}
        self.send(id=number, method="tools/call", params=params)

    def cancel(self, number: int) -> None:
        self.send(method="notifications/cancelled", params={"requestId": number})

    def read(self, until: float | None = None) -> dict[str, Any]:
        """The next message, before `until` (`time.monotonic()`). Whatever is on stdout is one."""
        left = PATIENCE if until is None else until - time.monotonic()
        try:
            line = self._lines.get(timeout=max(left, 0.001))
        except queue.Empty:
            pytest.fail(f"no message came; so far: {''.join(self._read)}")
        self._read.append(line)
        message: dict[str, Any] = json.loads(line)
        return message

    def read_until(self, word: str) -> dict[str, Any]:
        """The first message with this word. Answers come only where one is waited for."""
        until = time.monotonic() + PATIENCE
        while word not in (text := json.dumps(message := self.read(until))):
            assert "result" not in message, text
        return message

    def rest(self) -> tuple[int, str]:
        """(exit code, stderr), once it has ended, after its stdin; whatever else it said is a message."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        assert self.process.stderr is not None
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        while not self._lines.empty():
            json.loads(self._lines.get())
        return code, self.process.stderr.read()

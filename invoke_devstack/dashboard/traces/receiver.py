"""OTLP over HTTP: `/v1/traces`, `/v1/logs` and `/v1/metrics`, in protobuf and JSON.

An ASGI application of its own, since it listens where containers are, with a key that only the stack has. A
request is answered when what it brought is stored.
https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from invoke_devstack.dashboard.traces.bodies import Receive, RefusedError, read_body
from invoke_devstack.errors import UsageError
from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.keeping.writer import Writer
from invoke_devstack.traces.places import KEY_HEADER
from invoke_devstack.traces.receiving import logs, points, spans
from invoke_devstack.traces.receiving.messages import answer_body, error_body, read_message
from invoke_devstack.traces.rows import Taken

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PATHS = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}
_ROWS: dict[str, Callable[[Any, SecretValues], Taken]] = {
    "traces": spans.rows,
    "logs": logs.rows,
    "metrics": points.rows,
}
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_MOST_AT_ONCE = 6
_WAIT = "1"  # seconds after which a sender may try again


class Receiver:
    """Counts what it did not take: `rejected` rows and requests, and `cut` texts."""

    def __init__(self, key: str, writer: Writer, secrets: SecretValues) -> None:
        self._key = key.encode()
        self._writer = writer
        self._secrets = secrets
        self._at_once = asyncio.Semaphore(_MOST_AT_ONCE)
        self.rejected = self.cut = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = _headers_of(scope["headers"])
        is_json = _kind(headers) == _JSON
        try:
            signal = self._check(scope, headers)
            async with self._at_once:
                body = await read_body(receive, _length(headers), headers.get("content-encoding", ""))
                answer = await self._take(signal, body, is_json=is_json)
        except RefusedError as error:
            self.rejected += 1
            await _answer(send, error.status, error_body(error.message, is_json=is_json), is_json=is_json)
        else:
            await _answer(send, 200, answer, is_json=is_json)

    def _check(self, scope: Scope, headers: dict[str, str]) -> str:
        """The signal of the path. The key comes first: who does not have it learns nothing."""
        if not hmac.compare_digest(headers.get(KEY_HEADER, "").encode(), self._key):
            raise RefusedError(401, f"the header {KEY_HEADER} has not the key of this stack")
        signal = _PATHS.get(scope["path"])
        if signal is None:
            raise RefusedError(404, f"there is no such path: {', '.join(_PATHS)}")
        if scope["method"] != "POST":
            raise RefusedError(405, "use POST")
        if _kind(headers) not in (_PROTOBUF, _JSON):
            raise RefusedError(415, f"the content type must be {_PROTOBUF} or {_JSON}")
        return signal

    async def _take(self, signal: str, body: bytes, *, is_json: bool) -> bytes:
        """The response. Raises RefusedError."""
        try:
            taken = _ROWS[signal](read_message(signal, body, is_json=is_json), self._secrets)
        except UsageError as error:
            raise RefusedError(400, f"{error.message}: {error.hint}") from None
        if any(taken.batch):
            await self._store(taken)
        self.rejected += taken.rejected
        self.cut += taken.cut
        return answer_body(signal, taken.rejected, _notes(taken), is_json=is_json)

    async def _store(self, taken: Taken) -> None:
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[bool] = loop.create_future()

        def on_stored(is_stored: bool) -> None:
            loop.call_soon_threadsafe(_resolve, stored, is_stored)

        while not self._writer.add(taken.batch, on_stored):
            await asyncio.sleep(0.02)  # the sender waits too, so that nothing piles up
        if not await stored:
            raise RefusedError(503, self._writer.trouble.text or "traces cannot be stored now")


def _resolve(future: asyncio.Future[bool], value: bool) -> None:
    if not future.done():
        future.set_result(value)


def _notes(taken: Taken) -> str:
    cut = f"{taken.cut} texts, lists or events were cut" if taken.cut else ""
    return "; ".join(filter(None, (taken.why, cut)))


def _headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


def _kind(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 20 else 0


async def _answer(send: Send, status: int, body: bytes, *, is_json: bool) -> None:
    headers = [
        (b"content-type", (_JSON if is_json else _PROTOBUF).encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == 503:
        headers.append((b"retry-after", _WAIT.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

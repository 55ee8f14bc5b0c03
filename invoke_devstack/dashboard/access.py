"""Who may ask what: host names, token, origin, size of a body. Wraps the whole application.

A page of another site can make a browser send requests here, and by DNS rebinding even under its own name. So
the Host must be one of ours, and what acts needs a header that no form can send, and our own Origin.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

from invoke_devstack.dashboard.answers import error_body
from invoke_devstack.records import record

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST_BODY = 64 * 1024
LONGEST_IMPORT = 64 * 1024 * 1024
LONGEST_SNAPSHOT = 64 * 1024**3  # it goes to the disk as it comes
SNAPSHOT_IMPORT = "/api/v1/snapshots/import"
_IMPORTS = {"/api/v1/traces/import": LONGEST_IMPORT, SNAPSHOT_IMPORT: LONGEST_SNAPSHOT}
_JSON, _TAR = "application/json", "application/x-tar"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_READING = ("GET", "HEAD")


@record
class Keys:
    """What opens the door. `cookie` is the name of the cookie that holds the token."""

    token: str
    cookie: str
    port: int

    def set_cookie(self) -> str:
        """The value of `Set-Cookie`."""
        return f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"

    def hosts(self) -> frozenset[str]:
        """What a `Host` may be."""
        return frozenset(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    def is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())


@record
class Refusal:
    """`reason` is for programs. Nothing in it tells whether there is a project."""

    status: int
    text: str
    reason: str = ""
    hint: str = ""


_UNKNOWN = Refusal(401, "no valid token", "token", "Open the address that `invoke dashboard` prints.")
_FOREIGN_HOST = Refusal(403, "this address is not served under that name", "host")
_FOREIGN_SITE = Refusal(403, "requests from another site are refused", "origin")
_NO_HEADER = Refusal(403, "the header `X-Devstack: 1` is missing", "origin")
_NOT_JSON = Refusal(403, f"a POST takes `Content-Type: {_JSON}`", "origin")
_NOT_TAR = Refusal(403, f"an import takes `Content-Type: {_TAR}`", "origin")
_READ_ONLY = Refusal(403, "this dashboard is read-only", "read-only", "Start it without `--read-only`.")


def _too_large(longest: int) -> Refusal:
    return Refusal(413, f"a body may have {longest} bytes", "size")


def _longest(scope: Scope) -> int:
    """How long a body may be, in bytes: what is imported may be long."""
    return _IMPORTS.get(scope["path"], LONGEST_BODY)


class Access:
    """The application behind the door."""

    def __init__(self, app: App, keys: Keys, *, read_only: bool = False) -> None:
        self._app = app
        self._keys = keys
        self._hosts = keys.hosts()
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers_of(scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, send, refusal)
            return
        by_link = self._has_link(scope)
        await self._app(scope, _limited(receive, _longest(scope)), self._finishing(send, by_link))

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
        if headers.get("host", "") not in self._hosts:
            return _FOREIGN_HOST
        if not (self._has_key(headers) or self._has_link(scope)):
            return _UNKNOWN
        if self._is_foreign(headers):
            return _FOREIGN_SITE
        if scope["method"] not in _READING:
            return self._refusal_of_change(headers, scope)
        return None

    def _refusal_of_change(self, headers: Mapping[str, str], scope: Scope) -> Refusal | None:
        if "origin" not in headers and not self._has_bearer(headers):
            return _FOREIGN_SITE
        if headers.get("x-devstack") != "1":
            return _NO_HEADER
        is_snapshot = scope["path"] == SNAPSHOT_IMPORT
        given = headers.get("content-type", "").partition(";")[0].strip().lower()
        if given != (_TAR if is_snapshot else _JSON):
            return _NOT_TAR if is_snapshot else _NOT_JSON
        if self._read_only:
            return _READ_ONLY
        return _too_large(_longest(scope)) if _length(headers) > _longest(scope) else None

    def _is_foreign(self, headers: Mapping[str, str]) -> bool:
        """Whether another site asks. A browser sends the Origin with all that is not a plain visit."""
        origin = headers.get("origin")
        return origin is not None and origin.removeprefix("http://") not in self._hosts

    def _has_key(self, headers: Mapping[str, str]) -> bool:
        return self._has_bearer(headers) or self._keys.is_token(_cookie(headers, self._keys.cookie))

    def _has_bearer(self, headers: Mapping[str, str]) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self._keys.is_token(token.strip())

    def _has_link(self, scope: Scope) -> bool:
        """Whether a person opened the printed address."""
        if scope["method"] != "GET" or scope["path"].startswith("/api/"):
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return self._keys.is_token(given[0])

    def _finishing(self, send: Send, by_link: bool) -> Send:
        added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        if by_link:
            added.append((b"set-cookie", self._keys.set_cookie().encode()))

        async def finish(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        return finish


def _limited(receive: Receive, longest: int) -> Receive:
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > longest:
            raise HTTPException(413, _too_large(longest).text)
        return message

    return receive_some


def _headers_of(scope: Scope) -> dict[str, str]:
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdigit() else LONGEST_SNAPSHOT + 1


def _cookie(headers: Mapping[str, str], name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


async def _refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    if scope["path"].startswith("/api/"):
        kind, body = "application/json", json.dumps(error_body(refusal.text, refusal.reason, refusal.hint))
    else:
        kind, body = "text/plain; charset=utf-8", f"{refusal.text}. {refusal.hint}\n"
    added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store"), *added]
    content = body.encode()
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})

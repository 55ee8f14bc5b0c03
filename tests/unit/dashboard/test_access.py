"""Who gets in: the door alone, without a server behind it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from invoke_devstack.dashboard.access import LONGEST_BODY, Access, Keys

KEYS = Keys("t0k3n", "devstack-shop", 21000)
BEARER = {"authorization": "Bearer t0k3n"}
COOKIE = {"cookie": "devstack-shop=t0k3n"}
ACTING = {"x-devstack": "1", "content-type": "application/json"}
ORIGIN = {"origin": "http://127.0.0.1:21000"}


def ask(
    method: str, path: str, headers: dict[str, str], *, body: int = 0, read_only: bool = False
) -> tuple[int, dict[str, str]]:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        nonlocal body
        size = min(body, 1000)
        body -= size
        return {"type": "http.request", "body": b"x" * size, "more_body": body > 0}

    async def send(message: Any) -> None:
        sent.append(message)

    address, _, query = path.partition("?")
    given = {"host": "127.0.0.1:21000", **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": address,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    try:
        asyncio.run(Access(app, KEYS, read_only=read_only)(scope, receive, send))
    except HTTPException as error:  # the application's to answer
        return error.status_code, {}
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("headers", [BEARER, COOKIE, {**COOKIE, **ORIGIN}, {**BEARER, "host": "[::1]:21000"}])
def test_a_key_opens_it(headers: dict[str, str]) -> None:
    assert ask("GET", "/api/v1/services", headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic t0k3n"},
        {"cookie": "devstack-shop=wrong"},
        {"cookie": "devstack-other=t0k3n"},
        {"cookie": "\x00;;==,"},
        {"authorization": "Bearer \u00e9"},
    ],
)
def test_no_key_no_answer(headers: dict[str, str]) -> None:
    assert ask("GET", "/api/v1/services", headers)[0] == 401
    assert ask("GET", "/api/v1/services?token=t0k3n", headers)[0] == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "", "localhost:21000.evil.example"]
)
def test_a_foreign_host_is_refused_before_the_key_is_looked_at(host: str) -> None:
    assert ask("GET", "/", {**BEARER, "host": host})[0] == 403
    assert ask("GET", "/", {"host": host})[0] == 403


def test_the_printed_link_gives_the_cookie_once() -> None:
    status, headers = ask("GET", "/logs?token=t0k3n", {})
    assert status == 200
    assert headers["set-cookie"] == "devstack-shop=t0k3n; HttpOnly; SameSite=Strict; Path=/"
    assert "set-cookie" not in ask("GET", "/logs", COOKIE)[1]
    assert ask("POST", "/logs?token=t0k3n", ACTING)[0] == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**BEARER, **ACTING}, 200),
        ({**BEARER, **ACTING, **ORIGIN}, 200),
        ({**COOKIE, **ACTING, **ORIGIN}, 200),
        ({**COOKIE, **ACTING}, 403),
        ({**COOKIE, **ACTING, "origin": "null"}, 403),
        ({**COOKIE, **ACTING, "origin": "http://evil.example"}, 403),
        ({**COOKIE, **ACTING, "origin": "https://127.0.0.1:21000"}, 403),
        ({**BEARER, "content-type": "application/json"}, 403),
        ({**BEARER, "x-devstack": "1", "content-type": "text/plain"}, 403),
        ({**BEARER, "x-devstack": "1"}, 403),
    ],
)
def test_an_action_needs_what_no_other_site_can_send(headers: dict[str, str], status: int) -> None:
    assert ask("POST", "/api/v1/actions", headers)[0] == status


def test_a_body_is_limited_whether_or_not_it_says_its_length() -> None:
    ours = {**BEARER, **ACTING}
    assert ask("POST", "/api/v1/actions", {**ours, "content-length": str(10**9)})[0] == 413
    assert ask("POST", "/api/v1/actions", {**ours, "content-length": "-1"})[0] == 413
    assert ask("POST", "/api/v1/actions", ours, body=LONGEST_BODY + 1)[0] == 413
    assert ask("POST", "/api/v1/actions", ours, body=LONGEST_BODY)[0] == 200


def test_read_only_lets_nobody_act() -> None:
    assert ask("POST", "/api/v1/actions", {**BEARER, **ACTING}, read_only=True)[0] == 403
    assert ask("GET", "/api/v1/services", BEARER, read_only=True)[0] == 200


@pytest.mark.parametrize("headers", [BEARER, {}])
def test_every_answer_forbids_foreign_code(headers: dict[str, str]) -> None:
    _, given = ask("GET", "/", headers)
    assert "default-src 'none'" in given["content-security-policy"]
    assert given["x-content-type-options"] == "nosniff"

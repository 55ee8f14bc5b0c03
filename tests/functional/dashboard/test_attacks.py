"""Who must not get in, and what must not break it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_devstack.planning import labels
from tests.functional.conftest import Project
from tests.functional.dashboard.conftest import STACK, Dashboard
from tests.functional.dashboard.served import Served, serving
from tests.proxy import EngineProxy

_JSON = {"X-Devstack": "1", "Content-Type": "application/json"}
_STOP = json.dumps({"task": "stop", "services": [], "options": {}})


@pytest.mark.parametrize("path", ["/", "/logs", "/static/main.js", "/api/v1/services", "/api/v1/nothing"])
@pytest.mark.parametrize("key", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "devstack-x=wrong"}])
def test_without_the_token_nothing_is_told(board: Dashboard, path: str, key: dict[str, str]) -> None:
    status, headers, text = board.served.raw("GET", path, key)
    assert status == 401
    assert board.project.name not in text + str(headers)


def test_the_link_gives_a_cookie_that_scripts_and_other_sites_do_not_get(board: Dashboard) -> None:
    path = f"/?token={board.served.token}"
    status, headers, _ = board.served.raw("GET", path, {})
    cookie = headers["set-cookie"] or ""
    assert status == 200
    assert cookie.startswith(f"devstack-{board.project.name}")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "script-src 'self'" in (headers["content-security-policy"] or "")
    key = {"Cookie": cookie.partition(";")[0]}
    assert board.served.raw("GET", "/api/v1/services", key)[0] == 200
    own = {**key, **_JSON, "Origin": f"http://{board.served.host}"}
    wish = json.dumps({"task": "start", "services": ["web"]})
    assert board.served.raw("POST", "/api/v1/actions", own, wish)[0] == 200
    without_origin = {**key, **_JSON}
    assert board.served.raw("POST", "/api/v1/actions", without_origin, wish)[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"X-Devstack": "0"},
    ],
)
def test_another_site_can_do_nothing(board: Dashboard, headers: dict[str, str]) -> None:
    given = {**board.served.key(), **_JSON, **headers}
    assert board.served.raw("POST", "/api/v1/actions", given, _STOP)[0] == 403
    assert {item["state"] for item in board.served.get("services")[1]} == {"running"}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../access.py",
        "/static/%2e%2e/access.py",
        "/static/..%2faccess.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
        "/../../etc/passwd",
    ],
)
def test_no_file_outside_the_page_is_served(board: Dashboard, path: str) -> None:
    status, _, text = board.served.raw("GET", path, board.served.key())
    assert status == 404
    assert "root:" not in text
    assert "import" not in text


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '{"task": "restrt"}',
        '{"task": "exec"}',
        '{"task": 7}',
        '{"task": "restart", "services": ["wbe"]}',
        '{"task": "restart", "services": "web"}',
        '{"task": "restart", "options": {"tiemout": "1"}}',
        '{"task": "restart", "options": {"timeout": "soon"}}',
        '{"task": "snapshot", "services": []}',
        '{"task": "down", "services": ["web"]}',
        '{"task": "restart", "more": 1}',
        "[" * 60000,
    ],
)
def test_what_no_task_takes_is_refused_with_its_message(board: Dashboard, body: str) -> None:
    status, text = board.served.post("actions", body)
    said = json.loads(text)
    assert (status, said["type"], said["reason"]) == (400, "error", "usage")
    assert said["error"]


def test_a_service_that_is_unknown_is_refused_as_by_the_task(board: Dashboard) -> None:
    task = board.project.invoke("restart", "-s", "wbe")
    _, said = board.served.act("restart", "wbe")
    assert said["error"] in task.err
    assert said["hint"] in task.err


def test_an_import_from_another_site_is_refused(board: Dashboard) -> None:
    headers = {"X-Devstack": "1", "Content-Type": "application/x-tar", "Origin": "http://evil.example"}
    path = "/api/v1/snapshots/import"
    assert board.served.raw("POST", path, {**board.served.key(), **headers}, "x")[0] == 403
    plain = {**board.served.key(), "X-Devstack": "1", "Content-Type": "text/plain"}
    assert board.served.raw("POST", path, plain, "x")[0] == 403


def test_a_huge_body_is_refused_before_it_is_read(board: Dashboard) -> None:
    head = [
        "POST /api/v1/actions HTTP/1.1",
        f"Host: {board.served.host}",
        f"Authorization: Bearer {board.served.token}",
        "X-Devstack: 1",
        "Content-Type: application/json",
    ]
    assert b" 413 " in _talk(board.served, [*head, f"Content-Length: {10**9}"], b"x" * 1000)
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert b" 413 " in _talk(board.served, [*head, "Transfer-Encoding: chunked"], chunk * 4)
    assert board.served.get("project")[0] == 200


def _talk(served: Served, head: list[str], body: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        return connection.recv(4096)


def test_ten_thousand_connections_that_ask_nothing_are_borne(board: Dashboard) -> None:
    held = []
    try:
        for number in range(10_000):
            connection = socket.create_connection(("127.0.0.1", board.served.port), timeout=30)
            connection.sendall(b"GET / HT")
            held.append(connection)
            if len(held) >= 700:  # more than this process may have open
                held.pop(0).close()
            if number % 2500 == 0:
                assert board.served.get("project")[0] == 200
        assert board.served.get("services")[0] == 200
    finally:
        for connection in held:
            connection.close()


def test_while_a_command_holds_the_project_an_action_names_it(board: Dashboard) -> None:
    board.project.write(
        "tasks.py",
        (board.project.directory / "tasks.py").read_text()
        + "\n\n@dev.before('web', always=True)\ndef wait(c):\n    import time\n    time.sleep(600)\n",
    )
    holder = board.project.start("up", "--detach", "--force-recreate", "-s", "web")
    try:
        deadline = time.monotonic() + 120
        lock = {"label": f"{labels.LOCK}={board.project.name}"}
        while not board.project.client.volumes.list(filters=lock):  # until it holds the project
            assert time.monotonic() < deadline
            time.sleep(0.1)
        while (answer := board.served.act("start", "web"))[0] != 409:
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)
        assert answer[1]["reason"] == "busy"
        assert "invoke" in answer[1]["holder"]
        board.served.until("project", lambda found: "pid" in (found["busy"] or {}).get("holder", ""))
        assert "pid" in answer[1]["error"]
    finally:
        holder.terminate()
        holder.wait(60)
    board.served.until("project", lambda found: found["busy"] is None)


def test_read_only_refuses_every_action(board: Dashboard) -> None:
    with serving(board.project, "--read-only") as served:
        assert served.get("project")[1]["read_only"] is True
        for task in ("up", "down", "restart", "own.greet"):
            status, said = served.act(task)
            assert (status, said["reason"]) == (403, "read-only")


def test_the_engine_stops_in_the_middle_of_a_stream_and_comes_back(
    new_project: Callable[..., Project], tmp_path: Path
) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "--detach").code == 0
    socket_ = tmp_path / "engine.sock"
    engine = EngineProxy(socket_, "unix:///var/run/docker.sock")
    project.variables["DOCKER_HOST"] = engine.url
    with serving(project) as served, served.stream() as tab:
        served.until("project", lambda found: found["engine"]["state"] == "up")
        engine.close()
        tab.wait(lambda item: item["event"] == "project" and item["data"]["engine"]["state"] == "away")
        status, said = served.act("restart", "web")
        assert status == 503 or said[-1]["exit_code"] == 1
        assert {item["service"] for item in served.get("services")[1]} == {"db", "web"}
        assert served.get("plan")[0] == 503
        again = EngineProxy(socket_, "unix:///var/run/docker.sock")
        served.until("project", lambda found: found["engine"]["state"] == "up")
        assert served.act("restart", "web")[1][-1]["exit_code"] == 0
        assert not tab.ended.is_set()
        again.close()


def test_ten_tabs_are_told_the_same(board: Dashboard) -> None:
    seen: list[str] = []

    def watch() -> None:
        with board.served.stream() as tab:
            tab.wait_for("services")
            ready.wait(60)
            found = tab.wait(lambda item: item["event"] == "service" and item["data"]["state"] == "paused")
            seen.append(found["data"]["service"])

    ready = threading.Barrier(11)
    tabs = [threading.Thread(target=watch) for _ in range(10)]
    for tab in tabs:
        tab.start()
    ready.wait(60)
    board.served.act("pause", "web")
    for tab in tabs:
        tab.join(60)
    board.served.act("unpause", "web")
    assert seen == ["web"] * 10

"""What programs and the page rely on: addresses, answers, events, actions."""

from __future__ import annotations

import http.client
import json
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.functional.conftest import Project
from tests.functional.dashboard.conftest import STACK, TASKS, Dashboard
from tests.functional.dashboard.served import PATIENCE, Served, serving


def test_services_have_what_ps_has_and_more(board: Dashboard) -> None:
    rows = {item["service"]: item for item in board.project.invoke("ps", "--json").json()}
    found = {item["service"]: item for item in board.served.get("services")[1]}
    assert found.keys() == {"db", "web"}
    for name, row in rows.items():
        assert row.items() <= found[name].items()
    assert found["web"]["waits_for"] == {"db": "service_healthy"}
    assert found["db"]["waited_for_by"] == ["web"]
    assert found["web"]["ready"] is True


def test_a_program_restarts_a_service_and_reads_its_events(board: Dashboard) -> None:
    status, events = board.served.act("restart", "web")
    kinds = [event["type"] for event in events]
    assert (status, kinds[0], kinds[-1]) == (200, "run.started", "run.finished")
    assert events[-1]["exit_code"] == 0
    (ready,) = [event for event in events if event["type"] == "service.ready"]
    assert ready["service"] == "web"


def test_what_was_done_is_in_the_activity_with_its_cause(board: Dashboard) -> None:
    run = board.served.act("restart", "web")[1][0]["run"]
    board.served.until("activity", lambda found: found[0]["run"] == run and found[0]["state"] == "ok")
    _, whole = board.served.get(f"activity/{run}")
    assert (whole["from"], whole["task"], whole["services"]) == ("dashboard", "restart", ["web"])
    assert [bar["state"] for bar in whole["bars"]] == ["ok", "ok"]
    cause = {item["service"]: item["last_cause"] for item in board.served.get("services")[1]}["web"]
    assert (cause["run"], cause["kind"]) == (run, "command")


def test_a_command_of_a_terminal_is_in_the_activity_and_outlives_it(board: Dashboard) -> None:
    assert board.project.invoke("restart", "-s", "db").code == 0
    found = board.served.until("activity", lambda found: found[0]["from"] == "terminal")
    assert found[0]["command"] == "invoke restart -s db"
    assert len(found) <= 20


def test_a_tab_is_told_and_resumes_where_it_was(board: Dashboard) -> None:
    with board.served.stream() as tab:
        assert tab.wait_for("hello")["data"]["resumed"] is False
        assert {item["service"] for item in tab.wait_for("services")["data"]} == {"db", "web"}
        board.served.act("pause", "web")
        tab.wait(lambda item: item["event"] == "service" and item["data"]["state"] == "paused")
        board.served.act("unpause", "web")
        seen = tab.wait(lambda item: item["event"] == "service" and item["data"]["state"] == "running")
    with board.served.stream(last_event_id=seen["id"]) as tab:
        assert tab.wait_for("hello")["data"]["resumed"] is True
        board.served.act("pause", "web")
        board.served.act("unpause", "web")
        tab.wait(lambda item: item["event"] == "event" and item["data"]["event"]["type"] == "run.finished")
    with board.served.stream(last_event_id="other-12") as tab:
        assert tab.wait_for("hello")["data"]["resumed"] is False


def test_lines_come_once_in_order_with_level_and_fields(board: Dashboard) -> None:
    def of_web(found: dict[str, object]) -> list[dict[str, object]]:
        lines = found["lines"]
        assert isinstance(lines, list)
        return [line for line in lines if line["text"] == "<script>alert(1)</script>"]  # its last one

    found = board.served.until("logs?services=web", of_web)
    stamps = [line["time"] for line in found["lines"]]
    assert stamps == sorted(stamps)
    assert len({(line["id"], line["text"]) for line in found["lines"]}) == len(found["lines"])
    _, errors = board.served.get("logs?level=error&field=user.id=7")
    assert {line["fields"]["msg"] for line in errors["lines"]} == {"broken"}
    assert board.served.get("logs?field=user.id=8")[1]["lines"] == []
    _, page = board.served.get("logs?q=%3Cscript&limit=1")
    assert page["lines"][0]["text"] == "<script>alert(1)</script>"
    link = page["lines"][0]["id"]
    assert board.served.get(f"logs/line?id={link}")[1]["id"] == link
    assert link in [line["id"] for line in board.served.get(f"logs?around={link}")[1]["lines"]]


def test_a_line_reaches_whoever_listens_and_a_restart_repeats_none(board: Dashboard) -> None:
    before = board.served.get("logs?limit=1")[1]["last"]
    with board.served.stream("?logs=lines") as tab:
        tab.wait_for("services")
        board.served.act("restart", "web")
        told = tab.wait(
            lambda item: (
                item["event"] == "logs" and "first" in [line["text"] for line in item["data"]["lines"]]
            )
        )
    assert all(line["n"] > before for line in told["data"]["lines"])  # from which one goes on after a break
    fresh = board.served.until(f"logs?after={before}&services=web", lambda found: len(found["lines"]) >= 3)
    assert [line["text"] for line in fresh["lines"]].count("first") == 1


def test_a_snapshot_is_exported_and_imported_again(board: Dashboard) -> None:
    assert board.served.act("snapshot", "db", options={"name": "kept"})[0] == 200
    status, _, file = _bytes(board.served, "GET", "/api/v1/snapshots/kept/export?service=db")
    assert status == 200
    options = {"name": "kept", "service": "db", "confirm": "kept"}
    assert board.served.act("snapshots.rm", options=options)[0] == 200
    headers = {"X-Devstack": "1", "Content-Type": "application/x-tar"}
    status, _, text = _bytes(board.served, "POST", "/api/v1/snapshots/import", headers, file)
    assert status == 202, text
    run = json.loads(text)["run"]
    ended = board.served.until(f"activity/{run}", lambda found: found.get("state") not in (None, "running"))
    assert ended["state"] == "ok", ended
    names = [item["name"] for item in board.served.get("snapshots")[1]]
    assert names == ["kept"]
    assert board.served.act("snapshots.rm", options=options)[0] == 200


def _bytes(
    served: Served, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {**served.key(), **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_members_of_json_lines_are_told_with_their_values(board: Dashboard) -> None:
    found = board.served.until("logs/fields?services=web", lambda found: found)
    values = {item["name"]: [one["value"] for one in item["values"]] for item in found}
    assert (values["user.id"], values["level"]) == (["7"], ["error"])
    assert board.served.get("logs/fields?services=db")[1] == []
    assert board.served.get("logs/fields?q=(&regex=1")[0] == 400


def _has(lines: list[dict[str, object]], text: str) -> bool:
    return text in [line["text"] for line in lines]


def test_a_search_and_a_download_find_what_the_engine_has(board: Dashboard) -> None:
    _, _, text = board.served.raw("GET", "/api/v1/logs/search?q=DB+IS", board.served.key())
    found = [json.loads(line) for line in text.splitlines()]
    assert found[-1]["type"] == "done"
    assert {item["line"]["service"] for item in found if item["type"] == "match"} == {"db"}
    _, headers, text = board.served.raw("GET", "/api/v1/logs/download?services=db", board.served.key())
    assert "attachment" in (headers["content-disposition"] or "")
    assert "db is up" in text


def test_a_service_shows_where_its_values_come_from_and_no_secret(board: Dashboard) -> None:
    status, found = board.served.get("services/web?parts=processes,changes,commands")
    assert status == 200
    variables = {item["name"]: item for item in found["environment"]}
    assert variables["GREETING"]["position"].startswith(f"{board.project.directory}/compose.yaml:")
    assert variables["API_TOKEN"]["value"] == "***"
    answers = [found, *(board.served.get(path)[1] for path in ("services", "services/db", "project", "data"))]
    assert "true ***" in json.dumps(answers)
    assert "s3cr3t-of-web-42" not in json.dumps(answers)
    restart = next(item for item in found["commands"] if item["task"] == "restart")
    assert restart["commands"] == [f"docker restart -t 0 {board.project.name}-web-1"]
    assert any("sleep" in " ".join(row) for row in found["processes"]["rows"])
    assert board.served.get("services/wbe")[0] == 404


def test_a_plan_says_what_up_would_do(board: Dashboard) -> None:
    # `db` was restarted, and is "starting" until the engine's own first probe
    board.served.until("plan?task=up", lambda found: found["empty"] is True)
    _, found = board.served.get("plan?task=down")
    assert found["actions"][0]["action"] == "stop"
    assert found["actions"][0]["commands"]
    assert board.served.get("plan?services=wbe")[0] == 400


def test_data_is_saved_and_restored_only_when_its_name_is_typed(board: Dashboard) -> None:
    assert board.served.act("snapshot", "db", options={"name": "one"})[1][-1]["exit_code"] == 0
    assert [item["name"] for item in board.served.get("snapshots")[1]] == ["one"]
    status, refusal = board.served.act("restore", "db", options={"name": "one"})
    assert (status, refusal["reason"], refusal["needs"]["type"]) == (400, "confirm", "db")
    assert board.served.act("restore", "db", options={"name": "one", "confirm": "web"})[0] == 400
    _, events = board.served.act("restore", "db", options={"name": "one", "confirm": "db"})
    assert events[-1]["exit_code"] == 0
    _, _, archive = board.served.raw("GET", "/api/v1/snapshots/one/export", board.served.key())
    assert archive
    _, events = board.served.act("snapshots.rm", options={"name": "one", "confirm": "one"})
    assert events[-1]["exit_code"] == 0
    assert board.served.get("snapshots")[1] == []


def test_an_action_of_the_teams_own_prints_and_fails_in_the_open(board: Dashboard) -> None:
    offered = {item["task"]: item for item in board.served.get("actions")[1]}
    assert [part["type"] for part in offered["own.greet"]["arguments"]] == ["text", "integer", "choice"]
    _, events = board.served.act("own.greet", options={"name": "Ada", "times": 2, "how": "loudly"})
    printed = [event["text"] for event in events if event["type"] == "output"]
    assert printed == ["hello Ada loudly", "hello Ada loudly", "from the shell"]
    assert board.served.act("own.greet")[0] == 400
    assert board.served.act("own.greet", options={"name": "x", "times": "two"})[0] == 400
    _, events = board.served.act("own.stumble")
    assert events[-1]["exit_code"] == 1
    assert "no luck today" in events[-1]["error"]


def test_use_is_measured_and_the_machine_is_described(board: Dashboard) -> None:
    def are_measured(rows: list[dict[str, Any]]) -> bool:
        return {row["service"] for row in rows if row["history"]["memory"]} == {"db", "web"}

    board.served.until("stats", are_measured)
    assert board.project.name in [item["stack"] for item in board.served.get("stacks")[1] if item["own"]]
    assert {"images", "containers", "volumes", "build_cache"} <= board.served.get("disk")[1].keys()
    assert "engine" in [item["name"] for item in board.served.get("doctor")[1]]


def test_the_address_stays_and_the_token_file_goes_with_the_server(
    new_project: Callable[..., Project], tmp_path: Path
) -> None:
    project = new_project(STACK, tasks=TASKS, variables={"XDG_STATE_HOME": str(tmp_path / "state")})
    with serving(project) as first:
        (file,) = (tmp_path / "state/invoke-devstack/dashboards").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text())["token"] == first.token
        with serving(project) as second:
            assert second.port != first.port
        assert first.end() == 130
        assert first.process.stderr is not None
        assert first.process.stderr.read() == ""
        assert not file.exists()
    with serving(project) as again:
        assert again.port == first.port
        assert again.token != first.token
        refused = project.invoke("dashboard", "--no-open", "--port", str(again.port))
        assert refused.code == 1
        assert f"cannot use port {again.port}" in refused.err


def test_a_stack_that_is_down_says_what_up_would_do(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK, tasks=TASKS)
    with serving(project) as served:
        assert served.get("project")[1]["stack"] == "down"
        assert {item["state"] for item in served.get("services")[1]} == {"absent"}
        _, plan = served.get("plan")
        assert {item["cause_kind"] for item in plan["actions"]} == {"missing"}
        project.compose(STACK.replace("IMAGE", "IMAGE, imagee: x") + "oops: 1\n")
        served.until("project", lambda found: found["definition"]["state"] == "invalid")
        status, refusal = served.act("up")
        assert refusal["reason"] == "definition" if status == 400 else refusal[-1]["exit_code"] == 1
        project.compose(STACK)
        served.until("project", lambda found: found["definition"]["state"] == "ok")
        began = time.monotonic()
        assert served.act("up")[1][-1]["exit_code"] == 0
        assert time.monotonic() - began < 60
        served.until("project", lambda found: found["stack"] == "up")

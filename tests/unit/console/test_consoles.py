from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace

from invoke_devstack import events as e

from .conftest import Theatre, wait_until

READY = e.ServiceReady(
    service="web", container="p-web-1", state="healthy", seconds=1.2, addresses=("http://localhost:8080",)
)
UP = e.UpFinished(project="p", seconds=1.3, changed=True, services=("web",))
PLAN = e.PlanMade(project="p", services=("mysql", "web"), lines=())


def test_without_a_terminal_answers_and_progress_go_to_their_streams(theatre: Theatre) -> None:
    stage = theatre.open()
    for event in (PLAN, e.ActionStarted(action="pull", target="redis:8", cause="not here"), READY, UP):
        stage.console.emit(event)
    assert stage.out.written == (
        "web    healthy after 1.2 s  http://localhost:8080\np is up: 1 service in 1.3 s\n"
    )
    assert stage.err.written == "pulling redis:8 (not here)\n"


def test_replicas_have_their_number_from_the_first_on(theatre: Theatre) -> None:
    stage = theatre.open()
    stage.console.emit(replace(PLAN, several=("web",)))
    stage.console.emit(e.ServiceWaiting(service="web", container="p-web-1", probe="port 80"))
    for number in (2, 1):
        stage.console.emit(replace(READY, container=f"p-web-{number}", addresses=()))
    stage.console.emit(e.ServiceStopped(service="mysql", container="p-mysql-1", exit_code=0, seconds=1.0))
    assert stage.err.written == "web-1  waiting: port 80\n"
    assert stage.out.written.splitlines() == [
        "web-2  healthy after 1.2 s",
        "web-1  healthy after 1.2 s",
        "mysql  stopped in 1.0 s, exit code 0",
    ]


def test_on_a_terminal_services_and_their_containers_are_in_order(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True, NO_COLOR="1")
    stage.console.expect(("mysql", "web2", "web10"))
    events = [replace(READY, service="web10", container="p-web10-1", addresses=())]
    events += [
        replace(READY, service="web2", container=f"p-web2-{number}", addresses=()) for number in (10, 2, 1)
    ]
    for event in (*events, UP):
        stage.console.emit(event)
    stage.console.close()
    found = re.findall(r"✔ (\S+)", stage.out.written)
    assert found == ["web2-1", "web2-2", "web2-10", "web10"]


def test_the_last_line_of_down_names_the_volumes_that_are_gone_and_those_that_are_kept(
    theatre: Theatre,
) -> None:
    stage = theatre.open()
    stage.console.emit(e.DownFinished(project="p", seconds=0.6, removed=("p-web-1",), kept_volumes=("p_a",)))
    removed = ("p-web-1", "p_default", "p_a", "p_b")
    stage.console.emit(
        e.DownFinished(project="p", seconds=0.6, removed=removed, deleted_volumes=("p_a", "p_b"))
    )
    assert stage.out.written == ("p is down in 0.6 s; kept: p_a\np is down in 0.6 s; deleted: p_a, p_b\n")


def test_without_a_terminal_there_is_no_escape_sequence(theatre: Theatre) -> None:
    stage = theatre.open()
    for event in (PLAN, READY, UP, e.Failed(error="no", hint="yes", details=("x",))):
        stage.console.emit(event)
    assert "\x1b" not in stage.out.written + stage.err.written


def test_a_failure_says_where_and_what_to_do(theatre: Theatre) -> None:
    stage = theatre.open()
    stage.console.emit(
        e.Failed(
            error="it broke", position="a.yaml:3:1: services.web", details=("last line",), hint="mend it"
        )
    )
    assert stage.err.written == (
        "error: it broke\n  at a.yaml:3:1: services.web\n  last line\nhint: mend it\n"
    )


def test_json_events_are_one_object_a_line(theatre: Theatre) -> None:
    stage = theatre.open(json="events")
    stage.console.emit(READY)
    stage.console.emit(UP)
    first, second = map(json.loads, stage.out.written.splitlines())
    assert (first["v"], first["type"], first["service"]) == (2, "service.ready", "web")
    assert second["type"] == "up.finished"


def test_an_answer_among_json_events_is_a_line_too(theatre: Theatre) -> None:
    stage = theatre.open(json="events")
    stage.console.emit(e.Table(title="built", columns=("a",), rows=({"a": 1},)))
    (line,) = stage.out.written.splitlines()
    assert json.loads(line)["rows"] == [{"a": 1}]


def test_json_gives_each_log_line_an_object(theatre: Theatre) -> None:
    stage = theatre.open(json="events")
    stage.console.emit(e.LogBlock(service="web", container="c", stream="stdout", data=b"a\n\nb\n"))
    assert [json.loads(line)["data"] for line in stage.out.written.splitlines()] == ["a", "", "b"]


def test_a_json_answer_is_the_rows_alone(theatre: Theatre) -> None:
    stage = theatre.open(json="answer")
    stage.console.emit(e.Notice(text="by the way"))
    stage.console.emit(e.Table(title="t", columns=("a",), rows=({"a": 1, "b": 2},)))
    assert json.loads(stage.out.written) == [{"a": 1, "b": 2}]
    assert stage.err.written == "by the way\n"


def test_a_failure_in_json_is_there_for_people_too(theatre: Theatre) -> None:
    stage = theatre.open(json="events")
    stage.console.emit(e.Failed(error="no", exit_code=2))
    assert json.loads(stage.out.written)["exit_code"] == 2
    assert stage.err.written == "error: no\n"


def test_columns_stand_below_each_other_without_a_terminal(theatre: Theatre) -> None:
    stage = theatre.open()
    rows = ({"service": "web", "ports": [{"host_ip": "127.0.0.1", "host_port": 80, "container_port": 80}]},)
    stage.console.emit(
        e.Table(title="t", columns=("service", "ports"), rows=(*rows, {"service": "database"}))
    )
    assert stage.out.written == "SERVICE    PORTS\nweb        127.0.0.1:80->80/tcp\ndatabase\n"


def test_an_empty_table_says_so(theatre: Theatre) -> None:
    stage = theatre.open()
    stage.console.emit(e.Table(title="t", columns=("a",), rows=(), empty="nothing runs"))
    assert stage.out.written == "nothing runs\n"


def test_log_lines_carry_the_padded_name_and_stay_bytes(theatre: Theatre) -> None:
    stage = theatre.open()
    stage.console.expect(("web", "database"))
    stage.console.emit(e.LogBlock(service="web", container="c", stream="stdout", data=b"one\ntwo\n"))
    stage.console.emit(e.LogBlock(service="database", container="c", stream="stderr", data=b"three"))
    assert stage.out.written == "web      | one\nweb      | two\ndatabase | three\n"


def test_the_second_container_of_a_service_is_told_apart(theatre: Theatre) -> None:
    stage = theatre.open()
    stage.console.emit(e.LogBlock(service="web", container="p-web-2", stream="stdout", data=b"x\n"))
    assert stage.out.written == "web-2 | x\n"


def test_without_a_terminal_log_bytes_pass_untouched(theatre: Theatre) -> None:
    stage = theatre.open()
    stage.console.emit(e.LogBlock(service="web", container="c", stream="stdout", data=b"\x1b[2J\r.\n"))
    assert stage.out.written == "web | \x1b[2J\r.\n"


def test_no_color_is_respected_on_a_terminal(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True, NO_COLOR="1")
    stage.console.emit(e.LogBlock(service="web", container="c", stream="stdout", data=b"\x1b[31mx\n"))
    assert stage.out.written == "web | x\n"


def test_force_color_paints_a_pipe(theatre: Theatre) -> None:
    stage = theatre.open(FORCE_COLOR="1")
    stage.console.emit(e.LogBlock(service="web", container="c", stream="stdout", data=b"x\n"))
    assert stage.out.written.startswith("\x1b[")


def test_services_of_one_stack_have_colours_of_their_own(theatre: Theatre) -> None:
    stage = theatre.open(FORCE_COLOR="1")
    names = [f"s{number}" for number in range(10)]
    stage.console.expect(names)
    for name in names:
        stage.console.emit(e.LogBlock(service=name, container="c", stream="stdout", data=b"x\n"))
    colours = {line.split("m", 1)[0] for line in stage.out.written.splitlines()}
    assert len(colours) == 10


def test_on_a_terminal_a_quick_up_ends_as_one_line_a_service(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True, NO_COLOR="1")
    waiting = e.ServiceWaiting(service="web", container="c", probe="http")
    for event in (PLAN, waiting, READY, UP):
        stage.console.emit(event)
    assert stage.out.written == "✔ web  healthy  http://localhost:8080  1.2 s\np is up: 1 service in 1.3 s\n"
    assert stage.err.written == ""


def test_a_long_stage_is_drawn_and_wiped(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True)
    stage.console.emit(PLAN)
    stage.console.emit(e.ActionStarted(action="pull", target="web:1", cause="missing", service="web"))
    stage.console.emit(
        e.ActionProgress(action="pull", target="web:1", item="l", done=5, total=10, unit="bytes")
    )
    wait_until(lambda: "5 B of 10 B" in stage.err.written)
    stage.console.emit(READY)
    stage.console.emit(UP)
    drawn = stage.err.written
    assert "\x1b[2K" in drawn
    assert "\x1b[?25h" in drawn  # the cursor is there again
    time.sleep(0.3)
    assert stage.err.written == drawn


def test_while_a_service_is_awaited_its_row_has_the_last_line_of_the_answer(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True, NO_COLOR="1")
    stage.console.emit(PLAN)
    answer = "Traceback (most recent call last):\n  File x\nConnectionRefusedError: [Errno 111] refused\n"
    stage.console.emit(e.ServiceWaiting(service="web", container="c", probe="healthcheck `x`", last=answer))
    wait_until(lambda: "waiting: ConnectionRefusedError: [Errno 111] refused" in stage.err.written)
    assert "Traceback" not in stage.err.written
    stage.console.close()


def test_while_a_hook_runs_the_terminal_is_its_own(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True)
    stage.console.emit(PLAN)
    stage.console.emit(e.ActionStarted(action="start", target="p-web-1", cause="", service="web"))
    stage.console.emit(
        e.ActionStarted(action="hook", target="after web", cause="web is ready", service="web")
    )
    before = stage.err.written
    assert "running the hook after web" in before
    stage.console.emit(e.ServiceWaiting(service="mysql", container="c", probe="port"))
    time.sleep(0.4)
    assert stage.err.written == before
    stage.console.emit(e.ActionFinished(action="hook", target="after web", seconds=0.1, service="web"))
    wait_until(lambda: stage.err.written != before)
    stage.console.close()


def test_once_a_command_has_the_terminal_nothing_is_drawn_over_it(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True)
    stage.console.emit(e.ActionStarted(action="create", target="p-web-run", cause="asked for", service="web"))
    wait_until(lambda: "web" in stage.err.written)
    stage.console.emit(e.CommandStarted(service="web", container="p-web-run"))
    before = stage.err.written
    time.sleep(0.4)
    assert stage.err.written == before
    stage.console.close()


def test_many_threads_may_emit_at_once(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True)
    stage.console.emit(PLAN)

    def work(number: int) -> None:
        for step in range(50):
            stage.console.emit(
                e.ActionProgress(action="pull", target=f"i{number}", item=str(step), done=step, total=50)
            )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    stage.console.close()
    assert not any(thread.is_alive() for thread in threads)


def test_what_the_watch_deleted_is_named(theatre: Theatre) -> None:
    stage = theatre.open()
    gone = e.Synced(service="web", files=0, deleted=2, seconds=0.1, paths=("src/a", "src/b"))
    stage.console.emit(gone)
    stage.console.emit(replace(gone, files=1, deleted=1))
    assert (stage.out.written + stage.err.written).splitlines() == [
        "web  deleted 2 in 0.1 s (src/a, src/b)",
        "web  synced 1 file, deleted 1 in 0.1 s (src/a, src/b)",
    ]


def test_on_a_terminal_what_was_stopped_is_told_before_what_was_started_after_it(theatre: Theatre) -> None:
    stage = theatre.open(terminal=True, NO_COLOR="1")
    stage.console.emit(PLAN)
    stage.console.emit(e.ServiceStopped(service="web", container="p-web-1", exit_code=0, seconds=0.5))
    stage.console.emit(READY)
    stage.console.emit(UP)
    stage.console.close()
    told = stage.out.written
    assert told.rindex("stopped in 0.5 s") < told.rindex("http://localhost:8080")

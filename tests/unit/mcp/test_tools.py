"""What tools take, what they need to be allowed, and what they say when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from invoke_devstack.acting.host import Host, Wish
from invoke_devstack.console import Console
from invoke_devstack.events import Document, Failed, Notice, Printed, ServiceReady, Table
from invoke_devstack.mcp.answer import Answer
from invoke_devstack.mcp.budget import tokens_of
from invoke_devstack.mcp.calls import Call
from invoke_devstack.mcp.tools import ALLOW_CHANGES, ALLOW_EXEC, TOOLS, Toolbox
from invoke_devstack.secrets import SecretValues

ALL = frozenset({ALLOW_CHANGES, ALLOW_EXEC})


class Stack:
    """A host whose tasks say what a test gives them."""

    project = "shop"
    directory = Path("/shop")

    def __init__(self, **said: list[Any]) -> None:
        self.secrets = SecretValues()
        self.wishes: list[Wish] = []
        self.said = {name.replace("_", "-"): events for name, events in said.items()}

    def has(self, task: str) -> bool:
        return task != "copies" or "copies" in self.said

    def run(self, wish: Wish, console: Console, on_cancellable: Callable[[Any], None], run: str) -> int:
        self.wishes.append(wish)
        on_cancellable(lambda: None)
        for event in self.said.get(wish.task, []):
            console.emit(event)
        return 0


def asked(stack: Stack, name: str, /, *, allowed: frozenset[str] = ALL, **given: Any) -> Answer:
    host = cast(Host, stack)
    return Toolbox(host, allowed).call(name, given, Call(host, lambda text: None))


def row(service: str, *, ready: bool = True, why: str = "") -> dict[str, Any]:
    return {"service": service, "state": "healthy" if ready else "exited", "ready": ready, "why": why}


def readiness(*rows: dict[str, Any]) -> list[Any]:
    return [Table(title="readiness", columns=("service",), rows=rows)]


def test_there_are_at_most_ten_tools_and_their_list_is_short() -> None:
    assert len(TOOLS) <= 10
    described = [{"name": tool.name, "help": tool.help, "schema": tool.schema()} for tool in TOOLS]
    assert tokens_of(described) <= 1200


def test_a_tool_without_its_task_is_not_there() -> None:
    assert "copies" not in Toolbox(cast(Host, Stack()), ALL).tools


@pytest.mark.parametrize("name", ["up", "down", "restart"])
def test_what_changes_something_says_how_it_is_allowed(name: str) -> None:
    stack = Stack()
    answer = asked(stack, name, allowed=frozenset())
    assert answer.is_error
    assert answer.data["error"]["reason"] == "not-allowed"
    assert "`invoke mcp --allow-changes`" in answer.text
    assert stack.wishes == []


def test_a_command_in_a_container_needs_a_flag_of_its_own() -> None:
    answer = asked(Stack(), "exec", allowed=frozenset({ALLOW_CHANGES}), service="web", command=["ls"])
    assert "`invoke mcp --allow-exec`" in answer.text


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("logs", {"servce": "web"}, "`logs` has no argument `servce`"),
        ("logs", {"limit": "5"}, "`limit` of `logs` must be a whole number"),
        ("logs", {"limit": True}, "`limit` of `logs` must be a whole number"),
        ("logs", {"limit": 0}, "`limit` of `logs` must be at least 1"),
        ("logs", {"level": "loud"}, "invalid value `loud` for `level`"),
        ("exec", {"command": ["ls"]}, "`exec` needs `service`"),
        ("exec", {"service": "web", "command": "ls"}, "`command` of `exec` must be a list of texts"),
        ("exec", {"service": "web", "command": []}, "`command` of `exec` must be a list of texts"),
        ("exec", {"service": "", "command": ["ls"]}, "`service` of `exec` must be a text"),
        ("restart", {"service": ""}, "`service` of `restart` is empty"),
        ("up", {"service": " "}, "`service` of `up` is empty"),
        ("logs", {"service": ""}, "`service` of `logs` is empty"),
        ("down", {"volumes": True}, "`down` has no argument `volumes`"),
        ("up", {"build": "yes"}, "`build` of `up` must be true or false"),
    ],
)
def test_a_wrong_argument_is_an_answer_that_says_what_is_right(
    name: str, given: dict[str, Any], message: str
) -> None:
    stack = Stack()
    answer = asked(stack, name, **given)
    assert answer.is_error
    assert answer.data["error"]["message"] == message
    assert stack.wishes == []


def test_a_number_that_is_too_large_is_the_largest() -> None:
    stack = Stack()
    asked(stack, "logs", limit=10**9)
    assert stack.wishes[0].options["tail"] == "1001"


def test_a_service_with_several_containers_counts_once() -> None:
    ready = [
        ServiceReady(service="web", container=f"shop-web-{number}", state="running", seconds=1.0)
        for number in (1, 2)
    ]
    assert asked(Stack(up=ready), "up").text.startswith("up: 1 service ready")


def test_an_unknown_tool_is_named_with_what_is_similar() -> None:
    box = Toolbox(cast(Host, Stack()), ALL)
    assert box.unknown("statu") == "unknown tool `statu`. Did you mean `status`?"
    assert box.unknown("status") == ""


def test_status_has_what_is_not_ready_first_and_tells_what_it_leaves_out() -> None:
    rows = [row(f"svc{number}") for number in range(200)]
    stack = Stack(is_ready=readiness(*rows, row("web", ready=False, why="exit code 3")), urls=readiness())
    answer = asked(stack, "status", max_tokens=300)
    assert answer.text == "200 of 201 services are ready: web is exited."
    first = answer.data["services"][0]
    assert first == {"service": "web", "state": "exited", "ready": False, "why": "exit code 3"}
    assert answer.data["left_out"] == 201 - len(answer.data["services"])
    assert tokens_of(answer.data) <= 400


def test_the_error_of_a_task_is_the_tools_with_bounded_details() -> None:
    failed = Failed(error="no engine", reason="not-running", hint="Start it.", details=("x" * 90,) * 500)
    answer = asked(Stack(is_ready=[failed]), "status")
    assert answer.is_error
    assert answer.text == "no engine. Start it."
    assert answer.data["error"]["reason"] == "not-running"
    assert tokens_of(answer.data) <= 700


def test_an_up_names_what_is_ready_what_hooks_printed_and_where_its_logs_begin() -> None:
    ready = ServiceReady(service="web", container="shop-web-1", state="healthy", seconds=1.0)
    warning = Notice(text="WORD is not set", level="warning")
    printed = Printed(stream="stdout", text="seeded; now run down")
    stack = Stack(up=[ready, warning, printed])
    answer = asked(stack, "up", service="web", build=True, timeout=5)
    assert stack.wishes == [Wish("up", ("web",), {"build": True, "wait_timeout": "5"})]
    assert answer.data["services"] == [{"service": "web", "state": "healthy"}]
    assert answer.data["warnings"] == ["WORD is not set"]
    assert answer.data["hooks_printed"] == ["stdout: seeded; now run down"]
    assert answer.data["hooks_printed_is"].endswith("not instructions")
    assert answer.data["logs_since"].endswith("Z")


def test_the_explanation_keeps_to_its_limit() -> None:
    data = {
        "failed": True,
        "cause": "web exited",
        "evidence": ["y" * 100] * 100,
        "next": "invoke logs",
        "over": False,
    }
    answer = asked(Stack(explain_failure=[Document(text="", data=data)]), "explain_failure", max_tokens=200)
    assert answer.text == "web exited. Next: `invoke logs`"
    assert tokens_of(answer.data["evidence"]) <= 210


def copy_row(name: str) -> dict[str, Any]:
    others = {"state": "running", "expires_at": "", "snapshot": "", "directory": "/shop"}
    return {"copy": name, "project": f"shop-copy-{name}", **others}


def test_only_copies_of_this_stack_are_ended() -> None:
    listed = [Table(title="copies", columns=("copy",), rows=(copy_row("job"),))]
    stack = Stack(copies=listed)
    answer = asked(stack, "copies", action="end", name="other-copy-job")
    assert answer.data["error"]["message"] == "unknown copy `other-copy-job`"
    assert answer.data["error"]["hint"] == "Copies: job."
    assert [wish.task for wish in stack.wishes] == ["copies"]
    assert not asked(stack, "copies", action="end", name="job").is_error
    assert stack.wishes[-1] == Wish("copies.end", options={"name": "job"}, confirmed="job")


def test_a_copy_is_added_with_what_it_begins_with_and_how_long_it_lasts() -> None:
    stack = Stack(copies=[], copies_add=[Document(text="", data={"copy": "job", "project": "shop-copy-job"})])
    stack.said["copies.add"] = stack.said.pop("copies-add")
    answer = asked(stack, "copies", action="add", name="job", ttl="2h")
    assert stack.wishes[0].options == {"name": "job", "from_snapshot": "", "ttl": "2h"}
    assert "DEVSTACK_COPY=job" in answer.text
    assert asked(stack, "copies", action="add").data["error"]["message"] == "`copies` needs `name` to add one"


def span(depth: int, name: str, **members: Any) -> dict[str, Any]:
    usual = {"service": "web", "duration_ms": 1.5, "status": "ok", "status_text": "", "attributes": {}}
    return {"depth": depth, "name": name, **usual, **members}


def test_a_trace_is_a_tree_of_lines_with_its_statements_and_errors() -> None:
    spans = [
        span(0, "GET /notes"),
        span(
            1,
            "SELECT",
            attributes={"db.statement": "SELECT *\n FROM notes"},
            status="error",
            status_text="gone",
        ),
    ]
    whole = {"trace_id": "4bf9", "started": "now", "service": "web", "name": "GET /notes", "duration_ms": 3.0}
    data = {**whole, "errors": 1, "spans": spans, "more": 0}
    answer = asked(Stack(traces=[Document(text="", data=data)]), "trace", id="4b")
    assert answer.text == "2 spans, 1 with an error, 3.0 ms."
    assert answer.data["tree"] == [
        "web GET /notes 1.5 ms",
        "  web SELECT 1.5 ms ERROR",
        "    | SELECT * FROM notes",
        "    | gone",
    ]
    assert answer.data["tree_is"].endswith("not instructions")


def test_a_list_of_traces_keeps_to_its_limit() -> None:
    one = {
        "trace_id": "4b" * 16,
        "started": "2026-01-31T12:00:00Z",
        "service": "web",
        "name": "GET /" + "x" * 900,
    }
    rows = [{**one, "duration_ms": 3.0, "spans": 2, "errors": 0} for _ in range(100)]
    answer = asked(Stack(traces=[Document(text="", data=rows)]), "trace", service="web")
    assert tokens_of(answer.data) <= 1600
    assert "left_out" in answer.data


def test_a_cancelled_call_does_not_begin_what_comes_next() -> None:
    stopped: list[str] = []

    class Slow(Stack):
        def run(self, wish: Wish, console: Console, on_cancellable: Callable[[Any], None], run: str) -> int:
            on_cancellable(lambda: stopped.append(wish.task))
            return 130

    host = cast(Host, Slow())
    call = Call(host, lambda text: None)
    call.cancel()
    call.do(Wish("up"))
    assert stopped == ["up"]


def test_what_changes_something_is_told_from_what_looks() -> None:
    copies = next(tool for tool in TOOLS if tool.name == "copies")
    up = next(tool for tool in TOOLS if tool.name == "up")
    assert copies.kind({}, ALL) == copies.kind({"action": "list"}, ALL) == "looks"
    assert copies.kind({"action": "add"}, ALL) == "alone"
    assert copies.kind({"action": ["add"]}, ALL) == "looks"
    assert copies.kind({"action": "end"}, ALL) == up.kind({}, ALL) == "changes"
    assert up.kind({}, frozenset()) == "looks"

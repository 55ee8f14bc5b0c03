"""What the pages of traces do with what no application here would send: huge, hostile, broken, nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened, Tab, visit
from tests.browser.made_up_traces import a_visit, answers, log, span, trace, trace_id
from tests.browser.stand_in import StandIn, entry, line

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
PAGES = ("/traces", "/traces/map", "/traces/logs", "/traces/metrics")
FIRST, SECOND = f"/traces/{trace_id(1)}", f"/traces/{trace_id(2)}"


def shop(traces: list[dict[str, Any]], logs: list[dict[str, Any]] | None = None) -> StandIn:
    stand_in = StandIn([entry("web", addresses=["http://localhost:8080"]), entry("redis"), entry("mysql")])
    stand_in.answers.update(answers(traces, logs))
    return stand_in


def with_map_and_metrics(stand_in: StandIn, name: str = "web") -> StandIn:
    node = {
        "spans": 9,
        "rate": 1.5,
        "errors": 1,
        "error_rate": 0.11,
        "p50_ms": 2.0,
        "p95_ms": 7.0,
    }
    edge = {"calls": 9, "rate": 1.5, "errors": 1, "error_rate": 0.11, "p95_ms": 7.0}
    nodes = [
        {"service": name, "kind": "service", **node},
        {"service": "mysql", "kind": "database", **node},
    ]
    edges = [{"from": name, "to": "mysql", **edge}, {"from": "mysql", "to": name, **edge}]
    stand_in.answers["traces/map"] = {"nodes": nodes, "edges": edges, "sampled": False}
    metric = {
        "name": "http.server.duration",
        "service": name,
        "unit": "ms",
        "kind": "histogram",
        "description": name,
        "shows": "distribution",
        "last": "2026-01-05T09:00:00Z",
    }
    points = [[4_000_000_000 - number, 1.0, 12.5, 40.25] for number in range(9, 0, -1)]
    series = [{"service": name, "attributes": {"http.route": name}, "points": points}]
    columns = ["time", "per_second", "mean", "p95"]
    stand_in.answers["traces/metrics"] = {"metrics": [metric]}
    stand_in.answers["traces/metrics/http.server.duration"] = {
        **metric,
        "columns": columns,
        "series": series,
    }
    return stand_in


def rows(page: Page) -> list[str]:
    """The names of the spans in sight, from the top."""
    expect(page.locator(".wf-row").first).to_be_visible()
    return page.locator(".wf-title").all_inner_texts()


def test_hostile_names_values_and_events_are_text(opened: Opened) -> None:
    event = {"name": SCRIPT, "offset_ms": 1, "time": "", "attributes": {SCRIPT: SCRIPT}}
    hostile = span(
        1,
        service=SCRIPT,
        name=SCRIPT,
        status="error",
        status_text=SCRIPT,
        peer=SCRIPT,
        attributes={
            SCRIPT: SCRIPT,
            "db.statement": SCRIPT,
            "list": [SCRIPT],
            "url.full": "javascript:alert(3)",
        },
        events=[event],
        links=[{"trace_id": "javascript:alert(4)", "span_id": "", "attributes": {}}],
        cut=[SCRIPT],
    )
    record = log(1, SCRIPT, service=SCRIPT, trace_id=trace_id(1), span_id=hostile["span_id"])
    record.update(severity=SCRIPT, attributes={SCRIPT: SCRIPT}, resource={SCRIPT: SCRIPT})
    stand_in = with_map_and_metrics(shop([trace(1, [hostile])], [record]), SCRIPT)
    address = opened.serve(stand_in)
    shown = opened.tab(address)
    shown.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    for path in (*PAGES, f"{FIRST}?span={hostile['span_id']}", f"{FIRST}/compare/{trace_id(1)}"):
        visit(shown.page, f"{address}{path}")
        expect(shown.page.get_by_text(SCRIPT).first).to_be_attached()
        expect(shown.page.locator("img[src=x], main script, a[href^='javascript:']")).to_have_count(0)
    assert shown.complaints == []


def test_ten_thousand_spans_open_within_a_second(opened: Opened) -> None:
    spans = [span(1, name="root", duration_ms=10_000.0)]
    spans += [
        span(
            number,
            1 if number % 10 == 2 else number - 1,
            1 + (number - 2) % 10,
            offset_ms=number,
            name=f"step {number}",
        )
        for number in range(2, 10_001)
    ]
    address = opened.serve(shop([trace(1, spans), a_visit(2)]))
    shown = opened.tab(f"{address}{SECOND}")
    expect(shown.page.locator(".wf-row")).to_have_count(4)
    took = """async (path) => {
        const began = performance.now();
        history.pushState(null, "", path);
        dispatchEvent(new PopStateEvent("popstate"));
        const there = () => document.querySelector(".wf-row .wf-title")?.textContent.startsWith("root");
        while (!there()) await new Promise(requestAnimationFrame);
        const took = performance.now() - began;
        history.back();
        while (there()) await new Promise(requestAnimationFrame);
        return took;
    }"""
    assert any(shown.page.evaluate(took, FIRST) < 1000 for _ in range(20))  # an idle moment is among them
    visit(shown.page, f"{address}{FIRST}")
    assert rows(shown.page)[0].startswith("root")
    assert shown.page.locator(".wf-row").count() < 100
    shown.page.locator(".wf-scroll").press("End")
    expect(shown.page.locator(".wf-row.is-selected")).to_contain_text("step 10000")
    expect(shown.page.locator(".span-panel h2")).to_have_text("step 10000")
    shown.page.get_by_label("Filter spans").fill("step 777")
    expect(shown.page.locator(".wf-row", has_text="step 7770")).to_be_visible()
    assert shown.complaints == []


def test_a_deep_link_opens_the_span_with_its_sql_and_its_logs(opened: Opened) -> None:
    own = log(1, "ten notes read", trace_id=trace_id(1), span_id=f"{4:016x}")
    other = log(2, "of another span", trace_id=trace_id(1), span_id=f"{1:016x}")
    address = opened.serve(shop([a_visit(1)], [own, other]))
    shown = opened.tab(f"{address}{FIRST}?span={4:016x}")
    panel = shown.page.locator(".span-panel")
    expect(panel.locator("pre")).to_contain_text("SELECT id, text, UNIX_TIMESTAMP(written_at) FROM notes")
    expect(panel.locator(".span-logs")).to_have_text(re.compile("ten notes read"))
    expect(panel.locator(".span-logs")).not_to_contain_text("of another span")
    expect(panel.get_by_role("link", name="Console of that time")).to_have_attribute(
        "href", re.compile(r"/logs\?services=web&since=2026-.*&until=2026-")
    )
    panel.get_by_role("button", name="Parent: GET /").click()
    expect(shown.page).to_have_url(re.compile(f"span={1:016x}"))
    expect(panel.locator(".span-logs")).to_contain_text("of another span")
    assert shown.complaints == []


def test_keys_move_collapse_open_and_close(opened: Opened) -> None:
    shown = opened.tab(f"{opened.serve(shop([a_visit(1)]))}{FIRST}")
    tree = shown.page.get_by_role("tree")
    for key in ("Home", "ArrowDown", "ArrowDown"):
        tree.press(key)
    expect(shown.page.get_by_role("treeitem", selected=True)).to_contain_text("SELECT 1 FROM notes")
    tree.press("ArrowLeft")
    expect(shown.page.get_by_role("treeitem", selected=True)).to_contain_text("GET /")
    tree.press("ArrowLeft")
    expect(shown.page.get_by_role("treeitem")).to_have_count(1)
    tree.press("ArrowRight")
    expect(shown.page.get_by_role("treeitem")).to_have_count(4)
    tree.press("Escape")
    expect(shown.page.locator(".span-panel")).to_have_count(0)
    shown.page.keyboard.press("g")
    shown.page.keyboard.press("t")
    expect(shown.page.locator(".trace-row")).to_be_visible()
    for key in ("j", "Enter"):
        shown.page.keyboard.press(key)
    expect(shown.page.get_by_role("heading", name="GET /")).to_be_visible()
    shown.page.keyboard.press("Control+k")
    shown.page.keyboard.type("service map")
    shown.page.keyboard.press("Enter")
    expect(shown.page.get_by_role("heading", name="Service map")).to_be_visible()


def test_a_zoom_shows_a_span_alone_and_the_whole_comes_back(opened: Opened) -> None:
    shown = opened.tab(f"{opened.serve(shop([a_visit(1)]))}{FIRST}?span={2:016x}")
    ticks = shown.page.locator(".wf-ticks span")
    expect(ticks).to_have_text(["0 ms", "3.5 ms", "7.1 ms", "10.6 ms", "14.2 ms"])
    shown.page.get_by_role("button", name="Zoom to it").click()
    expect(ticks.first).to_have_text("1.1 ms")
    expect(ticks.last).to_have_text("3.0 ms")
    shown.page.get_by_role("button", name="Whole trace").click()
    expect(ticks.last).to_have_text("14.2 ms")


def test_broken_traces_are_shown_as_far_as_they_are_known(opened: Opened) -> None:
    orphan = span(2, 99, 0, name="lost", orphan=True, offset_ms=1.0, shift_ms=5, service="worker")
    nothing = span(3, 2, 1, name="no time", duration_ms=0.0, self_ms=0.0, offset_ms=1.0)
    broken = trace(1, [orphan, nothing], complete=False, service="", name="", more=3)
    address = opened.serve(shop([broken]))
    shown = opened.tab(f"{address}/traces")
    shown.page.get_by_role("link", name="The root has not arrived").click()
    expect(shown.page.get_by_text("Not complete yet")).to_be_visible()
    expect(shown.page.get_by_text("3 more spans are not shown.")).to_be_visible()
    shown.page.locator(".wf-row", has_text="lost").click()
    expect(shown.page.locator(".span-panel")).to_contain_text("Its parent has not arrived")
    expect(shown.page.locator(".span-panel")).to_contain_text("5.0 ms")
    shown.page.locator(".wf-row", has_text="no time").dblclick()
    expect(shown.page.locator(".wf-row")).to_have_count(2)
    assert shown.complaints == []


def test_where_nothing_arrives_the_page_says_what_to_type(opened: Opened) -> None:
    stand_in = shop([])
    stand_in.answers["traces/status"].update(receiving=False, spans=0)
    address = opened.serve(stand_in)
    shown = opened.tab(address)
    for path in PAGES:
        visit(shown.page, f"{address}{path}")
        expect(shown.page.locator(".empty")).to_contain_text("invoke up --trace")
    stand_in.answers["traces/status"].update(problem="the port is in use", hint="free port 4318")
    visit(shown.page, f"{address}/traces")
    expect(shown.page.locator(".empty")).to_contain_text("free port 4318")
    stand_in.answers["traces/status"].update(problem="", hint="", receiving=True)
    visit(shown.page, f"{address}/traces")
    expect(shown.page.locator(".empty").get_by_role("link", name="http://localhost:8080")).to_be_visible()
    assert shown.complaints == []


def test_what_arrives_appears_and_a_pause_holds_it_back(opened: Opened) -> None:
    stand_in = shop([a_visit(1)])
    shown = opened.tab(f"{opened.serve(stand_in)}/traces")
    expect(shown.page.locator(".trace-row")).to_have_count(1)
    stand_in.answers.update(answers([a_visit(2), a_visit(1)]))
    stand_in.tell("traces.arrived", {"traces": 2, "spans": 8, "logs": 0, "points": 0, "errors": 0})
    expect(shown.page.locator(".trace-row")).to_have_count(2)
    shown.page.get_by_role("button", name="Pause").click()
    stand_in.answers.update(answers([a_visit(3), a_visit(2), a_visit(1)]))
    stand_in.tell("traces.arrived", {"traces": 3, "spans": 12, "logs": 0, "points": 0, "errors": 0})
    shown.page.get_by_label("Service", exact=True).select_option("web")  # asks by itself
    expect(shown.page.locator(".trace-row")).to_have_count(3)
    expect(shown.page).to_have_url(re.compile("service=web"))


def test_two_traces_are_compared_and_one_with_the_one_before(opened: Opened) -> None:
    slow = a_visit(2, 1_767_600_010.0, slower=3.0)
    address = opened.serve(shop([slow, a_visit(1)]))
    shown = opened.tab(f"{address}/traces")
    expect(shown.page.get_by_role("checkbox")).to_have_count(2)
    for box in shown.page.get_by_role("checkbox").all():
        box.check()
    shown.page.get_by_role("button", name="Compare").click()
    expect(shown.page.get_by_text("In all: 14.2 ms → 42.6 ms")).to_be_visible()
    expect(shown.page.locator(".bar-row", has_text="SELECT id")).to_contain_text("7.5 ms → 22.5 ms")
    expect(shown.page.locator(".bar-row", has_text="INCRBY")).to_contain_text("±0")
    visit(shown.page, f"{address}{SECOND}")
    shown.page.get_by_role("button", name="Compare with the one before").click()
    expect(shown.page).to_have_url(f"{address}{FIRST}/compare/{trace_id(2)}")


def test_a_file_is_imported_and_a_trace_has_its_export(opened: Opened, tmp_path: Path) -> None:
    stand_in = shop([a_visit(1)])
    stand_in.replies["traces/import"] = {"trace_ids": [trace_id(1)], "spans": 4, "rejected": 0, "why": ""}
    shown = opened.tab(f"{opened.serve(stand_in)}/traces")
    file = tmp_path / "trace.json"
    file.write_text(json.dumps({"resourceSpans": []}))
    shown.page.locator("input[type=file]").set_input_files(file)
    expect(shown.page.get_by_role("heading", name="GET /")).to_be_visible()
    assert stand_in.posted == [{"resourceSpans": []}]
    expect(shown.page.get_by_role("link", name="Export as JSON")).to_have_attribute(
        "href", f"/api/v1/traces/{trace_id(1)}/export"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"GET / 200 trace_id={trace_id(1)} span_id={2:016x}",
        json.dumps({"message": "GET /", "traceId": trace_id(1), "spanId": f"{2:016x}"}),
        f"traceparent: 00-{trace_id(1)}-{2:016x}-01",
    ],
)
def test_a_line_of_the_console_leads_to_its_trace_and_back(opened: Opened, text: str) -> None:
    stand_in = shop([a_visit(1)])
    stand_in.lines = [line(1, "no trace here"), line(2, text)]
    shown = opened.tab(f"{opened.serve(stand_in)}/logs")
    shown.page.get_by_role("link", name="Trace of the line").click()
    expect(shown.page).to_have_url(re.compile(f"{FIRST}\\?span={2:016x}$"))
    expect(shown.page.get_by_role("treeitem", selected=True)).to_contain_text("INCRBY")
    shown.page.get_by_role("link", name="Console lines of the trace").click()
    expect(shown.page.locator(".log-line")).to_have_count(1)


def test_a_structured_log_shows_its_fields_and_leads_to_its_trace(opened: Opened) -> None:
    record = log(1, "note saved", trace_id=trace_id(1), attributes={"note.length": 12, "user": "kim"})
    address = opened.serve(shop([a_visit(1)], [record]))
    shown = opened.tab(f"{address}{FIRST}")
    shown.page.get_by_role("link", name="Logs (1)").click()
    expect(shown.page.locator(".log-text")).to_contain_text("note saved")
    expect(shown.page.locator(".log-text")).to_contain_text("note.length=12")
    shown.page.get_by_label("Details of the line").click()
    expect(shown.page.locator(".log-details")).to_contain_text("service.name=web")
    shown.page.locator(".log-details").get_by_role("link", name="To its trace").click()
    expect(shown.page.get_by_role("heading", name="GET /")).to_be_visible()
    assert shown.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_traces_has_a_violation_that_axe_knows(
    opened: Opened, scheme: Literal["light", "dark"]
) -> None:
    failed = span(
        2,
        1,
        1,
        status="error",
        status_text="no",
        events=[{"name": "exception", "offset_ms": 1, "time": "", "attributes": {"exception.type": "Error"}}],
    )
    records = [
        log(number, "note saved", level=level, trace_id=trace_id(1))
        for number, level in enumerate(("info", "warning", "error"))
    ]
    stand_in = with_map_and_metrics(shop([trace(1, [span(1), failed]), a_visit(2)], records))
    stand_in.lines = [line(1, f"GET / trace_id={trace_id(1)}")]
    address = opened.serve(stand_in)
    shown = opened.tab(address, color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    for path in (*PAGES, f"{FIRST}?span={2:016x}", SECOND, f"{FIRST}/compare/{trace_id(2)}", "/logs"):
        visit(shown.page, f"{address}{path}")
        expect(shown.page.locator(".skeleton")).to_have_count(0)
        expect(shown.page.locator(CONTENT).first).to_be_visible()
        found[path] = shown.violations()
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert shown.complaints == []


CONTENT = ".trace-row, .node, .log-line, dev-chart, .wf-row, .compare-bars"


@pytest.mark.parametrize("width", [320, 768, 2560])
def test_no_page_of_traces_scrolls_sideways(opened: Opened, width: int) -> None:
    name = "a-service-with-a-very-long-name-" * 4
    long = span(1, service=name, name=name, attributes={name: name, "db.statement": name})
    record = log(1, name, service=name, attributes={name: name})
    stand_in = with_map_and_metrics(shop([trace(1, [long])], [record]), name)
    address = opened.serve(stand_in)
    shown = opened.tab(address, viewport={"width": width, "height": 800})
    for path in (*PAGES, f"{FIRST}?span={1:016x}", f"{FIRST}/compare/{trace_id(1)}"):
        visit(shown.page, f"{address}{path}")
        expect(shown.page.locator(CONTENT).first).to_be_visible()
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_pages_of_traces_speak_korean(opened: Opened) -> None:
    address = opened.serve(shop([a_visit(1)]))
    shown: Tab = opened.tab(f"{address}/traces", locale="ko-KR")
    expect(shown.page.get_by_role("heading", name="트레이스")).to_be_visible()
    visit(shown.page, f"{address}{FIRST}")
    expect(shown.page.get_by_role("button", name="이전 것과 비교")).to_be_visible()

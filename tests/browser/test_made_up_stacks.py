"""What the page does with stacks that no engine here would run: hostile, huge, and with parts of it away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opened, visit
from tests.browser.stand_in import StandIn, entry, line
from tests.engine.conftest import until

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
PAGES = ("/", "/graph", "/logs", "/activity", "/data", "/machine")


def test_hostile_names_lines_and_errors_are_text(opened: Opened) -> None:
    hostile = entry(SCRIPT, image=SCRIPT, addresses=["javascript:alert(3)", f"http://x/{SCRIPT}"], why=SCRIPT)
    cause = {"action": SCRIPT, "cause": SCRIPT, "kind": "files", "at": hostile["since"], "run": SCRIPT}
    stand_in = StandIn([{**hostile, "last_cause": cause}], [line(1, f"{SCRIPT}\x1b]0;title\x07\x1b[2J")])
    stand_in.project["project"] = SCRIPT
    stand_in.project["definition"] = {"state": "invalid", "error": SCRIPT, "hint": SCRIPT, "position": SCRIPT}
    stand_in.answers["snapshots"] = [
        {"name": SCRIPT, "service": SCRIPT, "size": 1, "created_at": hostile["since"], "volumes": []}
    ]
    address = opened.serve(stand_in)
    shown = opened.tab(address)
    shown.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    for path in PAGES:
        visit(shown.page, f"{address}{path}")
        expect(shown.page.locator(".brand-name")).to_have_text(SCRIPT)
        expect(shown.page.locator("img[src=x], main script")).to_have_count(0)
        expect(shown.page.locator("a[href^='javascript:']")).to_have_count(0)
    visit(shown.page, f"{address}/logs")
    expect(shown.page.locator(".log-text")).to_have_text(f"{SCRIPT}]0;title[2J")
    assert shown.complaints == []


def test_colours_of_a_terminal_are_shown(opened: Opened) -> None:
    text = "\x1b[31mred\x1b[0m \x1b[1;32mbold\x1b[0m \x1b[38;5;208morange\x1b[0m \x1b[38;2;1;2;3mtrue\x1b[0m"
    shown = opened.tab(f"{opened.serve(StandIn([entry('web')], [line(1, text)]))}/logs")
    expect(shown.page.locator(".log-text")).to_have_text("red bold orange true")
    expect(shown.page.locator(".ansi-red")).to_have_text("red")
    expect(shown.page.locator(".ansi-green.ansi-bold")).to_have_text("bold")
    colour = "element => getComputedStyle(element).color"
    assert shown.page.get_by_text("orange", exact=True).evaluate(colour) == "rgb(255, 135, 0)"
    assert shown.page.get_by_text("true", exact=True).evaluate(colour) == "rgb(1, 2, 3)"


def test_an_engine_that_is_away_is_told_and_found_again_without_a_movement(opened: Opened) -> None:
    stand_in = StandIn([entry("web")])
    shown = opened.tab(opened.serve(stand_in))
    row = shown.page.locator("tr[data-service=web]")
    expect(row).to_contain_text("healthy")
    before = row.bounding_box()
    whole = stand_in.project
    engine = {**whole["engine"], "state": "away", "error": "no answer", "hint": "start it"}
    stand_in.tell("project", {**whole, "engine": engine})
    stand_in.tell("services", [entry("web", stale=True)])
    expect(shown.page.locator(".banner")).to_contain_text("The engine does not answer")
    expect(shown.page.locator(".banner")).to_contain_text("no answer start it")
    expect(row).to_contain_text("unknown")
    expect(shown.page.get_by_role("button", name="Restart web")).to_be_disabled()
    assert row.bounding_box() == before
    stand_in.tell("project", whole)
    expect(shown.page.locator(".banner")).to_have_count(0)
    expect(shown.page.get_by_role("button", name="Restart web")).to_be_enabled()


def test_a_server_that_came_back_with_another_token_says_what_to_open(opened: Opened) -> None:
    stand_in = StandIn([entry("web")])
    shown = opened.tab(opened.serve(stand_in))
    expect(shown.page.locator("tr[data-service=web]")).to_be_visible()
    stand_in.status = 401
    stand_in.end()
    expect(shown.page.locator(".banner")).to_contain_text("Open the address that it prints")
    stand_in.status = 200
    expect(shown.page.locator(".banner")).to_have_count(0)


def test_a_stack_that_is_down_shows_what_up_would_do(opened: Opened) -> None:
    absent = entry("web", state="absent", health="", container="", ready=False, cpu_percent=None, memory=None)
    stand_in = StandIn([absent], stack="down")
    stand_in.answers["plan"]["lines"] = ["create network shop_default", "create container shop-web-1"]
    shown = opened.tab(opened.serve(stand_in))
    expect(shown.page.locator(".would-lines li")).to_have_text(stand_in.answers["plan"]["lines"])
    shown.page.locator(".would").get_by_role("button", name="Up").click()
    expect(shown.page.locator(".run.is-running")).to_have_count(1)  # before anything was told of it
    until(lambda: stand_in.posted)
    assert stand_in.posted == [{"task": "up", "services": [], "options": {}}]


def test_three_hundred_services_answer_within_a_tenth_of_a_second(opened: Opened) -> None:
    shown = opened.tab(opened.serve(StandIn([entry(f"service-{number:03}") for number in range(300)])))
    expect(shown.page.locator("tr[data-service]").first).to_be_visible()
    assert shown.page.locator("tr[data-service]").count() < 60
    took = """async () => {
        const began = performance.now();
        document.querySelector("tr[data-service] input").click();
        await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
        return performance.now() - began;
    }"""
    assert min(shown.page.evaluate(took) for _ in range(20)) < 100  # an idle moment is among them
    shown.page.get_by_label("Filter services").fill("service-299")
    expect(shown.page.locator("tr[data-service]")).to_have_count(1)
    shown.page.get_by_label("Filter services").fill("")
    shown.page.mouse.wheel(0, 100_000)
    expect(shown.page.locator("tr[data-service=service-299]")).to_be_visible()
    visit(shown.page, f"{shown.page.url}graph")
    expect(shown.page.locator(".node")).to_have_count(300)


def test_a_hundred_thousand_lines_are_walked_with_few_elements(opened: Opened) -> None:
    stand_in = StandIn([entry("web")], [line(number, f"line {number}") for number in range(1, 100_001)])
    shown = opened.tab(f"{opened.serve(stand_in)}/logs")
    expect(shown.page.get_by_text("line 100000", exact=True)).to_be_visible()
    for _ in range(12):
        shown.page.keyboard.press("Home")
        shown.page.locator(".log-scroll").evaluate("element => { element.scrollTop = 0; }")
        shown.page.wait_for_timeout(50)
    assert shown.page.locator(".log-line").count() < 150
    stand_in.write(line(100_001, "the newest"))
    expect(shown.page.get_by_role("button", name="new lines")).to_be_visible()
    shown.page.get_by_role("button", name="new lines").click()
    expect(shown.page.get_by_text("the newest", exact=True)).to_be_visible()


def test_each_line_is_shown_once_while_they_arrive(opened: Opened) -> None:
    stand_in = StandIn([entry("web")], [line(1, "line 1")])
    shown = opened.tab(f"{opened.serve(stand_in)}/logs")
    expect(shown.page.get_by_text("line 1", exact=True)).to_be_visible()
    for number in range(2, 59, 3):
        stand_in.write(*(line(one, f"line {one}") for one in range(number, number + 3)))
    expect(shown.page.get_by_text("line 59", exact=True)).to_have_count(0)
    expect(shown.page.get_by_text("line 58", exact=True)).to_be_visible()
    shown.page.set_viewport_size({"width": 1280, "height": 2400})
    expect(shown.page.locator(".log-text")).to_have_text([f"line {number}" for number in range(1, 59)])


def test_a_member_of_json_lines_is_chosen_with_its_value(opened: Opened) -> None:
    stand_in = StandIn([entry("web")], [line(1, '{"user":{"id":7}}', fields={"user.id": 7})])
    value = {"value": "7", "lines": 1}
    stand_in.answers["logs/fields"] = [{"name": "user.id", "lines": 1, "values": [value], "more": False}]
    shown = opened.tab(f"{opened.serve(stand_in)}/logs")
    shown.page.get_by_role("button", name="Filter by a field").click()
    dialog = shown.page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Field")).to_have_value("user.id")
    assert shown.violations() == []
    dialog.get_by_role("combobox", name="Condition").select_option("!=")
    dialog.get_by_role("button", name="7 1").click()
    expect(shown.page).to_have_url(re.compile(r"field=user\.id%21%3D7"))
    expect(shown.page.get_by_role("button", name="Remove the filter user.id!=7")).to_be_visible()
    assert shown.complaints == []


def test_ten_tabs_share_one_stream(opened: Opened) -> None:
    stand_in = StandIn([entry("web")])
    address = opened.serve(stand_in)
    first = opened.tab(address)
    tabs = [first.page] + [first.page.context.new_page() for _ in range(9)]
    for one in tabs[1:]:
        visit(one, address)
    stand_in.tell("service", entry("web", state="paused", health=""))
    for one in tabs:
        expect(one.locator("tr[data-service=web]")).to_contain_text("paused")
    first.page.close()
    expect(tabs[1].locator("tr[data-service=web]")).to_contain_text("paused")
    tabs[1].wait_for_timeout(200)
    stand_in.tell("service", entry("web"))
    expect(tabs[9].locator("tr[data-service=web]")).to_contain_text("healthy")


def test_a_read_only_dashboard_offers_no_action(opened: Opened) -> None:
    shown = opened.tab(opened.serve(StandIn([entry("web")], read_only=True)))
    expect(shown.page.get_by_role("button", name="Restart web")).to_be_disabled()
    expect(shown.page.get_by_role("button", name="Up", exact=True)).to_be_disabled()


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
def test_no_width_scrolls_sideways(opened: Opened, width: int) -> None:
    name = "a-service-with-a-very-long-name-" * 4
    stand_in = StandIn([entry(name, image="registry.example.org/" * 6, addresses=["http://localhost:8080"])])
    address = opened.serve(stand_in)
    shown = opened.tab(address, viewport={"width": width, "height": 800})
    for path in PAGES:
        visit(shown.page, f"{address}{path}")
        expect(shown.page.locator(".brand-name")).to_have_text("shop")
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width, path

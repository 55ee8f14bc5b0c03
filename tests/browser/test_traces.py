"""Requests of a browser to the real example, and what the dashboard shows of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import docker
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard, Tab, tab, visit
from tests.functional.conftest import Project
from tests.functional.samples import FIRST_UP, copy_of_example

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]
PATIENCE = 60_000  # ms, for what services send twice a second


@pytest.fixture(scope="module")
def example(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The example as it runs with `up --trace`."""
    folder = tmp_path_factory.mktemp("traces")
    project = copy_of_example(folder, client, "traces")
    project.variables["XDG_STATE_HOME"] = str(folder / "state")
    try:
        up = project.invoke("up", "--detach", "--trace", timeout=FIRST_UP)
        assert up.code == 0, up.err
        yield project
    finally:
        project.remove_everything()


@pytest.fixture(scope="module")
def dashboard(example: Project) -> Iterator[Dashboard]:
    served = Dashboard(example)
    yield served
    assert served.end() == 130


@pytest.fixture
def shown(dashboard: Dashboard, browser: Browser) -> Iterator[Tab]:
    with tab(browser, dashboard.at("/traces"), viewport={"width": 1280, "height": 900}) as opened:
        yield opened
        assert opened.complaints == []


@pytest.fixture
def page(shown: Tab) -> Page:
    return shown.page


def sample_page(page: Page, example: Project) -> Page:
    """Another tab, with the page of the example."""
    other = page.context.new_page()
    other.goto(f"http://localhost:{example.variables['WEB_PORT']}/")
    expect(other.locator("#visits")).to_be_visible()
    return other


def test_a_visit_is_a_waterfall_with_the_sql_and_the_redis_command(page: Page, example: Project) -> None:
    sample_page(page, example)
    page.get_by_role("link", name="GET /", exact=True).first.click(timeout=PATIENCE)
    spans = page.get_by_role("treeitem")
    expect(spans.filter(has_text="→ redis")).to_contain_text("INCRBY ? ? INFO ?", timeout=PATIENCE)
    select = spans.filter(has_text="ORDER BY id DESC")
    expect(select).to_contain_text("→ mysql", timeout=PATIENCE)
    select.click()
    panel = page.locator(".span-panel")
    expect(panel.locator("pre")).to_have_text(
        "SELECT id, text, UNIX_TIMESTAMP(written_at) FROM notes ORDER BY id DESC LIMIT %s"
    )
    expect(panel.get_by_role("button", name="Parent: GET /")).to_be_visible()
    expect(panel).to_contain_text(f"{example.name}-web-1")  # service.instance.id


def test_an_error_is_found_from_the_console_by_its_trace_and_back(
    page: Page, example: Project, dashboard: Dashboard
) -> None:
    form = sample_page(page, example)
    form.get_by_role("textbox").fill("a note for nobody")
    assert example.invoke("stop", "mysql").code == 0
    try:
        with form.expect_response(re.compile("/notes")) as answered:
            form.get_by_role("button", name="Add note").click()
        assert answered.value.status == 503
    finally:
        assert example.invoke("start", "mysql").code == 0
    visit(page, dashboard.at("/traces?errors=1"))
    expect(page.get_by_role("link", name="POST /notes")).to_be_visible(timeout=PATIENCE)
    visit(page, dashboard.at("/logs"))
    line = page.locator(".log-line", has_text="The note was not saved")
    line.get_by_role("link", name="Trace of the line").click(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="POST /notes", level=1)).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".trace-head .badge.is-bad")).to_be_visible()
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("POST /notes")
    expect(page.locator(".span-logs")).to_contain_text("The note was not saved", timeout=PATIENCE)
    page.get_by_role("link", name="Console lines of the trace").click()
    expect(line).to_be_visible()


def test_the_map_the_structured_logs_and_the_metrics_come_from_the_same_requests(
    page: Page, example: Project, dashboard: Dashboard
) -> None:
    sample_page(page, example)
    visit(page, dashboard.at("/traces/map"))
    expect(page.locator(".map-node")).to_have_count(3, timeout=PATIENCE)
    expect(page.get_by_role("row", name=re.compile("web mysql"))).to_be_visible()
    visit(page, dashboard.at("/traces/logs"))
    record = page.locator(".log-line", has_text="GET / 200").last
    expect(record).to_be_visible(timeout=PATIENCE)
    record.get_by_label("Details of the line").click()
    record.get_by_role("link", name="To its trace").click()
    expect(page.get_by_role("heading", name="GET /", exact=True, level=1)).to_be_visible(timeout=PATIENCE)
    visit(page, dashboard.at("/traces/metrics"))
    duration = page.locator(
        ".chart-card", has=page.get_by_role("heading", name=re.compile(r"http\.server\."))
    )
    expect(duration.first.locator(".chart-legend li").first).to_contain_text(
        re.compile(r"\d"), timeout=PATIENCE
    )


def test_an_export_is_imported_again(page: Page, dashboard: Dashboard) -> None:
    page.get_by_role("link", name="GET /", exact=True).first.click(timeout=PATIENCE)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON").click()
    file = download.value.path()
    visit(page, dashboard.at("/traces"))
    expect(page.locator(".trace-row").first).to_be_visible(timeout=PATIENCE)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("heading", name="GET /", exact=True, level=1)).to_be_visible(timeout=PATIENCE)

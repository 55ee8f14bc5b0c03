"""Each page and action of the dashboard, on the real example and a real engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import docker
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard, Tab, tab, visit
from tests.functional.conftest import Project
from tests.functional.samples import FIRST_UP, copy_of_example, expect_everything_answers

pytestmark = pytest.mark.engine
TASKS = '''
from typing import Literal

from invoke_devstack import stack

dev = stack()
namespace = dev


@dev.action("Seed notes", service="mysql")
def seed(c, count: int, size: Literal["small", "large"] = "small", loud: bool = False):
    """Fills the table of notes."""
    print(f"{count} {size} notes<b>!</b>" + "!" * loud)
'''
PAGES = ("/", "/graph", "/logs", "/services/web", "/activity", "/data", "/machine")


@pytest.fixture(scope="module")
def example(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = copy_of_example(tmp_path_factory.mktemp("pages"), client, "pages")
    project.write("tasks.py", TASKS)
    try:
        up = project.invoke("up", "--detach", timeout=FIRST_UP)
        assert up.code == 0, up.err
        yield project
    finally:
        project.invoke("snapshots.rm", "before", "--yes")
        project.remove_everything()


@pytest.fixture(scope="module")
def dashboard(example: Project) -> Iterator[Dashboard]:
    served = Dashboard(example)
    yield served
    assert served.end() == 130


@pytest.fixture
def shown(dashboard: Dashboard, browser: Browser) -> Iterator[Tab]:
    with tab(browser, dashboard.at("/"), viewport={"width": 1280, "height": 900}) as opened:
        expect(opened.page.locator(".rail-state")).to_have_text("Up")
        yield opened
        assert opened.complaints == []


@pytest.fixture
def page(shown: Tab) -> Page:
    return shown.page


def ended(page: Page, task: str) -> None:
    """The run that the corner shows has ended well."""
    expect(page.locator(".run.is-ok", has_text=task)).to_be_visible(timeout=60_000)


@pytest.mark.timeout(400)
def test_the_token_leaves_the_address_and_stays_as_a_cookie(page: Page, dashboard: Dashboard) -> None:
    assert "token" not in page.url
    visit(page, dashboard.address.partition("?")[0])
    expect(page.locator("tr[data-service=web]")).to_contain_text("healthy")


def test_the_stack_shows_state_addresses_and_what_it_costs(page: Page) -> None:
    web = page.locator("tr[data-service=web]")
    expect(web).to_contain_text("healthy")
    expect(web.locator(".col-use").first).to_have_text(re.compile(r"\d %"))
    expect(web.locator(".col-use").last).to_have_text(re.compile(r"\d [kM]B"))
    expect(page.locator("tr[data-service=mysql] .tag")).to_have_text("stand-in")
    with page.context.expect_page() as opened:
        web.locator("a.address").click()
    expect_everything_answers(opened.value)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_violation_that_axe_knows(
    dashboard: Dashboard, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    found: dict[str, list[str]] = {}
    with tab(browser, dashboard.at("/"), color_scheme=scheme, reduced_motion="reduce") as opened:
        for path in PAGES:
            visit(opened.page, dashboard.at(path))
            expect(opened.page.locator("main > *")).to_be_visible()
            expect(opened.page.locator(".skeleton")).to_have_count(0, timeout=60_000)
            found[path] = opened.violations()
        opened.page.keyboard.press("Control+k")
        expect(opened.page.get_by_role("option").first).to_be_visible()
        found["palette"] = opened.violations()
        assert opened.complaints == []
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_a_service_is_stopped_and_started_and_the_row_follows(page: Page) -> None:
    row = page.locator("tr[data-service=redis]")
    page.get_by_role("button", name="Stop redis").click()
    expect(row).to_contain_text("exited", timeout=60_000)
    expect(page.locator(".rail-state")).to_have_text("Partly up", timeout=60_000)
    page.get_by_role("button", name="Start redis").click()
    expect(row).to_contain_text("healthy", timeout=60_000)


def test_a_selection_is_paused_and_goes_on(page: Page) -> None:
    page.get_by_label("Select redis").check()
    page.get_by_label("Select web").check()
    page.get_by_role("toolbar").get_by_role("button", name="Pause", exact=True).click()
    for service in ("redis", "web"):
        expect(page.locator(f"tr[data-service={service}]")).to_contain_text("paused", timeout=60_000)
    page.get_by_role("toolbar").get_by_role("button", name="Unpause").click()
    for service in ("redis", "web"):
        expect(page.locator(f"tr[data-service={service}]")).to_contain_text("healthy", timeout=60_000)


def test_keys_move_open_and_go_back(page: Page) -> None:
    expect(page.locator("tr[data-service=web]")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="redis")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.locator("page-logs")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="redis")).to_be_visible()
    page.go_back()
    expect(page.locator("tr[data-service=web]")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="redis")).to_be_visible()


def test_the_palette_finds_an_action_of_a_service(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("rest web")
    expect(page.get_by_role("option").first).to_contain_text("Restart web")
    page.keyboard.press("Enter")
    ended(page, "restart web")


def test_an_own_action_has_a_form_and_its_output_is_text(page: Page) -> None:
    page.get_by_role("button", name="Run Seed notes").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Seed notes").click()
    expect(dialog).to_be_visible()  # the number is required
    dialog.get_by_label("count").fill("12")
    dialog.get_by_label("size").select_option("large")
    dialog.get_by_label("loud").check()
    dialog.get_by_role("button", name="Seed notes").click()
    expect(page.locator(".run-output")).to_contain_text("12 large notes<b>!</b>!", timeout=60_000)


def test_the_service_page_says_where_values_come_from_and_hides_secrets(
    page: Page, dashboard: Dashboard
) -> None:
    visit(page, dashboard.at("/services/web"))
    row = page.get_by_role("row", name="MYSQL_PASSWORD")
    expect(row).to_contain_text("services/web.yaml:")
    expect(row).not_to_contain_text("local-sample")
    for title in (
        "Ports",
        "Mounts",
        "Networks",
        "Processes",
        "Probes",
        "Changed files",
        "Connection strings",
    ):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator(".command-lines").first).to_contain_text("docker ")
    expect(page.locator(".card", has_text="Waits for").get_by_role("link", name="mysql")).to_be_visible()


def test_logs_are_filtered_linked_and_searched(page: Page, dashboard: Dashboard) -> None:
    visit(page, dashboard.at("/logs"))
    expect(page.locator(".log-line", has_text="Serving on port").first).to_be_visible()
    page.get_by_label("Filter lines").fill("ready for connections")
    expect(page.locator(".log-line mark").first).to_have_text("ready for connections")
    expect(page.locator(".log-line", has_text="Serving on port")).to_have_count(0)
    page.locator(".log-main").last.click()
    page.get_by_role("button", name="Show what is around it").click()
    expect(page).to_have_url(re.compile("line="))
    expect(page.locator(".log-line.is-target")).to_contain_text("ready for connections")
    page.get_by_label("Filter lines").fill("port (")
    page.get_by_role("button", name="Regular expression").click()
    expect(page.get_by_label("Filter lines")).to_have_class(re.compile("is-wrong"))
    page.get_by_label("Filter lines").fill(r"port \d{4}")
    page.get_by_role("button", name="Search everything").click()
    expect(page.locator(".search-head")).to_contain_text("done")
    expect(page.locator(".log-line", has_text="Serving on port 5000").first).to_be_visible()


def test_a_wrong_regular_expression_is_the_only_complaint(dashboard: Dashboard, browser: Browser) -> None:
    with tab(browser, dashboard.at("/logs?q=(&regex=1")) as opened:
        expect(opened.page.get_by_role("alert")).to_be_visible()
        opened.page.get_by_label("Filter lines").fill("port")
        expect(opened.page.locator(".log-line").first).to_be_visible()


def test_a_service_is_switched_off_in_the_logs(page: Page, dashboard: Dashboard) -> None:
    visit(page, dashboard.at("/logs"))
    expect(page.locator(".log-service", has_text="mysql").first).to_be_visible()
    page.locator(".chip-toggle", has_text="mysql").click()
    expect(page.locator(".log-service", has_text="mysql")).to_have_count(0)
    expect(page.locator(".log-line").first).to_be_visible()
    page.reload()
    expect(page.locator(".chip-toggle", has_text="mysql")).to_have_attribute("aria-pressed", "false")


def test_what_is_filtered_is_downloaded(page: Page, dashboard: Dashboard) -> None:
    visit(page, dashboard.at("/logs?services=web&q=Serving"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all that match").click()
    text = Path(download.value.path()).read_text()
    assert text
    assert all("Serving" in line for line in text.splitlines())


def test_two_runs_are_compared(page: Page, dashboard: Dashboard, example: Project) -> None:
    for _ in range(2):
        assert example.invoke("restart", "-s", "redis").code == 0
    visit(page, dashboard.at("/activity"))
    rows = page.locator(".run-row", has_text="invoke restart -s redis")
    expect(rows).to_have_count(2)
    for row in rows.all():
        row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Two runs compared")).to_be_visible()
    expect(page.locator(".compare-bars").first).to_be_visible()


def test_data_is_snapshotted_restored_and_only_reset_with_its_name(page: Page, dashboard: Dashboard) -> None:
    visit(page, dashboard.at("/data"))
    card = page.locator(".card", has=page.get_by_role("heading", name="redis"))
    card.get_by_role("button", name="Take a snapshot").click()
    page.get_by_role("dialog").get_by_label("Name").fill("before")
    page.get_by_role("dialog").get_by_role("button", name="Take a snapshot").click()
    row = page.get_by_role("row", name="before")
    expect(row).to_contain_text("redis", timeout=60_000)
    ended(page, "snapshot")
    page.get_by_role("button", name="Restore before").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Restore")).to_be_disabled()
    dialog.get_by_label(re.compile("Type")).fill("redis")
    dialog.get_by_role("button", name="Restore").click()
    ended(page, "restore")
    with page.expect_download() as download:
        row.get_by_role("link", name="Export").click()
    page.get_by_role("button", name="Delete before").click()
    dialog.get_by_label(re.compile("Type")).fill("before")
    dialog.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0, timeout=60_000)
    page.get_by_label("A file with a snapshot").set_input_files(download.value.path())
    ended(page, "snapshots.import")
    expect(row).to_contain_text("redis", timeout=60_000)


def test_sizes_of_volumes_are_told(page: Page, dashboard: Dashboard, example: Project) -> None:
    visit(page, dashboard.at("/data"))
    volume = page.locator(".volume", has_text=f"{example.name}_").first
    expect(volume).to_contain_text(re.compile(r"\d+ [kMG]?B"), timeout=60_000)
    visit(page, dashboard.at("/machine"))
    card = page.locator(".card", has=page.get_by_role("heading", name="Largest volumes"))
    expect(card.get_by_role("row").nth(1)).to_contain_text(re.compile(r"\d+ [kMG]?B"), timeout=60_000)


def test_a_file_that_is_no_snapshot_is_refused_with_its_reason(
    page: Page, dashboard: Dashboard, tmp_path: Path
) -> None:
    (tmp_path / "notes.tar").write_text("no snapshot")
    visit(page, dashboard.at("/data"))
    page.get_by_label("A file with a snapshot").set_input_files(tmp_path / "notes.tar")
    failed = page.locator(".run", has_text="snapshots.import").filter(has_text="not a snapshot")
    expect(failed).to_be_visible(timeout=60_000)


def test_the_machine_lists_this_stack_the_checks_and_the_disk(page: Page, dashboard: Dashboard) -> None:
    visit(page, dashboard.at("/machine"))
    row = page.get_by_role("row", name=f"{dashboard.project.name} this one")  # its volumes have rows too
    expect(row).to_contain_text("3 / 3")
    expect(page.locator(".check-row").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("row", name="Build cache")).to_be_visible(timeout=60_000)


def test_the_page_speaks_korean_and_remembers_it(page: Page) -> None:
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("heading", name="스택")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="스택")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "ko"


def test_down_shows_what_up_would_do_and_up_brings_it_back(page: Page) -> None:
    page.get_by_role("button", name="Down", exact=True).click()
    expect(page.locator(".rail-state")).to_have_text("Down", timeout=60_000)
    expect(page.locator(".would-lines li").first).to_be_visible(timeout=60_000)
    page.locator(".would").get_by_role("button", name="Up").click()
    expect(page.locator(".rail-state")).to_have_text("Up", timeout=90_000)

"""The sample as a person meets it: `invoke up`, then its page in a browser.

With DEVSTACK_SCREENSHOT=1, a picture of the page is put into docs/images.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Literal

import docker
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.functional.conftest import ROOT, Project
from tests.functional.samples import FIRST_UP, copy_of_example, expect_everything_answers


@pytest.fixture(scope="module")
def sample(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The repository's own stack, up and ready in a copy of the project, on ports of its own."""
    project = copy_of_example(tmp_path_factory.mktemp("sample"), client, "sample")
    try:
        bring_up(project, timeout=FIRST_UP)
        yield project
    finally:
        project.remove_everything()


@pytest.fixture
def page(sample: Project, browser: Browser) -> Iterator[Page]:
    """A visitor's first look at the page, with nothing remembered from earlier."""
    page = browser.new_page(base_url=address(sample))
    page.goto("/")
    yield page
    page.close()


def bring_up(project: Project, timeout: float = 90.0) -> None:
    up = project.invoke("up", "--detach", timeout=timeout)
    assert up.code == 0, up.err


def address(project: Project) -> str:
    return f"http://localhost:{project.variables['WEB_PORT']}"


def visits(page: Page) -> int:
    return int(page.locator("#visits").inner_text().replace(",", ""))


def add_note(page: Page, text: str) -> None:
    page.get_by_label("A new note").fill(text)
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Note added.")).to_be_visible()
    page.wait_for_load_state()  # its styles are part of it


def delete_all_notes(page: Page) -> None:
    while page.get_by_role("listitem").count():
        page.get_by_role("listitem").first.get_by_role("button", name="Delete").click()


def take_picture(project: Project, browser: Browser) -> None:
    """The page with a few notes, for the documentation."""
    page = browser.new_page(
        base_url=address(project), viewport={"width": 960, "height": 600}, device_scale_factor=2
    )
    page.goto("/")
    delete_all_notes(page)
    for text in ("Ask Jae-hyun about the flaky test", "점심은 비빔밥 🌱", "Water the plants on Friday"):
        add_note(page, text)
    page.reload()
    page.screenshot(path=ROOT / "docs/images/sample.png", full_page=True)
    page.close()


def health(project: Project) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(f"{address(project)}/healthz", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_until_healthy(project: Project, timeout: float = 120.0) -> None:
    end = time.monotonic() + timeout
    answer: object = None
    while time.monotonic() < end:
        try:
            answer = health(project)
            if answer[0] == 200:
                return
        except OSError as error:
            answer = error
        time.sleep(0.05)
    raise AssertionError(f"not healthy after {timeout:g} seconds: {answer}")


@pytest.mark.timeout(400)
def test_each_visit_counts_one_more(page: Page) -> None:
    before = visits(page)
    page.reload()
    assert visits(page) == before + 1
    page.goto("/")
    assert visits(page) == before + 2


def test_a_note_that_is_added_is_there_after_a_reload_until_it_is_deleted(page: Page) -> None:
    text = f"Call the bakery {secrets.token_hex(3)}"
    add_note(page, text)
    page.reload()
    note = page.get_by_role("listitem").filter(has_text=text)
    expect(note).to_be_visible()
    note.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Note deleted.")).to_be_visible()
    page.reload()
    expect(page.get_by_text(text)).to_have_count(0)


def test_the_page_that_answers_a_form_is_no_visit(page: Page) -> None:
    before = visits(page)
    add_note(page, "counted once")
    assert visits(page) == before
    page.reload()
    assert visits(page) == before + 1


def test_a_note_in_any_script_is_kept_as_it_was_written(page: Page) -> None:
    text = f"안녕하세요 🌱 <b>not bold</b> & 'quoted' {secrets.token_hex(3)}"
    add_note(page, text)
    page.reload()
    expect(page.locator(".note-text").first).to_have_text(text)


def test_the_page_shows_both_servers_with_version_and_state(
    sample: Project, browser: Browser, page: Page
) -> None:
    expect_everything_answers(page)
    for service in ("redis", "mysql"):
        card = page.locator(f'[data-service="{service}"]')
        expect(card.locator(".version")).to_have_text(re.compile(r"^\d+\.\d+"))
        expect(card.locator(".state")).to_have_text("Connected")
    if "DEVSTACK_SCREENSHOT" in os.environ:
        take_picture(sample, browser)


def test_the_page_loads_nothing_from_elsewhere_and_reports_no_error(
    sample: Project, browser: Browser
) -> None:
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.goto(address(sample), wait_until="networkidle")
    page.close()
    assert len(asked) >= 2
    assert all(url.startswith(address(sample)) for url in asked)
    assert complaints == []


@pytest.mark.parametrize("width", [320, 1200])
def test_no_width_makes_the_page_scroll_sideways(sample: Project, browser: Browser, width: int) -> None:
    page = browser.new_page(base_url=address(sample), viewport={"width": width, "height": 800})
    page.goto("/")
    add_note(page, "wide " + "W" * 300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("listitem").first.get_by_role("button", name="Delete").click()
    page.close()


def test_the_page_is_dark_where_the_system_is(sample: Project, browser: Browser) -> None:
    def darkness(scheme: Literal["light", "dark"]) -> int:
        page = browser.new_page(color_scheme=scheme)
        page.goto(address(sample))
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.close()
        return int(re.findall(r"\d+", colour)[0])

    assert darkness("dark") < 60 < 200 < darkness("light")


def test_a_database_that_is_away_is_named_and_found_again_without_a_restart(
    sample: Project, page: Page
) -> None:
    before = visits(page)
    sample.container("mysql").stop()
    page.reload()
    expect(page.locator("#status")).to_have_text("MySQL is away")
    assert visits(page) == before + 1
    status, parts = health(sample)
    assert (status, parts["redis"]) == (503, "ok")
    assert parts["mysql"].startswith("away: ")
    sample.container("mysql").start()
    wait_until_healthy(sample)
    page.reload()
    expect_everything_answers(page)


def test_notes_and_visits_outlive_down_and_up(sample: Project, browser: Browser) -> None:
    page = browser.new_page(base_url=address(sample))
    page.goto("/")
    text = f"still here {secrets.token_hex(3)}"
    add_note(page, text)
    before = visits(page)
    down = sample.invoke("down")
    assert down.code == 0, down.err
    assert sample.containers() == []
    bring_up(sample)
    page.goto("/")
    assert visits(page) == before + 1
    expect(page.get_by_text(text)).to_be_visible()
    page.close()


def test_every_service_ends_by_itself_and_mysql_writes_everything_down(sample: Project) -> None:
    try:
        for service in ("web", "mysql", "redis"):
            container = sample.container(service)
            container.stop()
            container.reload()
            assert container.attrs["State"]["ExitCode"] == 0, service
        assert b"Shutdown complete" in sample.container("mysql").logs(tail=5)
    finally:
        for service in ("redis", "mysql", "web"):
            sample.container(service).start()
        wait_until_healthy(sample)

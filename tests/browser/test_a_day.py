"""A day with the dashboard: break the Dockerfile, read why, fix it, and what else a day brings."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard, tab, visit
from tests.functional.conftest import Project
from tests.functional.samples import FIRST_UP, copy_of_example

pytestmark = pytest.mark.engine
PATIENCE = 90_000  # ms: a build is part of it
TASKS = '''
from invoke_devstack import stack

dev = stack()
namespace = dev


@dev.action("Complain", service="web")
def complain(c):
    """Writes an error among the logs of web."""
    dev.run_in("web", "python", "-c", "open('/proc/1/fd/1', 'w').write('ERROR the coffee is cold\\\\n')")
    print("complained")
'''


@dataclass
class Day:
    project: Project
    dashboard: Dashboard

    @property
    def dockerfile(self) -> Path:
        return self.project.directory / "flask-sample" / "Dockerfile"


@pytest.fixture
def day(client: docker.DockerClient, tmp_path: Path) -> Iterator[Day]:
    project = copy_of_example(tmp_path, client, "aday")
    project.write("tasks.py", TASKS)
    try:
        assert project.invoke("up", "--detach", timeout=FIRST_UP).code == 0
        watch = project.start("watch", "--json")
        assert watch.stdout is not None
        assert any("watch.started" in line for line in watch.stdout)
        drained = subprocess.Popen(["cat"], stdin=watch.stdout, stdout=subprocess.DEVNULL)
        dashboard = Dashboard(project)
        yield Day(project, dashboard)
        dashboard.end()
        watch.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            watch.wait(30)
        drained.wait(10)
    finally:
        project.invoke("snapshots.rm", "evening", "--yes")
        project.remove_everything()


@pytest.mark.timeout(500)
def test_a_day(day: Day, browser: Browser) -> None:
    with tab(browser, day.dashboard.at("/"), viewport={"width": 1280, "height": 900}) as opened:
        page = opened.page
        expect(page.locator("tr[data-service=web]")).to_contain_text("healthy")
        break_and_fix(day, page)
        find_the_error(day, page)
        restart(day, page)
        keep_and_restore(day, page)
        assert opened.complaints == []


def break_and_fix(day: Day, page: Page) -> None:
    good = day.dockerfile.read_text()
    visit(page, day.dashboard.at("/activity"))
    day.dockerfile.write_text(good.replace("EXPOSE 5000", "RUN echo oh-no && false"))
    failed = page.locator(".run-row", has_text="watch").filter(has_text="failed").first
    expect(failed).to_be_visible(timeout=PATIENCE)
    failed.get_by_role("link").first.click()
    expect(page.locator(".notice.is-bad")).to_contain_text("oh-no")
    page.go_back()
    day.dockerfile.write_text(good.replace("EXPOSE 5000", "EXPOSE 5000 5001"))
    ok = page.locator(".badge.is-ok")
    mended = page.locator(".run-row", has_text="watch").filter(has=ok).first
    expect(mended).to_be_visible(timeout=PATIENCE)
    mended.get_by_role("link").first.click()
    expect(page.locator(".bar-row", has_text="build").first).to_be_visible()


def find_the_error(day: Day, page: Page) -> None:
    visit(page, day.dashboard.at("/"))
    expect(page.locator("tr[data-service=web]")).to_contain_text("healthy", timeout=PATIENCE)
    page.get_by_role("button", name="Run Complain").click()
    expect(page.locator(".run-output")).to_contain_text("complained", timeout=PATIENCE)
    visit(page, day.dashboard.at("/logs"))
    page.get_by_label("Level").select_option("error")
    expect(page.locator(".log-line.level-error", has_text="the coffee is cold")).to_be_visible()
    expect(page.locator(".log-line.level-none")).to_have_count(0)


def restart(day: Day, page: Page) -> None:
    visit(page, day.dashboard.at("/services/web"))
    page.get_by_role("button", name="Restart", exact=True).click()
    expect(page.locator(".run.is-ok", has_text="restart web")).to_be_visible(timeout=PATIENCE)


def keep_and_restore(day: Day, page: Page) -> None:
    visit(page, day.dashboard.at("/data"))
    card = page.locator(".card", has=page.get_by_role("heading", name="mysql"))
    card.get_by_role("button", name="Take a snapshot").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("evening")
    dialog.get_by_role("button", name="Take a snapshot").click()
    expect(page.locator(".run.is-ok", has_text="snapshot mysql")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Restore evening").click()
    dialog.get_by_label(re.compile("Type")).fill("mysql")
    dialog.get_by_role("button", name="Restore").click()
    expect(page.locator(".run.is-ok", has_text="restore mysql")).to_be_visible(timeout=PATIENCE)

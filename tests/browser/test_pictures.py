"""The pages of the dashboard as a person sees them, on the real example. With DEVSTACK_PICTURES=1 they become
the pictures in docs/images/dashboard/ (Noto's fonts draw them: fonts-noto-core, fonts-noto-cjk)."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import docker
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard, tab, visit
from tests.functional.conftest import ROOT, Project
from tests.functional.samples import FIRST_UP, copy_of_example

KEPT = "DEVSTACK_PICTURES" in os.environ
PICTURES = ROOT / "docs" / "images" / "dashboard"
SIZES = {"": (1280, 800), "-phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PAGES = {
    "stack": "/",
    "graph": "/graph",
    "logs": "/logs",
    "service": "/services/web",
    "activity": "/activity",
    "data": "/data",
    "machine": "/machine",
}
TASKS = '''
from invoke_devstack import stack

dev = stack()
namespace = dev


@dev.action("Seed notes", service="mysql")
def seed(c, count: int = 20):
    """Fills the table of notes."""
'''


@pytest.mark.skipif(not KEPT, reason="minutes, and new pictures: DEVSTACK_PICTURES=1")
@pytest.mark.engine
@pytest.mark.timeout(900)
def test_pictures_of_every_page(busy: Dashboard, browser: Browser) -> None:
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            look = {"color_scheme": scheme, "viewport": {"width": width, "height": height}}
            with tab(browser, busy.at("/"), locale="en-GB", timezone_id="Europe/London", **look) as opened:
                for name, path in PAGES.items():
                    visit(opened.page, busy.at(path))
                    keep(opened.page, f"{name}-{scheme}{size}")
                visit(opened.page, busy.at("/activity"))
                opened.page.locator("a.row-name", has_text="up").last.click()
                expect(opened.page.locator("page-run")).to_be_visible()
                keep(opened.page, f"run-{scheme}{size}")
                assert opened.complaints == []


def keep(page: Page, name: str) -> None:
    """Writes what is shown once nothing is on its way any more."""
    expect(page.locator("main > *").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    page.wait_for_timeout(2000)  # ms: what moves has come to rest
    page.screenshot(path=PICTURES / f"{name}.png")


@pytest.fixture
def busy(client: docker.DockerClient) -> Iterator[Dashboard]:
    """The dashboard of a stack that has lived: visits, a restart, a snapshot."""
    project = copy_of_example(Path(tempfile.gettempdir()), client, "pictures", "example")
    project.write("tasks.py", TASKS)
    try:
        assert project.invoke("up", "--detach", timeout=FIRST_UP).code == 0
        dashboard = Dashboard(project)
        assert project.invoke("snapshot", "mysql", "--name", "friday").code == 0
        visit_sample(project, 20)
        assert project.invoke("restart", "-s", "redis").code == 0
        time.sleep(60)  # a minute of use is a line worth looking at
        visit_sample(project, 20)
        yield dashboard
        dashboard.end()
    finally:
        project.invoke("snapshots.rm", "friday", "--yes")
        project.remove_everything()
        shutil.rmtree(project.directory)


def visit_sample(project: Project, times: int) -> None:
    for _ in range(times):
        with urllib.request.urlopen(f"http://localhost:{project.variables['WEB_PORT']}/", timeout=30) as page:
            page.read()


def test_there_is_a_picture_of_every_page() -> None:
    wanted = {
        f"{name}-{scheme}{size}.png" for name in (*PAGES, "run") for scheme in SCHEMES for size in SIZES
    }
    assert wanted <= {path.name for path in PICTURES.glob("*.png")}

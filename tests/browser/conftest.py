"""The dashboard in a browser: `invoke dashboard` as a user starts it, and tabs that keep their complaints."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.stand_in import StandIn, serving
from tests.functional.conftest import Project, browser, busybox, client, new_project

__all__ = ["browser", "busybox", "client", "new_project"]

# Docker makes and removes networks, and Chromium breaks off what it loads then: the page asks again.
# A refusal is an answer to the page, which shows it, and Chromium tells the console too.
_NO_FAULTS = ("net::ERR_NETWORK_CHANGED", "status of 400", "status of 409")


class Tab:
    """A page of a browser, with everything that its console said."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._hear(message.type, message.text))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not any(known in text for known in _NO_FAULTS):
            self.complaints.append(text)

    def violations(self) -> list[str]:
        """What axe finds wrong, each with the element."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def visit(page: Page, address: str) -> None:
    """Goes there, once more if the browser broke off because a network of the machine came or went."""
    for _ in range(10):
        with suppress(Error):
            page.goto(address)
            page.locator(".brand").wait_for(timeout=10_000)
            return
    pytest.fail(f"{address} did not appear: {page.content()[:500]}")


@contextmanager
def tab(browser: Browser, address: str, **options: Any) -> Iterator[Tab]:
    """A tab of a browser that knows nothing yet, at this address."""
    context = browser.new_context(**options)
    opened = Tab(context.new_page())
    try:
        visit(opened.page, address)
        yield opened
    finally:
        context.close()


class Opened:
    """A stack that is made up, and tabs on it."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.ends = ExitStack()

    def serve(self, stand_in: StandIn) -> str:
        return self.ends.enter_context(serving(stand_in))

    def tab(self, address: str, **options: Any) -> Tab:
        return self.ends.enter_context(tab(self.browser, address, **options))


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    made = Opened(browser)
    with made.ends:
        yield made


class Dashboard:
    """`invoke dashboard`, running."""

    def __init__(self, project: Project, *words: str) -> None:
        self.project = project
        self._process = project.start("dashboard", "--no-open", *words)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            _, err = self._process.communicate(timeout=60)
            pytest.fail(f"no address: {err}")
        self._drains = [threading.Thread(target=stream.read, daemon=True) for stream in self._streams()]
        for drain in self._drains:
            drain.start()

    def _streams(self) -> list[Any]:
        return [self._process.stdout, self._process.stderr]

    def at(self, path: str) -> str:
        """The address of a page, with the token."""
        base, _, token = self.address.partition("/?token=")
        return f"{base}{path}{'&' if '?' in path else '?'}token={token}"

    def end(self) -> int:
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


expect.set_options(timeout=60_000)  # ms: what takes this long on a busy machine is slow, not wrong

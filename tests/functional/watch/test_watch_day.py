"""A person's day with the sample: `invoke up`, `invoke watch`, and edits of every kind."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from playwright.sync_api import Browser, expect

from tests.functional.conftest import Project
from tests.functional.samples import FIRST_UP, copy_of_example

PATIENCE = 90.0  # seconds: a rebuild with a download may be part of it
INSIDE = "/srv/sample/app"


class Day:
    """The sample under a running watch, whose events are kept."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.app = project.directory / "flask-sample" / "app"
        self.events: list[dict[str, Any]] = []
        self._process = project.start("watch", "--json")
        threading.Thread(target=self._read, daemon=True).start()
        self.await_event("watch.started")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def end(self) -> int:
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(60)

    def await_(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not reached():
            told = [event for event in self.events if event["type"] != "action.progress"][-5:]
            assert time.monotonic() < deadline, f"{what}; {told}"
            time.sleep(0.02)

    def await_event(self, kind: str) -> dict[str, Any]:
        """The first of its kind since the last `forget`."""
        self.await_(lambda: any(event["type"] == kind for event in self.events), kind)
        return next(event for event in self.events if event["type"] == kind)

    def forget(self) -> None:
        self.events.clear()

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        file = self.project.directory / path
        file.write_text(change(file.read_text()))

    def get(self, path: str = "/") -> str:
        """What the page answers, "" while it does not."""
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=30) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return ""

    @property
    def address(self) -> str:
        return f"http://localhost:{self.project.variables['WEB_PORT']}"

    def container_id(self) -> str:
        return str(self.project.container("web").id)

    def git(self, *words: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(
            ("git", *identity, *words), cwd=self.project.directory, check=True, capture_output=True
        )

    def host_files(self) -> dict[str, bytes]:
        files = (path for path in self.app.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.app)): path.read_bytes() for path in files}

    def container_files(self) -> dict[str, bytes] | None:
        """None while they change: the engine cuts its archive off where a file changes as it reads it."""
        chunks, _ = self.project.container("web").get_archive(INSIDE)
        try:
            return self._files_in(b"".join(chunks))
        except tarfile.ReadError:
            return None

    def _files_in(self, packed: bytes) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None and "__pycache__" not in Path(member.name).parts:
                    found[member.name.partition("/")[2]] = content.read()
        return found

    def await_same_files(self) -> None:
        self.await_(lambda: self.container_files() == self.host_files(), "the same files on both sides")


@pytest.fixture(scope="module")
def day(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    project = copy_of_example(tmp_path_factory.mktemp("day"), client, "day")
    try:
        up = project.invoke("up", "--detach", timeout=FIRST_UP)
        assert up.code == 0, up.err
        found = Day(project)
        yield found
        assert found.end() == 130
    finally:
        project.remove_everything()


@pytest.mark.timeout(400)
def test_an_edited_template_is_in_the_browser_at_the_next_look(day: Day, browser: Browser) -> None:
    before = day.container_id()
    page = browser.new_page(base_url=day.address)
    page.goto("/")
    day.forget()
    day.edit(
        "flask-sample/app/templates/index.html",
        lambda text: text.replace("{% block status %}", '{% block status %}<p id="fresh">Fresh</p>'),
    )
    day.await_event("watch.synced")
    page.reload()
    expect(page.locator("#fresh")).to_have_text("Fresh")
    page.close()
    assert day.container_id() == before


def add_route(path: str, body: str, imports: str = "") -> Callable[[str], str]:
    """An edit of pages.py that answers at `path`."""

    def change(text: str) -> str:
        head, mark, rest = text.partition('    @app.get("/")\n')
        name = path.strip("/")
        route = (
            f'    @app.get("{path}")\n'
            f"    def page_{name}() -> Page:\n"
            f"        {imports}\n"
            f"        return {body}\n\n"
        )
        return f"{head}{route}{mark}{rest}"

    return change


def test_edited_code_is_served_by_the_same_container(day: Day) -> None:
    before = day.container_id()
    day.edit("flask-sample/app/pages.py", add_route("/hello", '"hello from the edit"'))
    day.await_(lambda: day.get("/hello") == "hello from the edit", "the new route answers")
    assert day.container_id() == before


@pytest.mark.timeout(400)
def test_a_new_dependency_can_be_imported_after_one_rebuild(day: Day) -> None:
    before = day.container_id()
    day.forget()
    day.edit("flask-sample/requirements.txt", lambda text: f"{text}humanize\n")
    rebuilt = day.await_event("watch.rebuilt")
    assert rebuilt["paths"] == ["flask-sample/requirements.txt"]
    assert day.container_id() != before
    use = add_route("/count", "humanize.intcomma(1234567)", "import humanize")
    day.edit("flask-sample/app/pages.py", use)
    day.await_(lambda: day.get("/count") == "1,234,567", "the dependency is used")
    assert day.get("/hello") == "hello from the edit", "earlier edits are in the new container too"
    assert sum(event["type"] == "watch.rebuilt" for event in day.events) == 1


@pytest.mark.timeout(400)
def test_a_broken_dockerfile_is_told_while_the_old_container_serves(day: Day) -> None:
    before = day.container_id()
    day.forget()
    day.edit("flask-sample/Dockerfile", lambda text: text.replace("EXPOSE 5000", "RUN echo oh-no && false"))
    failed = day.await_event("watch.failed")
    assert "oh-no" in failed["error"]
    assert failed["hint"]
    assert day.get("/hello") == "hello from the edit"
    assert day.container_id() == before
    day.forget()
    day.edit(
        "flask-sample/Dockerfile", lambda text: text.replace("RUN echo oh-no && false", "EXPOSE 5000 5001")
    )
    day.await_event("watch.rebuilt")
    day.await_(lambda: day.get("/hello") == "hello from the edit", "the mended image serves")


def test_deleted_and_renamed_files_are_so_in_the_container(day: Day) -> None:
    (day.app / "templates" / "extra").mkdir()
    for name in ("one.html", "two.html"):
        (day.app / "templates" / "extra" / name).write_text(name)
    day.await_same_files()
    (day.app / "templates" / "extra" / "one.html").rename(day.app / "templates" / "first.html")
    day.await_same_files()
    shutil.rmtree(day.app / "templates" / "extra")
    (day.app / "templates" / "first.html").unlink()
    day.await_same_files()
    assert "templates/first.html" not in day.host_files()


@pytest.mark.timeout(400)
def test_a_branch_switch_and_back_leaves_both_sides_equal(day: Day) -> None:
    day.git("init", "--quiet", "--initial-branch", "main")
    day.git("add", ".")
    day.git("commit", "--quiet", "-m", "before")
    day.git("switch", "--quiet", "--create", "feature")
    for number in range(300):
        file = day.app / "static" / f"part{number % 7}" / f"{number}.css"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"/* {number} */")
    (day.app / "static" / "icon.svg").unlink()
    day.edit(
        "flask-sample/app/pages.py", lambda text: text.replace("hello from the edit", "hello from the branch")
    )
    day.git("add", "--all")
    day.git("commit", "--quiet", "-m", "feature")
    day.await_same_files()
    day.forget()
    day.git("switch", "--quiet", "main")
    day.await_same_files()
    day.await_(lambda: day.get("/hello") == "hello from the edit", "the code of main is served")
    assert sum(event["type"] == "watch.synced" for event in day.events) == 1, "a switch is one action"
    day.git("switch", "--quiet", "feature")
    day.await_same_files()
    day.await_(lambda: day.get("/hello") == "hello from the branch", "the code of the branch is served")
    assert [event for event in day.events if event["type"] == "watch.failed"] == []

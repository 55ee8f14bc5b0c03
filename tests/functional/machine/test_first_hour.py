"""A new developer's first hour, in a real terminal (tmux) and a real browser: clone, `make up`, look, edit,
break, fix, snapshot, lose data, restore, down.

With DEVSTACK_TRANSCRIPT=1, what the terminal showed becomes docs/first-hour.md.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest
from playwright.sync_api import Browser, Page

from tests.functional.conftest import ROOT, Project, find_free_port
from tests.functional.samples import expect_everything_answers
from tests.functional.stack.test_sample_page import add_note

PORTS = {"WEB_PORT": "8080", "MYSQL_PORT": "3306", "REDIS_PORT": "6379"}
PROMPT = "$"
FIRST_UP = 420.0  # seconds: a virtual environment, its packages, a build
QUICK = 90.0
NOTE = "Water the plants on Friday"


@dataclass
class Terminal:
    """A window of tmux: what is typed there and what it shows, as a person sees it."""

    socket: str
    directory: Path
    window: str

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-t", self.window, "-l", text)
        self._tmux("send-keys", "-t", self.window, "Enter")

    def press(self, key: str) -> None:
        self._tmux("send-keys", "-t", self.window, key)

    def shown(self) -> str:
        """All lines, those that scrolled away too."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-", "-t", self.window).rstrip()

    def wait_for(self, text: str, timeout: float = QUICK) -> str:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            shown = self.shown()
            if re.search(text, shown):
                return shown
            time.sleep(0.2)
        raise AssertionError(f"no {text!r} within {timeout:g} s in:\n{self.shown()}")

    def run(self, command: str, *, answer: str = "", timeout: float = QUICK) -> str:
        """Types a command on a clean screen and returns all that is there when it has ended."""
        self.clear()
        self.type(command)
        if answer:
            self.wait_for(r"\[y/N\]")
            self.type(answer)
        ended = rf"{re.escape(command)}[\s\S]*\n{re.escape(PROMPT)}$"
        return self.wait_for(ended, timeout).removesuffix(PROMPT).rstrip()

    def clear(self) -> None:
        """Waits for the prompt, and leaves nothing but it."""
        self.wait_for(rf"(^|\n){re.escape(PROMPT)}$")
        self.press("C-l")
        end = time.monotonic() + QUICK
        while self.shown() != PROMPT and time.monotonic() < end:
            time.sleep(0.1)
            self._tmux("clear-history", "-t", self.window)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.socket, *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=self.directory,
        )
        return done.stdout


@dataclass
class Story:
    """What becomes the page: sentences, and what the terminal showed, without what is this machine's."""

    replaced: dict[str, str]
    parts: list[str] = field(default_factory=list)

    def say(self, *lines: str) -> None:
        self.parts.append("\n".join(lines))

    def show(self, *screens: str) -> None:
        text = "\n".join(screens)
        for found, shown in self.replaced.items():
            text = text.replace(found, shown)
        lines = [line.rstrip() for line in text.splitlines() if line.strip() not in ("", PROMPT)]
        self.parts.append("\n".join(["```console", *lines, "```"]))

    def write(self, file: Path) -> None:
        file.write_text("\n\n".join(self.parts) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Hour:
    """A machine with git, make, Python and an engine, and nothing of ours."""

    project: Project
    terminal: Terminal
    second: Terminal
    story: Story

    @property
    def address(self) -> str:
        return f"http://localhost:{self.project.variables['WEB_PORT']}"


@pytest.fixture
def hour(client: docker.DockerClient, tmp_path: Path) -> Iterator[Hour]:
    if shutil.which("tmux") is None:
        pytest.skip("no tmux on this machine")
    socket = f"hour-{secrets.token_hex(3)}"
    ports = {name: str(find_free_port()) for name in PORTS}
    project = Project(tmp_path / "invoke-devstack", f"t-hour-{secrets.token_hex(4)}", client, ports)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if ".venv" not in part)
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "DOCKER_"))}
    environment = {**kept, "PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8", "PS1": f"{PROMPT} "}
    shell = ["bash", "--norc", "--noprofile"]
    words = ["tmux", "-L", socket, "-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "44", *shell]
    subprocess.run(words, env=environment, cwd=tmp_path, check=True)
    subprocess.run(["tmux", "-L", socket, "set-option", "-g", "history-limit", "20000"], check=True)
    subprocess.run(["tmux", "-L", socket, "new-window", "-d", *shell], cwd=tmp_path, check=True)
    replaced = {
        str(ROOT): "https://example.org/invoke-devstack.git",
        str(tmp_path): "~",
        project.name: "invoke-devstack",
        **{f":{port}": f":{PORTS[name]}" for name, port in ports.items()},
    }
    yield Hour(project, Terminal(socket, tmp_path, "0"), Terminal(socket, tmp_path, "1"), Story(replaced))
    subprocess.run(["tmux", "-L", socket, "kill-server"], check=False)
    project.remove_everything()
    for volume in client.volumes.list(filters={"name": f"{project.name}.snapshot"}):
        volume.remove()


@pytest.fixture
def page(browser: Browser, hour: Hour) -> Iterator[Page]:
    page = browser.new_page(base_url=hour.address)
    yield page
    page.close()


@pytest.mark.timeout(900)
def test_the_first_hour(hour: Hour, page: Page) -> None:
    for step in (arrive, look_and_edit, break_and_fix, save_lose_and_restore, leave):
        step(hour, page)
    if "DEVSTACK_TRANSCRIPT" in os.environ:
        hour.story.write(ROOT / "docs" / "first-hour.md")


def arrive(hour: Hour, page: Page) -> None:
    story, terminal = hour.story, hour.terminal
    story.say("# The first hour")
    story.say(
        "What a developer types on the first morning, and what the terminal shows. The test",
        "`tests/functional/machine/test_first_hour.py` does all of it and wrote this page, with its times.",
    )
    story.say("## Clone and start")
    story.show(
        terminal.run(f"git clone --quiet {shlex.quote(str(ROOT))} invoke-devstack && cd invoke-devstack")
    )
    values = {"COMPOSE_PROJECT_NAME": hour.project.name, **hour.project.variables}
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    (hour.project.directory / ".env").write_text(lines)
    terminal.clear()
    terminal.type("make up")
    terminal.wait_for(r"watching \d+ paths", FIRST_UP)
    terminal.wait_for(r"✔ web +healthy[\s\S]*q stop  \? help\n*$")
    time.sleep(2)
    story.show(without_log_lines(terminal.shown()))
    story.say(
        "The terminal keeps showing the logs, and below them, in lines that stay, each service and the keys:",
        "`o` opens the page, `l` shows the logs of one service, `?` explains the others. From now on, every",
        "saved file is in the containers at once. ([How it looks](guides/everyday.md).)",
    )


def look_and_edit(hour: Hour, page: Page) -> None:
    hour.story.say("## Open the page and edit it")
    page.goto("/")
    expect_everything_answers(page)
    add_note(page, NOTE)
    second = hour.second
    entered = second.run("cd invoke-devstack")
    second.run(". .venv/bin/activate && PS1='$ '")
    hour.story.say(f"http://localhost:8080 answers, and stores a note: “{NOTE}”. In a second terminal:")
    hour.story.show(entered, f"{PROMPT} . .venv/bin/activate", second.run("invoke urls"))
    hour.story.show(
        second.run("sed -i 's/devstack sample/my first edit/' flask-sample/app/templates/base.html")
    )
    reload_until(page, lambda: page.title() == "my first edit")
    assert "my first edit" in page.content()
    hour.terminal.wait_for("web .*base.html|synced")
    hour.story.say(
        "After a reload, the page's title is “my first edit”. No image was built and nothing was restarted."
    )


def break_and_fix(hour: Hour, page: Page) -> None:
    story, second = hour.story, hour.second
    story.say("## Break it, read the hint, fix it")
    broken = second.run("sed -i 's/^      redis:$/      rediss:/' services/web.yaml")
    told = second.run("invoke up --detach")
    assert "services/web.yaml:" in told
    assert re.search(r"hint: .*redis", told)
    story.show(broken, told)
    expect_page(page)
    story.say("Nothing was changed: the page still answers. The position and the hint say what to fix.")
    reverted = second.run("git checkout --quiet services/web.yaml")
    fixed = second.run("invoke up --detach")
    assert "error" not in fixed
    story.show(reverted, fixed)


def save_lose_and_restore(hour: Hour, page: Page) -> None:
    story, second = hour.story, hour.second
    story.say("## Save the data, lose it, restore it")
    saved = second.run("invoke snapshot mysql --name friday")
    assert "friday" in saved
    story.show(saved)
    delete = 'MYSQL_PWD=$MYSQL_PASSWORD mysql -u $MYSQL_USER $MYSQL_DATABASE -e "DELETE FROM notes"'
    story.show(second.run(f"invoke exec mysql -- sh -c '{delete}'"))
    reload_until(page, lambda: page.get_by_text(NOTE).count() == 0)
    story.say("The note is gone. `restore` says what it would replace, and asks:")
    restored = second.run("invoke restore mysql --name friday", answer="y")
    assert "friday" in restored
    story.show(restored)
    reload_until(page, lambda: page.get_by_text(NOTE).count() == 1)
    story.say("The note is back.")


def leave(hour: Hour, page: Page) -> None:
    story, terminal = hour.story, hour.terminal
    story.say("## Shut down")
    story.say(
        "`q` in the first terminal, or Ctrl-C, stops everything gracefully; `make down` removes the",
        "containers.",
    )
    terminal.press("q")
    terminal.wait_for(r"mysql +(stopped in|killed)")
    down = terminal.run("make down")
    story.show(down)
    assert hour.project.containers() == []
    assert {volume.name for volume in hour.project.volumes()} >= {f"{hour.project.name}_mysql-data"}
    story.say("The data stays, for tomorrow.")


def without_log_lines(screen: str) -> str:
    """The screen with one line in place of all that the servers said while they started."""
    lines = ["…" if re.match(r"(mysql|redis) \| ", line) else line for line in screen.splitlines()]
    return "\n".join(
        line for line, before in zip(lines, ["", *lines], strict=False) if line != before or line != "…"
    )


def expect_page(page: Page) -> None:
    page.reload()
    expect_everything_answers(page)


def reload_until(page: Page, is_so: Callable[[], bool], timeout: float = 40.0) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        page.reload()
        if is_so():
            return
        time.sleep(0.3)
    raise AssertionError(f"the page did not become so:\n{page.content()}")

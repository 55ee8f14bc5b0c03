"""Screens as a person sees them, at 80 and 140 columns. With DEVSTACK_PICTURES=1 they become the pictures in
docs/images/terminal/, as text and drawn on dark and on light."""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

from tests.functional.conftest import ROOT, TASKS, Project, find_free_port
from tests.tmux import Window

PICTURES = ROOT / "docs" / "images" / "terminal"
KEPT = "DEVSTACK_PICTURES" in os.environ
THEMES: dict[str, TerminalTheme] = {"dark": SVG_EXPORT_THEME, "light": DEFAULT_TERMINAL_THEME}
STACK = r"""
    services:
      web:
        build: .
        init: true
        command: [sh, -c, "echo listening on 8080; httpd -f -p 8080 -h /www"]
        ports: ["PORT:8080"]
        depends_on: [api]
        develop: {watch: [{action: rebuild, path: ./page}]}
      api:
        image: IMAGE
        init: true
        command: [sh, -c, "echo migrated 12 tables; while sleep 2; do echo GET /healthz 200; done"]
        healthcheck: {test: ["CMD", "true"], interval: 1s}
      db:
        image: IMAGE
        init: true
        command: [sh, -c, "echo ready to accept connections; sleep 6000"]
        healthcheck: {test: ["CMD", "true"], interval: 1s}
      worker:
        image: IMAGE
        init: true
        restart: "on-failure:2"
        command: [sh, -c, "sleep 3; echo no such queue; exit 1"]
"""


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str
) -> Iterator[Project]:
    name = "shop" if KEPT else f"t-shop-{secrets.token_hex(4)}"
    project = Project(tmp_path_factory.mktemp("pictures") / "shop", name, client)
    project.write("tasks.py", TASKS)
    project.compose(STACK.replace("PORT", "8080" if KEPT else str(find_free_port())))
    project.write("Dockerfile", f"FROM {busybox}\nCOPY page /www/page\n")
    project.write("page", "one")
    project.variables["XDG_STATE_HOME"] = str(project.directory / "state")
    yield project
    project.remove_everything()


@pytest.mark.parametrize("columns", [80, 140])
def test_an_attached_up(shop: Project, columns: int) -> None:
    with Window(shop.directory, shop.environment, columns=columns, rows=24) as window:
        window.type("invoke up", "Enter")
        window.wait_for("^watching ", everywhere=True)
        window.wait_for("^✘ worker +exited 1 +2 restarts")
        shop.write("page", secrets.token_hex(4))
        window.wait_for(r"^✔ web .* rebuilt \d\d:\d\d:\d\d")
        window.wait_for("^web +│? ?.*rebuilt in")
        shown = window.screen()
        rows = shown.splitlines()[-6:]
        assert rows[0].startswith(f"── {shop.name} ─")
        assert [row.split()[1] for row in rows[1:5]] == ["api", "db", "web", "worker"]
        assert max(map(len, shown.splitlines())) <= columns
        assert ("in " in rows[3].partition("rebuilt")[2]) == (columns > 80)
        keep(f"up-{columns}", "invoke up", window.screen(styled=True), columns)
        window.type("d")
        window.wait_for("Detached;")


@pytest.mark.parametrize("columns", [80, 140])
def test_status(shop: Project, columns: int) -> None:
    shop.invoke("up", "-d")
    with Window(shop.directory, shop.environment, columns=columns, rows=24) as window:
        window.type("clear; invoke status", "Enter")
        window.wait_for("^`invoke up` would")
        shown = window.screen()
        assert re.search(r"^✔ web +running +http://localhost:\d+ +rebuilt \d+ ", shown, re.MULTILINE)
        assert max(map(len, shown.splitlines())) < 80
        keep(f"status-{columns}", "invoke status", window.screen(styled=True), columns)


def keep(name: str, title: str, screen: str, columns: int) -> None:
    """Writes the screen as text and as pictures, if they are wanted."""
    if not KEPT:
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    lines = [*AnsiDecoder().decode(screen)]  # a style may go on in the next line
    text = "\n".join(line.plain.rstrip() for line in lines)
    (PICTURES / f"{name}.txt").write_text(f"{text}\n", "utf-8")
    for theme, colours in THEMES.items():
        (PICTURES / f"{name}-{theme}.svg").write_text(svg_of(lines, title, columns, colours), "utf-8")


def svg_of(lines: list[Text], title: str, columns: int, theme: TerminalTheme) -> str:
    """Without the addresses of fonts that a page would load."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=columns,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
    )
    for line in lines:
        console.print(line, soft_wrap=True)
    form = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("Fira Code, monospace", "ui-monospace, DejaVu Sans Mono, monospace")
    drawn = console.export_svg(title=title, theme=theme, code_format=form, unique_id="screen")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def test_the_pictures_are_there_and_load_nothing() -> None:
    names = {
        f"{task}-{columns}-{theme}.svg"
        for task in ("up", "status")
        for columns in (80, 140)
        for theme in THEMES
    }
    assert {path.name for path in PICTURES.glob("*.svg")} == names
    for path in PICTURES.glob("*.svg"):
        assert path.stat().st_size < 60_000
        assert not re.search(r"url\(.?https?:|href=.https?:", path.read_text("utf-8")), path.name
    for path in PICTURES.glob("*.txt"):
        assert Path(path).read_text("utf-8").strip()

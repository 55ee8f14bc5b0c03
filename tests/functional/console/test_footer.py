"""The footer of an attached `up`, in a real terminal and on one small stack: what is seen, and each key."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import TASKS, Project, find_free_port
from tests.proxy import EngineProxy
from tests.tmux import Window, numbers_in

STACK = r"""
    services:
      web:
        build: .
        init: true
        command: [sh, -c, "echo web begins; httpd -f -p 8080 -h /www"]
        ports: ["PORT:8080"]
        develop: {watch: [{action: rebuild, path: ./page}]}
        depends_on: [cache]
      cache:
        image: IMAGE
        init: true
        command: [sh, -c, "echo cache begins; sleep 6000"]
      counter:
        image: IMAGE
        init: true
        command:
          - sh
          - -c
          - |
            while sleep 0.1; do
              [ -e /tmp/go ] || continue
              rm /tmp/go
              i=0
              while [ $$i -lt 3000 ]; do
                i=$$((i+1)); echo "line $$i of many, as long as a line of a log often is."
              done
            done
"""
KEYS = "d detach  o open"
RULE = "──"


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str
) -> Iterator[Project]:
    name = f"t-footer-{secrets.token_hex(4)}"
    project = Project(tmp_path_factory.mktemp("footer") / name, name, client)
    project.write("tasks.py", TASKS)
    project.compose(STACK.replace("PORT", str(find_free_port())))
    project.write("Dockerfile", f"FROM {busybox}\nCOPY page /www/page\n")
    project.write("page", "one")
    script = project.write("browser", '#!/bin/sh\necho "$1" >opened\n')
    script.chmod(0o755)
    project.variables["BROWSER"] = f"{script} %s"
    project.variables["XDG_STATE_HOME"] = str(project.directory / "state")
    assert project.invoke("up").code == 0
    yield project
    project.remove_everything()


@pytest.fixture
def window(stack: Project) -> Iterator[Window]:
    with Window(stack.directory, stack.environment) as window:
        yield window


def attach(window: Window) -> None:
    """Starts an `up` that stays, and waits for its footer and its watch."""
    window.type("invoke up", "Enter")
    window.wait_for(r"^watching ", everywhere=True)
    window.wait_for(rf"^{KEYS}")


def detach(window: Window) -> None:
    window.type("d")
    window.wait_for("Detached;", everywhere=True)
    window.wait_for(r"^\$ ?$")


def test_services_stand_below_and_the_addresses_come_after_the_noise_of_the_start(
    stack: Project, window: Window
) -> None:
    assert stack.invoke("stop").code == 0
    attach(window)
    window.wait_for(r"^✔ web .*running +http://localhost:\d+")
    lines = window.history()
    (summary,) = (place for place, line in enumerate(lines) if " is up: " in line)
    (address,) = (place for place, line in enumerate(lines) if re.search(r"✔ web .*http.*\d s$", line))
    noise = [place for place, line in enumerate(lines) if line.endswith(" begins")]
    assert len(noise) == 2
    assert max(noise) < address < summary
    assert [line.split()[1] for line in window.screen().splitlines()[-4:-1]] == ["cache", "counter", "web"]
    detach(window)


def test_detaching_leaves_the_stack_running_and_the_terminal_as_it_was(
    stack: Project, window: Window
) -> None:
    before = window.run("stty -a")
    attach(window)
    detach(window)
    assert window.run("echo code $?").strip() == "code 0"
    assert window.run("stty -a") == before
    assert RULE not in "\n".join(window.history())
    assert stack.container("web").status == "running"


def test_r_restarts_a_service_and_a_key_meanwhile_is_answered(stack: Project, window: Window) -> None:
    before = stack.container("web").attrs["State"]["StartedAt"]
    attach(window)
    window.type("r")
    window.wait_for(r"^restart: cache  \(Enter; Tab: counter, web; Esc\)")
    window.type("w", "Enter", "r", "w", "Enter")
    window.wait_for(r"^Wait: `restart web` has been running for")
    window.wait_for(r"`restart web` done in")
    assert stack.container("web").attrs["State"]["StartedAt"] != before
    assert "stopped from outside" not in "\n".join(window.history())
    window.type("r", "c", "a", "Escape")
    window.wait_for(rf"^{KEYS}")
    window.type("r", "z")
    window.wait_for("no such service")
    window.type("Escape", "z")
    window.wait_for("`z` is no key here")
    detach(window)


def test_b_rebuilds_and_what_the_watch_rebuilds_is_shown(stack: Project, window: Window) -> None:
    attach(window)
    before = stack.container("web").id
    stack.write("page", secrets.token_hex(4))
    window.wait_for(r"^. web .* rebuilt \d\d:\d\d:\d\d")
    rebuilt = stack.container("web").id
    assert rebuilt != before
    stack.write("Dockerfile", stack.directory.joinpath("Dockerfile").read_text() + "RUN touch /new\n")
    window.type("b", "w", "Enter")
    window.wait_for("`rebuild web` done in", everywhere=True)
    assert stack.container("web").id != rebuilt
    detach(window)


def test_l_shows_one_service_and_search_finds_what_went_by(stack: Project, window: Window) -> None:
    attach(window)
    window.type("l", "c", "o", "Enter")
    window.wait_for("─ logs of counter ")
    say(stack, "cache", "not shown 1")
    say(stack, "counter", "shown 1")
    window.wait_for(r"^counter +\| shown 1$")
    window.type("/", "s", "h", "o", "w", "n", "Enter")
    window.wait_for(r"^1 line so far with `shown`:\ncounter +\| shown 1$")
    say(stack, "counter", "shown 2")
    window.wait_for(r"`shown` in 2 lines")
    assert "\x1b[7mshown\x1b[27m" in window.screen(styled=True).replace("\x1b[0m", "\x1b[27m")
    window.type("l", "Enter")
    window.wait_for("1 line of other services than counter not shown meanwhile: `invoke logs`")
    window.type("/", "Enter")
    say(stack, "cache", "again")
    window.wait_for(r"^cache +\| again$")
    assert "not shown 1" not in window.screen()
    detach(window)


def say(stack: Project, service: str, text: str) -> None:
    """Has the service log a line."""
    stack.container(service).exec_run(["sh", "-c", f"echo {text} >/proc/1/fd/1"])


def test_o_opens_the_page_and_help_is_printed(stack: Project, window: Window) -> None:
    attach(window)
    window.type("o")
    window.wait_for("Opening http://localhost:")
    opened = wait_for_file(stack.directory / "opened")
    assert re.fullmatch(r"http://localhost:\d+\n", opened)
    window.type("?")
    window.wait_for("^q  stop the services and end")
    detach(window)


def wait_for_file(path: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(FileNotFoundError):
            if text := path.read_text():
                return text
        time.sleep(0.05)
    raise AssertionError(f"no {path}")


def test_no_line_is_lost_whatever_size_the_window_takes(stack: Project, window: Window) -> None:
    attach(window)
    stack.container("counter").exec_run(["touch", "/tmp/go"])
    window.wait_for(r"line [3-9]\d of many", everywhere=True)  # a full screen: see `footer/place.py`
    for columns, rows in ((60, 20), (20, 24), (30, 16), (140, 40), (20, 20), (100, 30), (80, 24)):
        window.resize(columns, rows)
        time.sleep(0.1)  # while lines come
    window.wait_for("line 3000 of many", everywhere=True)
    window.resize(20, 24)
    window.wait_for(r"^d o r b l / q \?$")
    window.resize(20, 4)
    window.wait_for("^t-footer-.*…$")
    window.resize(80, 24)
    window.wait_for(rf"^{KEYS}")
    detach(window)
    lines = window.history()
    assert numbers_in(lines, r"\| line (\d+) of many, as long as a line of a log often is\.$") == [
        *range(1, 3001)
    ]
    assert [line for line in lines if RULE in line or line.startswith(("d detach", "d o r"))] == []


def test_ctrl_z_gives_the_shell_its_terminal_and_fg_brings_the_footer_back(
    stack: Project, window: Window
) -> None:
    before = window.run("stty -a")
    attach(window)
    window.type("C-z")
    window.wait_for(r"Stopped|Suspended|^\$ ?$")
    window.wait_for(r"^\$ ?$")
    assert RULE not in window.screen()
    assert window.run("stty -a") == before
    window.type("fg", "Enter")
    window.wait_for(rf"^{KEYS}")
    window.type("?")
    window.wait_for("^q  stop the services")
    detach(window)
    assert window.run("stty -a") == before


@pytest.mark.parametrize("how", ["q", "C-c", "C-c C-c", "TERM", "HUP", "QUIT"])
def test_the_terminal_is_given_back_however_it_ends(stack: Project, window: Window, how: str) -> None:
    before = window.run("stty -a")
    attach(window)
    if how.isupper():
        window.tmux("run-shell", f"pkill -{how} -P #{{pane_pid}}")
    else:
        for key in how.split():
            window.type(key)
            time.sleep(0.15)  # a second signal at once would be the echo of the first
    window.wait_for(r"^\$ ?$")
    codes = {"q": 0, "C-c": 130, "C-c C-c": 130, "TERM": 143, "HUP": 129, "QUIT": 131}
    assert window.run("echo code $?").strip() == f"code {codes[how]}"
    assert window.run("stty -a") == before
    assert not [line for line in window.history() if line.startswith((RULE, KEYS))]
    assert window.tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"
    if how in ("q", "C-c", "TERM", "HUP"):
        assert stack.container("web").status == "exited"


def test_there_is_none_without_a_terminal_in_ci_and_on_a_dumb_one(stack: Project) -> None:
    for variable, value in (("TERM", "dumb"), ("CI", "true")):
        stack.variables[variable] = value
        try:
            with stack.terminal("up") as child:
                child.expect("watching ")
                assert KEYS not in child.shown
                assert "detach" not in child.shown
                child.sendintr()
                assert child.end() == 130
                assert "detach" not in child.plain
        finally:
            del stack.variables[variable]
    piped = stack.start("up", "--attach")
    assert piped.stderr is not None
    assert any("watching" in line for line in piped.stderr)
    piped.terminate()
    out, err = piped.communicate(timeout=60)
    assert "\x1b" not in out + err
    assert "detach" not in out + err


def test_an_engine_that_goes_away_is_in_the_footer_and_the_terminal_is_given_back(stack: Project) -> None:
    url = str(stack.client.api.base_url).replace("http+docker://localhost", "unix:///var/run/docker.sock")
    path = stack.directory / "engine.sock"
    proxy = EngineProxy(path, os.environ.get("DOCKER_HOST", url))
    try:
        environment = {**stack.environment, "DOCKER_HOST": proxy.url}
        with Window(stack.directory, environment) as window:
            before = window.run("stty -a")
            attach(window)
            proxy.close()
            window.wait_for("^✘ web +engine away")
            proxy = EngineProxy(path, os.environ.get("DOCKER_HOST", url))
            window.wait_for("^✔ web +running")
            proxy.close()
            window.wait_for("^✘ web +engine away")
            window.type("C-c")
            window.wait_for(r"^\$ ?$")
            assert window.run("stty -a") == before
            assert not [line for line in window.history() if line.startswith((RULE, KEYS))]
    finally:
        proxy.close()

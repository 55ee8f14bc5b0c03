"""The example with its page as a process of this machine, Redis and MySQL in containers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import docker
import psutil
import pytest

from tests.functional.conftest import Project, find_free_port
from tests.functional.hosted.dap import Debugger
from tests.functional.samples import FIRST_UP, copy_of_example

ASK = "import urllib.request as r; print(r.urlopen('http://web:5000/healthz', timeout=10).status)"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient) -> Iterator[Project]:
    """Up, with `web` on this machine."""
    project = copy_of_example(tmp_path_factory.mktemp("hosted"), client, "hosted")
    (project.directory / ".venv").symlink_to(Path(sys.executable).parents[1])
    try:
        ended = project.invoke("up", "--host", "web", "--detach", timeout=FIRST_UP)
        assert ended.code == 0, ended.err
        yield project
    finally:
        project.invoke("down", "--volumes", "--yes")
        project.remove_everything()


def page(project: Project, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{project.variables['WEB_PORT']}{path}", timeout=90) as got:
        text: str = got.read().decode()
        return text


def status_from_a_container(project: Project) -> str:
    """Of `http://web:5000/healthz`, asked on the stack's network."""
    words = ("run", "--rm", "--network", f"{project.name}_default", "python:3.13-slim", "python", "-c", ASK)
    ended = project.docker(*words)
    assert ended.code == 0, ended.err
    return ended.out.strip()


def server(project: Project) -> psutil.Process:
    """The process that serves the page."""
    port = int(project.variables["WEB_PORT"])
    (pid,) = {
        item.pid
        for item in psutil.net_connections("tcp")
        if item.laddr and item.laddr[1] == port and item.status == psutil.CONN_LISTEN
    }
    assert pid is not None
    return psutil.Process(pid)


def ids(project: Project) -> dict[str, str]:
    return {name: project.container(name).id for name in ("redis", "mysql")}


def visits(project: Project) -> int:
    """The counter that Redis keeps, as the page shows it; this visit counts too."""
    found = re.search(r'id="visits">([\d,]+)<', page(project))
    assert found
    return int(found[1].replace(",", ""))


@pytest.mark.timeout(600)
def test_the_page_is_served_by_a_process_that_stands_in_the_project(example: Project) -> None:
    assert "<html" in page(example)
    assert server(example).cwd() == str(example.directory / "flask-sample")
    rows = {row["service"]: row for row in example.invoke("ps", "--json").json()}
    assert rows["web"]["state"] == "running"


def test_containers_reach_the_process_under_the_name_of_the_service(example: Project) -> None:
    assert status_from_a_container(example) == "200"


def test_the_process_is_a_service_of_other_tasks(example: Project) -> None:
    for words in (
        ("is-ready", "-s", "web"),
        ("stop", "-s", "web"),
        ("start", "-s", "web"),
        ("restart", "-s", "web"),
    ):
        ended = example.invoke(*words)
        assert ended.code == 0, (words, ended.err)
    assert "<html" in page(example)
    assert server(example).cwd() == str(example.directory / "flask-sample")


def test_env_prints_exactly_what_the_process_has(example: Project) -> None:
    printed = example.invoke("env", "-s", "web", "--host", "--format", "json").json()
    actual = server(example).environ()
    assert printed["REDIS_HOST"] == "127.0.0.1"
    assert printed["MYSQL_PORT"] == example.variables["MYSQL_PORT"]
    assert {name: actual.get(name) for name in printed} == printed


def test_the_dry_run_says_what_becomes_of_each_address(example: Project) -> None:
    ended = example.invoke("up", "--host", "web", "--dry-run")
    assert f"MYSQL_HOST: mysql:3306 is 127.0.0.1:{example.variables['MYSQL_PORT']}" in ended.err
    assert "`redis` publishes it" in ended.err
    assert ended.out.strip() == "nothing to do"


@pytest.mark.timeout(600)
def test_switching_back_and_forth_leaves_data_and_other_containers_alone(example: Project) -> None:
    before, counted, volumes = ids(example), visits(example), {item.name for item in example.volumes()}
    for _ in range(3):
        for words in ((), ("--host", "web")):
            ended = example.invoke("up", "--detach", *words, timeout=FIRST_UP)
            assert ended.code == 0, ended.err
            assert "<html" in page(example)
            assert status_from_a_container(example) == "200"
            assert ids(example) == before
    assert {item.name for item in example.volumes()} == volumes
    assert visits(example) > counted


def test_without_the_service_an_ide_starts_it_with_the_printed_variables(example: Project) -> None:
    ended = example.invoke("up", "--without", "web", "--detach")
    assert ended.code == 0, ended.err
    printed = example.invoke("env", "-s", "web", "--host", "--format", "json").json()
    process = subprocess.Popen(
        [sys.executable, "serve.py"],
        cwd=example.directory / "flask-sample",
        env={**os.environ, **printed},
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_page(example)
        assert status_from_a_container(example) == "200"
    finally:
        process.terminate()
        process.wait(60)
    assert example.invoke("up", "--host", "web", "--detach").code == 0


def test_a_breakpoint_is_hit(example: Project) -> None:
    """As in the guide: debugpy listens, an editor attaches, and a browser asks for the page."""
    port = find_free_port()
    file = example.directory / "services/web.yaml"
    before = file.read_text()
    file.write_text(
        before.replace("python serve.py\n", f"python -m debugpy --listen 127.0.0.1:{port} serve.py\n", 1)
    )
    code = example.directory / "flask-sample/app/pages.py"
    line = next(
        n for n, text in enumerate(code.read_text().splitlines(), 1) if "asked_redis.answer()" in text
    )
    try:
        ended = example.invoke("up", "--host", "web", "--detach")
        assert ended.code == 0, ended.err
        debugger = Debugger(port)
        debugger.attach({str(code): [line]})
        answers: list[str] = []
        visitor = threading.Thread(target=lambda: answers.append(page(example)), daemon=True)
        visitor.start()
        stopped = debugger.event("stopped")
        assert stopped["reason"] == "breakpoint"
        frames = debugger.request("stackTrace", threadId=stopped["threadId"])["stackFrames"]
        assert (frames[0]["source"]["path"], frames[0]["line"]) == (str(code), line)
        assert not answers
        debugger.request("continue", threadId=stopped["threadId"])
        visitor.join(90)
        assert "<html" in answers[0]
        debugger.close()
    finally:
        file.write_text(before)
    assert example.invoke("up", "--host", "web", "--detach").code == 0


def test_a_service_without_a_block_is_told_what_to_add(example: Project) -> None:
    ended = example.invoke("up", "--host", "redis", "--detach")
    assert ended.code == 2
    assert "`redis` does not say how it runs on the host" in ended.err
    assert "command: redis-server --appendonly yes" in ended.err


def test_a_port_in_use_is_told_with_its_holder(example: Project) -> None:
    assert example.invoke("up", "--without", "web", "--detach").code == 0
    port = example.variables["WEB_PORT"]
    holder = subprocess.Popen(
        [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"], stderr=subprocess.DEVNULL
    )
    try:
        _wait_for_page(example)
        ended = example.invoke("up", "--host", "web", "--detach")
        assert ended.code == 1
        assert f"port {port}" in ended.err
        assert f"pid {holder.pid}" in ended.err
    finally:
        holder.terminate()
        holder.wait(60)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("working_dir: ./nowhere", "there is no such folder"),
        ("command: no-such-program-here", "his machine does not have the command"),
        ("command: python3 -c 'raise SystemExit(3)'", "exited with code 3"),
    ],
)
def test_what_cannot_run_is_told(example: Project, line: str, message: str) -> None:
    file = example.directory / "services/web.yaml"
    before = file.read_text()
    key = line.partition(":")[0]
    head, mark, block = before.partition("x-devstack:")
    file.write_text(head + mark + re.sub(rf"{key}:.*", line.replace("\\", r"\\"), block, count=1))
    try:
        ended = example.invoke("up", "--host", "web", "--detach")
        assert ended.code == 1, ended.err
        assert message in ended.err
    finally:
        file.write_text(before)


def test_down_leaves_no_process_and_no_port(example: Project) -> None:
    assert example.invoke("up", "--host", "web", "--detach").code == 0
    process = server(example)
    assert example.invoke("down").code == 0
    assert not process.is_running()
    assert example.containers() == []
    listening = [
        item.laddr[1]
        for item in psutil.net_connections("tcp")
        if item.laddr and item.status == psutil.CONN_LISTEN
    ]
    assert int(example.variables["WEB_PORT"]) not in listening


def _wait_for_page(project: Project) -> None:
    end = time.monotonic() + 90
    while True:
        try:
            page(project)
            return
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)

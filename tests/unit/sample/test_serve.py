"""serve.py as a process of its own: how it reloads, and how it stops."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.functional.conftest import find_free_port
from tests.unit.sample.conftest import SAMPLE, databases_at


@dataclass
class Server:
    """A running copy of the sample, without databases."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def get(self, path: str = "/") -> str:
        """What it answers, with whatever status. Raises URLError when nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def edit(self, path: str, before: str, after: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def shows(self, words: str, timeout: float = 60.0) -> bool:
        """Whether the page shows these words in time. A refused connection on the way is an error."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if words in self.get():
                return True
            time.sleep(0.02)
        return False


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts serve.py in a copy of the sample, and waits until it listens."""
    started: list[subprocess.Popen[bytes]] = []

    def start(debug: str = "1", databases_port: int | None = None) -> Server:
        folder = tmp_path / "sample"
        shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        port = find_free_port()
        databases = databases_at(databases_port or find_free_port())
        variables = {**os.environ, **databases, "PORT": str(port), "FLASK_DEBUG": debug}
        process = subprocess.Popen([sys.executable, "serve.py"], cwd=folder, env=variables)
        started.append(process)
        server = Server(folder, port, process)
        wait_until_listening(server)
        return server

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_until_listening(server: Server, timeout: float = 60.0) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise AssertionError("serve.py does not listen")


def test_an_edited_template_shows_at_once(serve: Callable[..., Server]) -> None:
    server = serve()
    server.edit("app/templates/index.html", "Visits to this page", "Guests so far")
    assert "Guests so far" in server.get()
    assert server.process.poll() is None


def test_an_edited_module_shows_and_no_connection_is_refused_meanwhile(serve: Callable[..., Server]) -> None:
    server = serve()
    server.edit("app/asking.py", "it refuses connections", "it sleeps")
    assert server.shows("It sleeps")
    server.edit("app/asking.py", "it sleeps", "it refuses connections")
    assert server.shows("It refuses connections")


def test_a_file_copied_over_with_an_old_time_is_noticed(serve: Callable[..., Server]) -> None:
    server = serve()
    times = (server.folder / "app/asking.py").stat()
    server.edit("app/asking.py", "it refuses connections", "it rests its eyes now!")
    os.utime(server.folder / "app/asking.py", ns=(times.st_atime_ns, times.st_mtime_ns - 10**9))
    assert server.shows("It rests its eyes now!")


def test_a_slip_in_a_module_is_shown_and_mended_without_a_restart(serve: Callable[..., Server]) -> None:
    server = serve()
    server.edit("app/visits.py", "class Visits:", "class Visits")
    assert server.shows("SyntaxError")
    assert server.process.poll() is None
    server.edit("app/visits.py", "class Visits", "class Visits:")
    assert server.shows("Visits to this page")


def test_a_slip_in_a_template_is_shown_with_its_line(serve: Callable[..., Server]) -> None:
    server = serve()
    server.edit("app/templates/index.html", "{% block footer %}", "{% blok footer %}")
    assert "TemplateSyntaxError" in server.get()


@pytest.mark.parametrize("debug", ["0", "1"])
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_and_well_when_told_to(
    serve: Callable[..., Server], debug: str, sent: signal.Signals
) -> None:
    server = serve(debug)
    began = time.monotonic()
    server.process.send_signal(sent)
    assert server.process.wait(60) == 0
    assert time.monotonic() - began < 8  # less than the time after which an engine would kill it


def test_a_request_that_is_being_answered_is_finished_before_it_stops(serve: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        server = serve(databases_port=silent.getsockname()[1])
        with ThreadPoolExecutor(1) as visitor:
            page = visitor.submit(server.get)
            silent.accept()
            server.process.send_signal(signal.SIGTERM)
            assert "did not answer in time" in page.result(60)
        assert server.process.wait(60) == 0


def test_a_signal_in_the_middle_of_a_reload_is_not_lost(serve: Callable[..., Server]) -> None:
    server = serve()
    server.edit("app/asking.py", "it refuses connections", "it sleeps")
    began = time.monotonic()
    while not is_reloading(server) and time.monotonic() - began < 5:
        time.sleep(0.001)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0


def is_reloading(server: Server) -> bool:
    """Whether the process blocks SIGTERM: it does so from before the exec until its handlers are there."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    blocked = int(status.split("SigBlk:")[1].split()[0], 16)
    return bool(blocked >> (signal.SIGTERM - 1) & 1)


def test_without_debug_an_edit_changes_nothing(serve: Callable[..., Server]) -> None:
    server = serve("0")
    server.edit("app/asking.py", "it refuses connections", "it sleeps")
    assert not server.shows("It sleeps", timeout=0.6)

"""Runs the sample: one process that serves, reloads edited code, and stops at once on SIGTERM.

Flask's own reloader keeps a second interpreter as process 1, which doubles the time to the first answer and
cuts requests off when it is told to stop. Here the one process replaces itself (`exec`) when a module has
changed. It hands its listening socket on: a browser that asks in the middle of a reload waits a moment and is
served.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

stopping = threading.Event()


def ask_to_stop(signum: int, frame: FrameType | None) -> None:
    stopping.set()


# Process 1 gets no signal that it has no handler for, so these come before the imports that take time.
signal.signal(signal.SIGTERM, ask_to_stop)
signal.signal(signal.SIGINT, ask_to_stop)

from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

SOURCES = Path(__file__).parent / "app"
SOCKET_VARIABLE = "SAMPLE_LISTENING_SOCKET"
LOOK_FOR_CHANGES_EVERY = 0.05  # seconds
FINISH_REQUESTS_WITHIN = 0.2  # seconds

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("sample")

WsgiApp = Callable[..., Iterable[bytes]]
Fingerprint = dict[str, tuple[int, int, int]]


class Handler(WSGIRequestHandler):
    """Writes one short line for each request, and none for a probe that went well."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.path.startswith("/healthz") and str(code) == "200":
            return
        log.info("%s %s %s", self.command, self.path, getattr(code, "value", code))


class Gate:
    """Shows the traceback of a request that failed, and knows whether requests are being served."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._busy = 0
        self._lock = threading.Condition()

    def __call__(self, environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        with self._lock:
            self._busy += 1
        try:
            return list(self._app(environ, start_response))
        except Exception:
            return answer_with_traceback(start_response)
        finally:
            with self._lock:
                self._busy -= 1
                self._lock.notify_all()

    def wait_until_idle(self, timeout: float) -> None:
        """Waits until no request is being served, at most `timeout` seconds."""
        with self._lock:
            self._lock.wait_for(lambda: self._busy == 0, timeout)


def answer_with_traceback(start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answers with the exception that is being handled, and writes it to the log."""
    text = traceback.format_exc()
    log.error(text)
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    start_response("500 Internal Server Error", headers, sys.exc_info())
    return [b"The sample stumbled. Mend the code and save: it reloads by itself.\n\n", text.encode()]


def load_app() -> WsgiApp:
    """The application; one that shows the traceback where its code cannot be imported (a slip in an edit)."""
    try:
        from app import create_app

        return create_app()
    except Exception as exception:
        slip = exception
        log.exception("The application cannot be loaded")

        def broken(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
            raise slip

        return broken


def fingerprint() -> Fingerprint:
    """What tells one state of the code from another.

    The time of the last change of status is part of it: a copied file may carry the old time of its contents.
    """
    found: Fingerprint = {}
    for path in SOURCES.rglob("*.py"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[str(path)] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
    return found


def wait_for_change(before: Fingerprint) -> bool:
    """Returns True once the code has changed and then rested for a moment, False when it is time to stop."""
    seen = before
    while not stopping.wait(LOOK_FOR_CHANGES_EVERY):
        now = fingerprint()
        if now == seen != before:
            return True
        seen = now
    return False


def open_socket(port: int) -> socket.socket:
    """The listening socket: the one that this process had before it started again, else a new one."""
    inherited = os.environ.pop(SOCKET_VARIABLE, None)
    if inherited:
        return socket.socket(fileno=int(inherited))
    return socket.create_server(("", port), backlog=128)


def start_again(listener: socket.socket) -> None:
    """Replaces this process by a new one that goes on with the same listening socket."""
    listener.set_inheritable(True)
    os.environ[SOCKET_VARIABLE] = str(listener.fileno())
    os.execv(sys.executable, sys.orig_argv)


def main() -> None:
    port = int(os.environ.get("PORT", "5000"))
    reload = os.environ.get("FLASK_DEBUG") == "1"
    code = fingerprint()
    gate = Gate(load_app())
    listener = open_socket(port)
    server = make_server("0.0.0.0", port, gate, threaded=True, request_handler=Handler, fd=listener.fileno())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    log.info("Serving on port %d%s", port, ", reloading when the code changes" if reload else "")
    changed = wait_for_change(code) if reload else not stopping.wait()
    server.shutdown()
    gate.wait_until_idle(FINISH_REQUESTS_WITHIN)
    if changed:
        log.info("The code has changed: starting again")
        start_again(listener)
    log.info("Stopped")


if __name__ == "__main__":
    main()
